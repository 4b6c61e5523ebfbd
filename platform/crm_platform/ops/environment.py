"""Everything the process is told from outside, read once and checked before anything starts.

Needs no Django, so that settings, the `crm` command and tests can all read the same thing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dj_database_url
import dj_email_url

from crm_platform.ops import places
from crm_platform.ops.local_secrets import backup_key_of, secret_key_of

EMBEDDED, PRODUCTION = "embedded", "production"
SHORTEST_SECRET = 50
WORDS_OF_A_DEFAULT_SECRET = ("change-me", "changeme", "insecure", "example", "secret-key")
DATABASE_SCHEMES = ("postgres", "postgresql")
REDIS_SCHEMES = ("redis", "rediss", "unix")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("json", "text")
SHARDINGS = ("none", "citus")
STRIPE_KEYS = ("sk_test_", "rk_test_", "sk_live_", "rk_live_")
STRIPE_TAXES = ("none", "automatic")
SELLER_FACTS = ("key", "name", "address", "tax_id", "bank", "email")


class EnvironmentRefused(Exception):
    """The environment cannot be used: `str(error)` is one sentence naming every variable."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"Rapport cannot start: {'; '.join(faults)} (see deploy/env.example).")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One process's surroundings, checked."""

    name: str
    database_url: str = field(repr=False)
    database_owner_url: str | None = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(repr=False)
    sentry_dsn: str | None = field(repr=False)
    email_url: str | None = field(repr=False)
    base_domain: str
    public_scheme: str
    public_port: int | None
    media_root: Path
    static_root: Path
    trusted_proxy_count: int
    log_level: str
    log_format: str
    backup_key: str | None = field(default=None, repr=False)
    """What locks backups; None where this process makes none."""
    backup_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    backup_dir: Path = Path("backups")
    seller: dict[str, str] = field(default_factory=dict)
    """Who sells, as it stands on invoices: key, name, address, tax_id, bank, email."""
    sharding: str = "none"
    """`citus`: companies are spread over the workers of a Citus cluster."""
    backup_store: str | None = field(default=None, repr=False)
    """The bucket of the archives; None: they lie in `backup_dir`."""
    database_pool: int = 0
    """Connections of one process to share among its threads; 0: each thread keeps its own."""
    stripe_key: str | None = field(default=None, repr=False)
    """A secret or restricted key; None: nobody pays by card."""
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """What its events are signed with; two while one is changed for another."""
    stripe_address: str | None = None
    """Where its API is, if not at its usual address: a peer process, in tests."""
    stripe_tax: str = "none"
    """`automatic`: it works out the taxes."""
    data_dir: Path | None = None
    """The folder of the embedded servers; None where every server is somebody else's."""

    @property
    def is_production(self) -> bool:
        return self.name == PRODUCTION

    @property
    def database(self) -> dict[str, Any]:
        """Django's DATABASES entry of the application's login (set ENGINE yourself)."""
        return dict(dj_database_url.parse(self.database_url))

    @property
    def database_owner(self) -> dict[str, Any] | None:
        """Django's DATABASES entry of the owner's login; None where this process has none."""
        if self.database_owner_url is None:
            return None
        return dict(dj_database_url.parse(self.database_owner_url))

    @property
    def email(self) -> dict[str, Any]:
        """Django's EMAIL_* settings; empty where nothing was said."""
        return dict(dj_email_url.parse(self.email_url)) if self.email_url else {}

    @property
    def celery_broker_url(self) -> str:
        """`redis_url` as Celery spells it: unix:///path?db=0 is redis+socket:///path there."""
        parts = urlsplit(self.redis_url)
        if parts.scheme != "unix":
            return self.redis_url
        return f"redis+socket://{parts.path}"

    def address_of(self, host: str) -> str:
        """The link to `host` as a visitor types it, without a slash at the end."""
        port = f":{self.public_port}" if self.public_port else ""
        return f"{self.public_scheme}://{host}{port}"


