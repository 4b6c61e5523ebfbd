"""Reading records of any kind: the only doors, all filtered by what the person may see."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_core.registry.store import record_type
from crm_core.registry.types import RecordType
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotFound


def live(kind: RecordType) -> QuerySet[Any]:
    """Every record of that kind that is not in the trash; no rights asked: for services only."""
    return kind.model._default_manager.filter(deleted_at=None)


def visible_to(user: User, kind: RecordType | str, verb: str = "view") -> QuerySet[Any]:
    """The records `user` may `verb`, unordered, not in the trash, ready to render."""
    kind = record_type(kind) if isinstance(kind, str) else kind
    rows = live(kind)
    condition = rules.reach(user, kind.name, verb)
    if condition is not None:
        rows = rows.filter(condition)
    return rows.select_related(*kind.related) if kind.related else rows


def trash_of(user: User, kind: RecordType) -> QuerySet[Any]:
    """Deleted records the person may restore, last deleted first."""
    rows = kind.model._default_manager.filter(deleted_at__isnull=False)
    condition = rules.reach(user, kind.name, "delete")
    if condition is not None:
        rows = rows.filter(condition)
    return rows.order_by("-deleted_at", "-pk")


def get_visible(
    user: User,
    kind: RecordType | str,
    record_id: int,
    verb: str = "view",
    annotations: dict[str, Any] | None = None,
) -> Any:
    """One record the person may see.

    Raises:
        NotFound: absent, in the trash or hidden; the three are told apart to nobody.
    """
    rows = visible_to(user, kind, verb).annotate(**(annotations or {}))
    record = rows.filter(pk=record_id).first()
    if record is None:
        raise NotFound(_("This record does not exist, or is not open to you."))
    return record
