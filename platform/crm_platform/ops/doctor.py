"""`crm doctor`: what is configured, what is missing, what answers."""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
import redis

from crm_platform.kernel.errors import DomainError
from crm_platform.ops import embedded
from crm_platform.ops.console import say
from crm_platform.ops.environment import Environment, EnvironmentRefused, read_environment

VARIABLES = (
    "RAPPORT_ENV",
    "RAPPORT_DATA",
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SENTRY_DSN",
    "EMAIL_URL",
    "BASE_DOMAIN",
    "PUBLIC_SCHEME",
    "PUBLIC_PORT",
    "MEDIA_ROOT",
    "STATIC_ROOT",
    "TRUSTED_PROXY_COUNT",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "RAPPORT_SHARDING",
    "RAPPORT_DB_POOL",
    "RAPPORT_BACKUP_STORE",
)
SECRET = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "SENTRY_DSN")
OLDEST_POSTGRESQL = 160000
FEWEST_LOCKS = 512
"""Dropping a company's schema takes 1,100 locks in one transaction."""


def main(_arguments: Sequence[str] = ()) -> int:
    """Print the findings; exit 1 when something is missing or does not answer."""
    say(f"Python {platform.python_version()} at {sys.executable}")
    for name in VARIABLES:
        say(f"  {name:<22} {_shown(name)}")
    try:
        environment = read_environment(os.environ)
    except EnvironmentRefused as error:
        say(str(error))
        return 1
    return 0 if _all_answer(environment) else 1


def _shown(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        return "not set"
    if name in SECRET:
        return f"set ({len(value)} characters)"
    if name.endswith("_URL"):
        parts = urlsplit(value)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
    return value


def _all_answer(environment: Environment) -> bool:
    if environment.data_dir is not None and not os.environ.get("DATABASE_URL"):
        state = "running" if embedded.is_running(environment.data_dir) else "not running"
        say(f"Embedded servers in {environment.data_dir}: {state}")
        if state == "not running":
            say("Nothing to ask: `crm demo` starts them.")
            return True
    checks: dict[str, Callable[[], str]] = {
        "PostgreSQL, as application": lambda: _postgresql(environment.database_url),
        "Redis": lambda: _redis(environment.redis_url),
    }
    owner = environment.database_owner_url
    if owner:
        checks["PostgreSQL, as owner"] = lambda: _postgresql(owner)
    checks["Scale-out"] = lambda: scale_out(environment.database_url, environment.sharding)
    if environment.backup_store is not None:
        checks["Store of the backups"] = _backup_store
    outcomes = [_tell(name, check) for name, check in checks.items()]  # every one is told
    return all(outcomes)


def _tell(name: str, check: Callable[[], str]) -> bool:
    try:
        say(f"{name}: {check()}")
    except (psycopg.Error, redis.RedisError, ValueError, DomainError) as error:
        say(f"{name}: {' '.join(str(error).split())}")
        return False
    return True


def _postgresql(address: str) -> str:
    with psycopg.connect(address, connect_timeout=5) as connection:
        version = connection.info.server_version
    if version < OLDEST_POSTGRESQL:
        raise ValueError(f"version {version // 10000} is too old, 16 is the oldest that works")
    return f"answers, version {version // 10000}.{version % 10000}"


def scale_out(address: str, sharding: str) -> str:
    """What the database offers for many companies, and whether RAPPORT_SHARDING fits to it.

    Raises:
        ValueError: the setting and the database contradict each other.
    """
    with psycopg.connect(address, connect_timeout=5) as connection:
        citus = _value(connection, "SELECT extversion FROM pg_extension WHERE extname = 'citus'")
        locks = int(_value(connection, "SHOW max_locks_per_transaction") or 0)
        workers = (
            _value(connection, "SELECT count(*) FROM pg_dist_node WHERE shouldhaveshards")
            if citus
            else "0"
        )
    if sharding == "citus" and not citus:
        raise ValueError("RAPPORT_SHARDING is citus, but this database has no Citus")
    if citus and sharding != "citus":
        raise ValueError(f"this is Citus {citus}, but RAPPORT_SHARDING is {sharding}")
    if citus:
        offer = f"Citus {citus}, {workers} workers for companies, up to about 1,000 a cluster"
    else:
        offer = "one server, companies are schemas of it, up to about 2,000"
    if locks < FEWEST_LOCKS:
        offer += f"; raise max_locks_per_transaction from {locks} to {FEWEST_LOCKS}"
    return offer


def _value(connection: psycopg.Connection, question: LiteralString) -> str:
    row = connection.execute(question).fetchone()
    return str(row[0]) if row else ""


def _redis(address: str) -> str:
    with redis.Redis.from_url(address, socket_connect_timeout=5) as client:
        client.ping()
    return "answers"


def _backup_store() -> str:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")
    django.setup()
    from tenants.backups.s3 import Bucket

    Bucket().demand_answer()
    return "answers"
