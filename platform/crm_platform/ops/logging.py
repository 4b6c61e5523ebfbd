"""One log line a thing that happened, with who and where: JSON for machines, text for people."""

import logging
import logging.config
from contextvars import ContextVar
from typing import Any

from celery import current_task
from django.utils.functional import SimpleLazyObject, empty

from crm_platform.kernel import tenancy

request_in_hand: ContextVar[Any] = ContextVar("rapport_request", default=None)
"""The request this code serves; `ops.middleware.RequestLog` sets it."""

JSON_FIELDS = (
    "%(asctime)s %(levelname)s %(name)s %(message)s %(company)s %(user)s %(request_id)s %(task)s"
)
TEXT_LINE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s%(whose)s"
TEXT_TIME = "%H:%M:%S"


class Whereabouts(logging.Filter):
    """Adds company, user, request and task to every record; asks no database."""

    def filter(self, record: logging.LogRecord) -> bool:
        named = whereabouts()
        record.__dict__.update(named)
        found = " ".join(f"{name}={value}" for name, value in named.items() if value)
        record.whose = f" [{found}]" if found else ""
        return True


def whereabouts() -> dict[str, str | None]:
    """Company, user, request and task of the running code; None where there is none."""
    user, request_id = _user_and_request()
    return {"company": _company(), "user": user, "request_id": request_id, "task": _task()}


def _company() -> str | None:
    scope = tenancy.current_or_none()
    return str(scope.id) if scope is not None and scope.id.int else None


def _user_and_request() -> tuple[str | None, str | None]:
    request = request_in_hand.get()
    if request is None:
        return None, None
    user = request.__dict__.get("user")
    if isinstance(user, SimpleLazyObject) and user.__dict__.get("_wrapped", empty) is empty:
        user = None  # nobody has looked yet, and a log line must not be the first to ask
    key = getattr(user, "pk", None)
    return (str(key) if key is not None else None), getattr(request, "request_id", None)


def _task() -> str | None:
    request = getattr(current_task, "request", None)
    return getattr(request, "id", None)


def configuration(*, level: str, format: str) -> dict[str, Any]:  # noqa: A002  the settings' word
    """A `dictConfig` for `level` and for `format` json or text."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"whereabouts": {"()": Whereabouts}},
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": JSON_FIELDS,
                "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
            },
            "text": {"format": TEXT_LINE, "datefmt": TEXT_TIME},
        },
        "handlers": {
            "out": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": format,
                "filters": ["whereabouts"],
            }
        },
        "root": {"level": level, "handlers": ["out"]},
        "loggers": {
            "django.request": {"level": "ERROR"},  # 404 and 403 are in the access line already
            "celery.beat": {"level": "WARNING"},
            "gunicorn.error": {"handlers": [], "propagate": True},
            # It warns of each connection we end on purpose, after so many companies.
            "psycopg.pool": {"level": "ERROR"},
            "botocore": {"level": "WARNING"},
            "stripe": {"level": "WARNING"},  # it would name customers at every request
            "kombu": {"level": "WARNING"},
            "amqp": {"level": "WARNING"},
        },
    }


def configure(settings: dict[str, str]) -> None:
    """Django's LOGGING_CONFIG: `settings` is LOGGING, with the keys `level` and `format`."""
    logging.config.dictConfig(configuration(level=settings["level"], format=settings["format"]))
