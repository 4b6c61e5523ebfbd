"""What a company holds of all that its plan may limit, and how near to the limit that is."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.text import capfirst

from crm_core.fields.queries import fields_in_use
from crm_core.registry import room
from crm_core.sales.queries import pipelines_in_use
from crm_platform.kernel import tenancy
from crm_platform.kernel.limits import (
    ENTITLEMENTS,
    Limit,
    allowance_of,
    level_of,
    limit_words,
    reached,
)
from tenants.queries import schema_size

MIB = 1024 * 1024


CONFIGURED = {Limit.PIPELINES: pipelines_in_use, Limit.CUSTOM_FIELDS: fields_in_use}
"""What whole configurations bring along: a starting point, a rehearsal."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One thing a plan holds; `most` is None where it is not limited."""

    kind: Limit
    used: int
    most: int | None

    @property
    def label(self) -> str:
        return capfirst(limit_words(self.kind))

    @property
    def percent(self) -> int:
        """Of the limit, at most 100; 0 where there is none."""
        return min(self.used * 100 // self.most, 100) if self.most else (100 if self.level else 0)

    @property
    def level(self) -> int:
        return level_of(self.used, self.most)


def counted() -> dict[str, int]:
    """{kind: how much} of the running unit of work's company. Five queries."""
    return {
        Limit.CONTACTS.value: room.count(Limit.CONTACTS),
        Limit.PIPELINES.value: pipelines_in_use(),
        Limit.CUSTOM_FIELDS.value: fields_in_use(),
        Limit.STORAGE_MB.value: -(-schema_size() // MIB),
    }


def usages() -> list[Usage]:
    """Everything a plan may limit, as it stands now. Five queries."""
    found = counted()
    return [Usage(kind, found[kind.value], allowance_of(kind)) for kind in ENTITLEMENTS]


def above(allowed: Mapping[str, int]) -> list[Usage]:
    """What of it the company has more of than `allowed` ({kind: number}) would hold.

    Five queries; none where nothing is limited.
    """
    kinds = [kind for kind in ENTITLEMENTS if kind.value in allowed]
    found = counted() if kinds else {}
    rows = [Usage(kind, found[kind.value], allowed[kind.value]) for kind in kinds]
    return [row for row in rows if row.most is not None and row.used > row.most]


def levels(used: Mapping[str, int], scope: tenancy.Scope) -> dict[str, int]:
    """{kind: percent} of the limits that `used` comes near to or reaches in `scope`."""
    found = {
        kind.value: level_of(used.get(kind.value, 0), allowance_of(kind, scope))
        for kind in ENTITLEMENTS
    }
    return {kind: level for kind, level in found.items() if level}


def configured() -> dict[Limit, int]:
    """How much of `CONFIGURED` there is, where the plan limits it; nothing else is counted."""
    return {kind: count() for kind, count in CONFIGURED.items() if allowance_of(kind) is not None}


def demand_no_more(before: Mapping[Limit, int]) -> None:
    """Refuse a configuration, written already in this transaction, that the plan does not hold.

    `before` is what `configured` said; a company above its limit may change what it has.

    Raises:
        PlanLimitReached: there is more than before, and more than the plan holds.
    """
    for kind, was in before.items():
        now, most = CONFIGURED[kind](), allowance_of(kind)
        if most is not None and now > max(was, most):
            raise reached(kind)
