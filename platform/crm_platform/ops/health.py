"""What a load balancer asks: does the process live, and can it serve."""

import functools
import logging
from collections.abc import Callable

from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.utils import InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError

from crm_platform.kernel import tenancy

logger = logging.getLogger("rapport.health")
FAILURES = (DatabaseError, InterfaceError, RedisError, OSError)


class NotReady(Exception):
    """One part is not there; `str(error)` is a sentence for the operator, without secrets."""


def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers; asks nothing of anybody."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """PostgreSQL, Redis and the platform's tables: 200 when all are there, otherwise 503."""
    checks = {name: _outcome(name, check) for name, check in CHECKS.items()}
    ready = all(outcome == "ok" for outcome in checks.values())
    return JsonResponse(
        {"ready": ready, "checks": checks},
        status=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


def _outcome(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except NotReady as error:
        return str(error)
    except FAILURES as error:
        logger.warning("%s is not ready: %s", name, error)
        return "does not answer"
    return "ok"


def _postgresql() -> None:
    _ask_platform("SELECT 1")


def _redis() -> None:
    with tenancy.choose(tenancy.PLATFORM):
        caches["default"].has_key("readyz")


def _migrations() -> None:
    rows = _ask_platform("SELECT app, name FROM django_migrations")
    applied = {(app, name) for app, name in rows}
    missing = sorted(_expected_migrations() - applied)
    if missing:
        raise NotReady(f"{len(missing)} not applied, first {missing[0][0]}.{missing[0][1]}")


def _ask_platform(statement: str) -> list[tuple[str, ...]]:
    with tenancy.unit_of_work(tenancy.PLATFORM), connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@functools.cache
def _expected_migrations() -> frozenset[tuple[str, str]]:
    """The last migration of each of the platform's apps, as this release's code has them."""
    names = set(settings.SHARED_APPS)
    labels = {config.label for config in apps.get_app_configs() if config.name in names}
    leaves = MigrationLoader(None).graph.leaf_nodes()
    return frozenset(leaf for leaf in leaves if leaf[0] in labels)


CHECKS: dict[str, Callable[[], None]] = {
    "postgresql": _postgresql,
    "redis": _redis,
    "migrations": _migrations,
}