class _Reading:
    """Reads variables one after the other and keeps what is wrong with them."""

    def __init__(self, variables: Mapping[str, str], defaults: Mapping[str, str]) -> None:
        self._variables, self._defaults = variables, defaults
        self.faults: list[str] = []

    def optional(self, name: str) -> str | None:
        return self._variables.get(name, "").strip() or self._defaults.get(name) or None

    def group(self, prefix: str, names: tuple[str, ...]) -> dict[str, str]:
        r"""What is said of `PREFIX_NAME` for each name; `\n` in a value begins a new line."""
        said = {name: self.optional(f"{prefix}_{name.upper()}") for name in names}
        return {name: value.replace("\\n", "\n") for name, value in said.items() if value}

    def text(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            self.faults.append(f"{name} is missing")
        return value or ""

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name)
        if value and value not in choices:
            self.faults.append(f"{name} must be one of {', '.join(choices)}")
        return value

    def number(self, name: str, *, least: int, most: int) -> int | None:
        value = self.optional(name)
        if value is None:
            return None
        if not value.isdecimal() or not least <= int(value) <= most:
            self.faults.append(f"{name} must be a whole number from {least} to {most}")
            return None
        return int(value)

    def url(self, name: str, schemes: tuple[str, ...], *, required: bool = True) -> str | None:
        value = self.text(name) if required else self.optional(name)
        if value and not _is_url(value, schemes):
            expected = " or ".join(f"{scheme}://" for scheme in schemes)
            self.faults.append(f"{name} must be an address beginning with {expected}")
        return value

    def secret(self, name: str) -> str:
        value = self.text(name)
        if value:
            self.faults.extend(f"{name} {fault}" for fault in _faults_of_secret(value))
        return value

    def optional_secret(self, name: str) -> str | None:
        return self.secret(name) if self.optional(name) else None

    def secrets(self, name: str) -> tuple[str, ...]:
        parts = (self.optional(name) or "").split(",")
        values = tuple(part.strip() for part in parts if part.strip())
        for value in values:
            self.faults.extend(f"a key in {name} {fault}" for fault in _faults_of_secret(value))
        return values

    def stripe_key(self, name: str, *, is_embedded: bool) -> str | None:
        value = self.optional(name)
        if value and not value.startswith(STRIPE_KEYS):
            self.faults.append(f"{name} must begin with one of {', '.join(STRIPE_KEYS)}")
        elif value and is_embedded and "_live_" in value:
            self.faults.append(f"{name} is a live key: money is not taken by a trial installation")
        return value

    def marked(self, name: str, mark: str, *, of: str) -> tuple[str, ...]:
        """Values that begin with `mark`, between commas; needed where `of` is said."""
        parts = (self.optional(name) or "").split(",")
        values = tuple(part.strip() for part in parts if part.strip())
        if any(not value.startswith(mark) for value in values):
            self.faults.append(f"{name} must hold values that begin with {mark}")
        if self.optional(of) and not values:
            self.faults.append(f"{name} is missing: {of} needs it")
        return values

    def email(self, name: str, *, required: bool) -> str | None:
        value = self.text(name) if required else self.optional(name)
        if value and "EMAIL_BACKEND" not in dj_email_url.parse(value):
            known = ", ".join(sorted(dj_email_url.SCHEMES))
            self.faults.append(f"{name} must begin with one of {known} and ://")
        return value or None

    def domain(self, name: str) -> str:
        value = self.text(name).lower()
        allowed = "abcdefghijklmnopqrstuvwxyz0123456789-."
        if value and (set(value) - set(allowed) or value.startswith(".") or value.endswith(".")):
            self.faults.append(f"{name} must be a bare host name, without scheme, port or path")
        return value


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc or parts.path.strip("/"))


