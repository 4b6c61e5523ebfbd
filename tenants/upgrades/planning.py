"""Which company goes in which wave, and when: rings, windows in its own time zone, waits."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from crm_platform.ui.middleware import zone_named
from tenants.models import Company

RINGS = (Company.Ring.CANARY, Company.Ring.EARLY, Company.Ring.REST)
MS_A_COMPANY, MS_A_GIGABYTE = 40, 400
"""What a company's transaction takes about, and what its size adds; for an estimate only."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one company stands in a plan."""

    company: Company
    ring: str
    not_before: dt.datetime


def places(
    companies: Iterable[Company], *, at: dt.datetime, early_percent: int, longest_wait: dt.timedelta
) -> list[Place]:
    """Every company with its ring and the moment its turn may come.

    Canaries and volunteers go by their ring; the smallest of the others fill up the early ring.
    Rehearsals go first: they are there to try things on.
    """
    everybody = list(companies)
    rest = [c for c in everybody if _ring_of(c) == Company.Ring.REST]
    extra = {c.pk for c in sorted(rest, key=_smallest)[: len(rest) * early_percent // 100]}
    return [
        Place(c, Company.Ring.EARLY if c.pk in extra else _ring_of(c),
              opens_at(c, at=at, longest_wait=longest_wait))
        for c in everybody
    ]  # fmt: skip


def _ring_of(company: Company) -> str:
    return Company.Ring.CANARY if company.live_id else company.ring


def _smallest(company: Company) -> tuple[int, str]:
    return (company.size_bytes, str(company.pk))


def opens_at(
    company: Company, *, at: dt.datetime, longest_wait: dt.timedelta,
    since: dt.datetime | None = None,
) -> dt.datetime:  # fmt: skip
    """The first moment from `at` on that lies in the company's window and after its wait.

    Rehearsals have no window. A wait ends at the latest `longest_wait` after `since`,
    when the company was enrolled; without it that is `at`.
    """
    first = at
    if company.upgrade_after:
        first = max(at, min(company.upgrade_after, (since or at) + longest_wait))
    if not has_window(company):
        return first
    zone = zone_named(company.time_zone) or dt.UTC
    here = first.astimezone(zone)
    if _is_open(company, here.hour):
        return first
    opening = here.replace(hour=company.window_from, minute=0, second=0, microsecond=0)
    if opening <= here:
        opening += dt.timedelta(days=1)
    return opening.astimezone(dt.UTC)


def has_window(company: Company) -> bool:
    """Whether there are hours in which alone it is upgraded."""
    return company.live_id is None and company.window_from != company.window_to


def _is_open(company: Company, hour: int) -> bool:
    start, end = company.window_from, company.window_to
    return start <= hour < end if start < end else hour >= start or hour < end


def estimate_ms(companies: Iterable[Company]) -> int:
    """About how long the transactions of these take, one after the other."""
    return sum(MS_A_COMPANY + company.size_bytes * MS_A_GIGABYTE // 2**30 for company in companies)


def estimate_by(tried: list[tuple[float, int]], sizes: Iterable[int]) -> float:
    """About how long companies of these `sizes` (bytes) take one after the other, in ms.

    `tried` holds what dry runs took: (ms, bytes), at least one. The quickest is what any company
    costs; what a byte adds is taken from the one where it added most.
    """
    fixed = min(took for took, _size in tried)
    a_byte = max((took - fixed) / size if size else 0.0 for took, size in tried)
    return sum(fixed + a_byte * size for size in sizes)
