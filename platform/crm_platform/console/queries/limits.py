"""What one company may ask for, and what it used today."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from crm_platform.console.words import limit_word
from crm_platform.kernel import counting
from crm_platform.kernel.limits import Limit, level_of
from crm_platform.kernel.tasks import LONG
from tenants.models import CompanyLimit
from tenants.queries import limits_in_force


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit of a company: `value` is None where it is not limited.

    `own` is the operators' word while it holds; without it the plan's (`is_of_plan`) or the
    setting's number does. `used` is known of what a plan holds, once the company was surveyed.
    """

    kind: str
    label: str
    value: int | None
    own: CompanyLimit | None
    is_of_plan: bool
    used: int | None

    @property
    def level(self) -> int:
        """How near the limit, as `kernel.limits.level_of`."""
        return level_of(self.used or 0, self.value)


@dataclass(frozen=True, slots=True)
class Used:
    """What a company used since midnight (UTC), and its long jobs at work now."""

    api_requests: int = 0
    api_refused: int = 0
    import_rows: int = 0
    long_ms: int = 0
    at_work: int = 0

    @property
    def long_minutes(self) -> float:
        return round(self.long_ms / 60_000, 1)


def limits(
    company_id: UUID, *, plan: Mapping[str, int], used: Mapping[str, int], at: dt.datetime
) -> list[LimitRow]:
    """Every kind of limit as it stands at `at`. One query."""
    rows = limits_in_force(at).filter(company_id=company_id)
    own = {each.kind: each for each in rows}
    return [
        LimitRow(
            kind=kind.value, label=limit_word(kind.value), own=own.get(kind.value),
            value=own[kind.value].value if kind.value in own
            else plan.get(kind.value, settings.COMPANY_LIMITS.get(kind.value)),
            is_of_plan=kind.value in plan and kind.value not in own,
            used=used.get(kind.value),
        )
        for kind in Limit
    ]  # fmt: skip


def used_today(company_id: UUID, *, at: dt.datetime) -> Used | None:
    """None while Redis is away."""
    found = counting.used(company_id, at=at)
    if found is None:
        return None
    names = ("api_requests", "api_refused", "import_rows", "long_ms")
    at_work = counting.places_taken(LONG, company_id, at=at) or 0
    return Used(**{name: found.get(name, 0) for name in names}, at_work=at_work)
