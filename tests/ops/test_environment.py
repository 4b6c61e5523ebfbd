"""What the process is told from outside: complete, or refused in one sentence."""

import json

import pytest

from crm_platform.ops.environment import EnvironmentRefused, read_environment

PRODUCTION = {
    "RAPPORT_ENV": "production",
    "DATABASE_URL": "postgresql://rapport_app:a%40b@db.internal:5433/rapport?sslmode=require",
    "DATABASE_OWNER_URL": "postgresql://rapport_owner:pw@db.internal:5433/rapport",
    "REDIS_URL": "redis://:pw@cache.internal:6379/1",
    "SECRET_KEY": "q8Zr1mX4tV7yB0nC3kF6jH9gD2sA5pL8oI1uY4eW7rT0zQ3x",
    "EMAIL_URL": "submission://mailer:pw@smtp.internal",
    "BASE_DOMAIN": "rapport.test",
    "MEDIA_ROOT": "/srv/rapport/media",
}
PRODUCTION["SECRET_KEY"] += "Qp1"


def without(*names):
    return {name: value for name, value in PRODUCTION.items() if name not in names}


def test_production_reads_every_variable():
    environment = read_environment(PRODUCTION)

    assert environment.is_production
    assert environment.database["PASSWORD"] == "a@b"
    assert environment.database["PORT"] == 5433
    assert environment.database["OPTIONS"] == {"sslmode": "require"}
    assert environment.database_owner["USER"] == "rapport_owner"
    assert environment.email["EMAIL_HOST"] == "smtp.internal"
    assert environment.email["EMAIL_USE_TLS"] is True
    assert environment.celery_broker_url == PRODUCTION["REDIS_URL"]
    assert environment.address_of("acme.rapport.test") == "https://acme.rapport.test"
    assert (environment.log_format, environment.trusted_proxy_count) == ("json", 1)
    assert environment.data_dir is None


def test_production_names_everything_that_is_missing_in_one_sentence():
    with pytest.raises(EnvironmentRefused) as refused:
        read_environment({"RAPPORT_ENV": "production"})

    sentence = str(refused.value)
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "EMAIL_URL",
        "BASE_DOMAIN",
        "MEDIA_ROOT",
    ):
        assert f"{name} is missing" in sentence
    assert "\n" not in sentence


def test_the_owner_s_login_is_optional():
    assert read_environment(without("DATABASE_OWNER_URL")).database_owner is None


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("SECRET_KEY", "short", "shorter than 50"),
        ("SECRET_KEY", "change-me" * 8, "guessable"),
        ("SECRET_KEY", "ab" * 40, "guessable"),
        ("SECRET_KEY_FALLBACKS", "short", "a key in SECRET_KEY_FALLBACKS is shorter"),
        ("DATABASE_URL", "mysql://u@h/d", "postgres:// or postgresql://"),
        ("DATABASE_URL", "postgresql://u@h:port/d", "postgres:// or postgresql://"),
        ("REDIS_URL", "localhost:6379", "REDIS_URL must be an address"),
        ("EMAIL_URL", "mail.internal", "EMAIL_URL must begin with one of"),
        ("SENTRY_DSN", "abc", "SENTRY_DSN must be an address"),
        ("BASE_DOMAIN", "https://rapport.test", "bare host name"),
        ("PUBLIC_SCHEME", "gopher", "one of http, https"),
        ("PUBLIC_PORT", "70000", "from 1 to 65535"),
        ("TRUSTED_PROXY_COUNT", "many", "from 0 to 9"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of"),
        ("LOG_FORMAT", "xml", "one of json, text"),
        ("RAPPORT_ENV", "staging", "RAPPORT_ENV must be embedded or production"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name, value, fault):
    with pytest.raises(EnvironmentRefused, match=fault):
        read_environment({**PRODUCTION, name: value})


def test_a_refusal_shows_no_secret():
    with pytest.raises(EnvironmentRefused) as refused:
        read_environment({**PRODUCTION, "SECRET_KEY": "hush", "DATABASE_URL": "x://u:hush@h/d"})

    assert "hush" not in str(refused.value)
    assert "q8Zr" not in repr(read_environment(PRODUCTION))


def test_embedded_fills_in_everything_and_keeps_its_secret(tmp_path):
    variables = {"RAPPORT_DATA": str(tmp_path / "data")}

    first, second = read_environment(variables), read_environment(variables)

    assert first == second
    assert first.database["USER"] == "rapport_app"
    assert first.database["HOST"].endswith("/postgres")
    assert first.celery_broker_url.startswith("redis+socket:///tmp/rapport-")
    assert first.address_of("acme.localhost") == "http://acme.localhost:8000"
    secret = tmp_path / "data" / "secrets.json"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert json.loads(secret.read_text())["SECRET_KEY"] == first.secret_key


def test_embedded_takes_what_is_said(tmp_path):
    variables = {
        "RAPPORT_DATA": str(tmp_path),
        "DATABASE_URL": "postgres://u:p@h/d",
        "PUBLIC_PORT": "81",
    }

    environment = read_environment(variables)

    assert (environment.database["HOST"], environment.public_port) == ("h", 81)
