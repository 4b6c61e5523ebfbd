"""Room for one more record, where the company's plan holds only so many of its kind."""

from crm_core.registry.queries import live
from crm_core.registry.store import record_types
from crm_core.registry.types import RecordType
from crm_platform.kernel import limits
from crm_platform.kernel.limits import Limit


def count(limit: Limit) -> int:
    """How many records count towards `limit`, without the trash. One query a kind of record."""
    return sum(live(kind).count() for kind in record_types() if kind.limit is limit)


def left(limit: Limit) -> int | None:
    """How many more may be made; None: any number. See `limits.room_for`."""
    return limits.room_for(limit, lambda: count(limit))


def demand(kind: RecordType) -> None:
    """Refuse one more record of this kind where the plan is full.

    Taking records back from the trash is never refused: it undoes.

    Raises:
        PlanLimitReached: it is.
    """
    if kind.limit is not None:
        limit = kind.limit
        limits.demand_room(limit, lambda: count(limit))
