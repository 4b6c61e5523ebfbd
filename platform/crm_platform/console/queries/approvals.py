"""Reading what waits for a second person."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from crm_platform.console.models import Approval
from tenants.models import Company

MOST_SHOWN = 100
NAMED = 8
"""How many companies of one request are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request with its companies' names (the first few) and their outcomes."""

    approval: Approval
    companies: list[tuple[UUID, str, str]]
    more: int
    is_open: bool


def approvals(*, at: dt.datetime) -> list[Row]:
    """Requests, newest first. Two queries."""
    found = list(Approval.objects.all()[:MOST_SHOWN])
    shown = {key for row in found for key in row.company_ids[:NAMED]}
    names = {
        str(pk): name for pk, name in Company.objects.filter(pk__in=shown).values_list("pk", "name")
    }
    return [
        Row(
            row,
            [(UUID(key), names.get(key, key), row.outcome.get(key, ""))
             for key in row.company_ids[:NAMED]],
            max(0, len(row.company_ids) - NAMED),
            row.state == Approval.State.ASKED and row.expires_at > at,
        )
        for row in found
    ]  # fmt: skip


def chosen(ids: list[str]) -> list[Company]:
    """The companies of ids as a form sends them; what is no id is left out."""
    good = []
    for text in ids[:1000]:
        try:
            good.append(UUID(text))
        except ValueError:
            continue
    return list(Company.objects.filter(pk__in=good).order_by("pk"))
