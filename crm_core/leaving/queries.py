"""Reading packages."""

import datetime as dt
from typing import Any

from django.core.cache import cache
from django.db.models import Q, QuerySet

from crm_core.leaving.models import ExitPackage
from crm_core.leaving.rules import MOST_ATTEMPTS
from crm_platform.kernel.errors import NotFound

State = ExitPackage.State
OPEN = (State.WAITING, State.RUNNING)


def packages() -> QuerySet[ExitPackage]:
    """Every package of the company, newest first."""
    return ExitPackage.objects.select_related("actor").order_by("-created_at", "-pk")


def get_package(package_id: int) -> ExitPackage:
    """One package.

    Raises:
        NotFound: there is none.
    """
    found = packages().filter(pk=package_id).first()
    if found is None:
        raise NotFound("This package does not exist.")
    return found


def waiting_ids(at: dt.datetime) -> list[int]:
    """Packages a worker should be called for: those that wait, and those whose worker died."""
    is_free = Q(lease_until=None) | Q(lease_until__lt=at)
    rows = ExitPackage.objects.filter(is_free, state__in=OPEN, attempts__lt=MOST_ATTEMPTS)
    return [pk for pk in rows.values_list("pk", flat=True) if not progress(pk)["is_alive"]]


def expired(at: dt.datetime) -> list[ExitPackage]:
    return list(ExitPackage.objects.filter(state=State.DONE, expires_at__lte=at))


def progress(package_id: int) -> dict[str, Any]:
    """How many parts of how many are written, and whether a worker said so lately."""
    done, total = cache.get(_key(package_id)) or (0, 0)
    return {"done": done, "total": total, "is_alive": bool(total)}


def say_progress(package_id: int, done: int, total: int) -> None:
    """Tell pages how far it is; forgotten after two minutes of silence."""
    cache.set(_key(package_id), (done, total), timeout=120)


def forget_progress(package_id: int) -> None:
    cache.delete(_key(package_id))


def _key(package_id: int) -> str:
    return f"exit-package:{package_id}"