def _faults_of_secret(value: str) -> list[str]:
    if len(value) < SHORTEST_SECRET:
        return [f"is shorter than {SHORTEST_SECRET} characters"]
    if len(set(value)) < 12 or any(word in value.lower() for word in WORDS_OF_A_DEFAULT_SECRET):
        return ["is a default or a guessable one"]
    return []


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Read and check `variables` (normally `os.environ`).

    RAPPORT_ENV=embedded (the default) fills what is missing with the servers of `.data/` and may
    write the secret file there; it starts nothing. RAPPORT_ENV=production fills in next to nothing.

    Raises:
        EnvironmentRefused: names every variable that is missing or cannot be used.
    """
    name = variables.get("RAPPORT_ENV", "").strip() or EMBEDDED
    if name not in (EMBEDDED, PRODUCTION):
        raise EnvironmentRefused([f"RAPPORT_ENV must be {EMBEDDED} or {PRODUCTION}"])
    data_dir = places.data_dir(variables) if name == EMBEDDED else None
    defaults = _embedded_defaults(data_dir) if data_dir else _production_defaults(variables)
    reading = _Reading(variables, defaults)
    environment = _read(reading, name=name, data_dir=data_dir)
    if reading.faults:
        raise EnvironmentRefused(reading.faults)
    return environment


def _read(reading: _Reading, *, name: str, data_dir: Path | None) -> Environment:
    return Environment(
        name=name,
        data_dir=data_dir,
        database_url=reading.url("DATABASE_URL", DATABASE_SCHEMES) or "",
        database_owner_url=reading.url("DATABASE_OWNER_URL", DATABASE_SCHEMES, required=False),
        redis_url=reading.url("REDIS_URL", REDIS_SCHEMES) or "",
        secret_key=reading.secret("SECRET_KEY"),
        secret_key_fallbacks=reading.secrets("SECRET_KEY_FALLBACKS"),
        sentry_dsn=reading.url("SENTRY_DSN", ("https", "http"), required=False),
        email_url=reading.email("EMAIL_URL", required=name == PRODUCTION),
        base_domain=reading.domain("BASE_DOMAIN"),
        public_scheme=reading.choice("PUBLIC_SCHEME", ("http", "https")),
        public_port=reading.number("PUBLIC_PORT", least=1, most=65535),
        media_root=Path(reading.text("MEDIA_ROOT")),
        static_root=Path(reading.text("STATIC_ROOT")),
        trusted_proxy_count=reading.number("TRUSTED_PROXY_COUNT", least=0, most=9) or 0,
        log_level=reading.choice("LOG_LEVEL", LOG_LEVELS),
        log_format=reading.choice("LOG_FORMAT", LOG_FORMATS),
        backup_key=reading.optional_secret("BACKUP_KEY"),
        backup_key_fallbacks=reading.secrets("BACKUP_KEY_FALLBACKS"),
        backup_dir=Path(reading.text("BACKUP_DIR")),
        seller=reading.group("SELLER", SELLER_FACTS),
        sharding=reading.choice("RAPPORT_SHARDING", SHARDINGS),
        backup_store=reading.url("RAPPORT_BACKUP_STORE", ("s3",), required=False),
        database_pool=reading.number("RAPPORT_DB_POOL", least=0, most=100) or 0,
        stripe_key=reading.stripe_key("STRIPE_KEY", is_embedded=data_dir is not None),
        stripe_webhook_secrets=reading.marked("STRIPE_WEBHOOK_SECRETS", "whsec_", of="STRIPE_KEY"),
        stripe_address=reading.url("STRIPE_ADDRESS", ("http", "https"), required=False),
        stripe_tax=reading.choice("STRIPE_TAX", STRIPE_TAXES),
    )


def _production_defaults(variables: Mapping[str, str]) -> dict[str, str]:
    media = variables.get("MEDIA_ROOT", "").strip()
    return {
        "PUBLIC_SCHEME": "https",
        "TRUSTED_PROXY_COUNT": "1",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "json",
        "RAPPORT_SHARDING": "none",
        "STRIPE_TAX": "none",
        "STATIC_ROOT": str(Path(media).parent / "static") if media else "static",
        "BACKUP_DIR": str(Path(media).parent / "backups") if media else "backups",
    }


def _embedded_defaults(data_dir: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_address(data_dir, login="rapport_app"),
        "DATABASE_OWNER_URL": database_address(data_dir, login="rapport_owner"),
        "REDIS_URL": f"unix://{places.redis_socket(data_dir)}?db=0",
        "SECRET_KEY": secret_key_of(data_dir),
        "BASE_DOMAIN": "localhost",
        "PUBLIC_SCHEME": "http",
        "PUBLIC_PORT": "8000",
        "MEDIA_ROOT": str(data_dir / "media"),
        "STATIC_ROOT": str(data_dir / "static"),
        "BACKUP_KEY": backup_key_of(data_dir),
        "BACKUP_DIR": str(data_dir / "backups"),
        "TRUSTED_PROXY_COUNT": "0",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "text",
        "RAPPORT_SHARDING": "none",
        "STRIPE_TAX": "none",
    }


def database_address(data_dir: Path, *, login: str, database: str = "rapport") -> str:
    """The address of the embedded PostgreSQL: a private socket, so no port and no password."""
    sockets = quote(str(places.postgres_socket_dir(data_dir)), safe="")
    return f"postgresql://{login}@{sockets}/{database}"


def current() -> Environment:
    """This process's environment."""
    return read_environment(os.environ)
