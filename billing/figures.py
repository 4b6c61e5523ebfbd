"""How what renting brings has moved, from the kept days: month by month, cohort by cohort.

Each currency stands alone; nothing is converted. Reads in the platform's open unit of work.
Source of the definitions: reference/billing.md, section 7 (Metrics).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Q
from django.db.models.functions import TruncMonth

from billing.currencies import charged
from billing.models import MetricDay, MetricSnapshot

MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Held:
    """What one company brought at the end of a day."""

    mrr: int
    seats: int
    began_on: dt.date


Standing = Mapping[UUID, Held]
"""The companies of one currency at the end of one day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One currency from the end of a day to the end of a later one.

    `opening` + `new` + `reactivation` + `expansion` - `contraction` - `churn` = `closing`, exactly.
    """

    opening: int = 0
    new: int = 0
    reactivation: int = 0
    expansion: int = 0
    contraction: int = 0
    churn: int = 0
    closing: int = 0
    companies_before: int = 0
    companies_new: int = 0
    companies_back: int = 0
    companies_lost: int = 0
    companies: int = 0
    seats: int = 0

    @property
    def change(self) -> int:
        return self.closing - self.opening

    @property
    def logo_churn_permille(self) -> int | None:
        """Companies lost of those there were before; None where there were none."""
        return _permille(self.companies_lost, self.companies_before)

    @property
    def gross_retention_permille(self) -> int | None:
        """What is left of the opening MRR without anything gained."""
        return _permille(self.opening - self.contraction - self.churn, self.opening)

    @property
    def net_retention_permille(self) -> int | None:
        """What the companies of the opening bring at the end."""
        kept = self.opening + self.expansion - self.contraction - self.churn
        return _permille(kept, self.opening)

    @property
    def seats_permille(self) -> int | None:
        """Seats a company, in thousandths."""
        return _permille(self.seats, self.companies)

    def arpa(self, currency: str) -> int:
        """MRR a company, in whole steps of the currency; 0 without companies."""
        return charged(self.closing, self.companies, currency) if self.companies else 0

    def lifetime_value(self, currency: str, *, margin_percent: int) -> int | None:
        """ARPA × margin ÷ logo churn of the month; None at churn 0: there is no such number."""
        if not self.companies_lost or not self.companies:
            return None
        return charged(
            self.closing * margin_percent * self.companies_before,
            self.companies * 100 * self.companies_lost, currency,
        )  # fmt: skip


def _permille(part: int, whole: int) -> int | None:
    return (2000 * part + whole) // (2 * whole) if whole else None


def margin_percent() -> int:
    """The share of what comes in that is left after running the service."""
    return int(settings.BILLING["margin_percent"])


def moved(before: Standing, after: Standing, *, since: dt.date) -> Movement:
    """The movement between two standings of one currency; `since` is the first one's day.

    A company that is there only afterwards is new if it first rented after `since`, else it has
    come back.
    """
    sums = dict.fromkeys(("new", "reactivation", "expansion", "contraction", "churn"), 0)
    heads = dict.fromkeys(("new", "back", "lost"), 0)
    for key in {*before, *after}:
        was, now = before.get(key), after.get(key)
        if was is None and now is not None:
            is_new = now.began_on > since
            sums["new" if is_new else "reactivation"] += now.mrr
            heads["new" if is_new else "back"] += 1
        elif was is not None and now is None:
            sums["churn"] += was.mrr
            heads["lost"] += 1
        elif was is not None and now is not None:
            difference = now.mrr - was.mrr
            sums["expansion" if difference > 0 else "contraction"] += abs(difference)
    return Movement(
        **sums, opening=sum(each.mrr for each in before.values()),
        closing=sum(each.mrr for each in after.values()), companies_before=len(before),
        companies_new=heads["new"], companies_back=heads["back"], companies_lost=heads["lost"],
        companies=len(after), seats=sum(each.seats for each in after.values()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one currency; `until` is the last day of it that is kept."""

    begins: dt.date
    until: dt.date
    movement: Movement


@dataclass(frozen=True, slots=True)
class Cohort:
    """Companies that began to rent in one month: how many, and MRR, at each month's end since.

    The first of each is the month they began in, of which the others are shares.
    """

    begins: dt.date
    counts: tuple[int, ...]
    amounts: tuple[int, ...]

    @property
    def company_shares(self) -> tuple[int | None, ...]:
        """Percent of the companies still there at each month's end; None where none began."""
        return tuple(_percent(each, self.counts[0]) for each in self.counts)

    @property
    def amount_shares(self) -> tuple[int | None, ...]:
        """Percent of the MRR still there (net retention) at each month's end."""
        return tuple(_percent(each, self.amounts[0]) for each in self.amounts)


def _percent(part: int, whole: int) -> int | None:
    return (200 * part + whole) // (2 * whole) if whole else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything of one currency, oldest month first."""

    currency: str
    months: tuple[Month, ...]
    cohorts: tuple[Cohort, ...]

    @property
    def latest(self) -> Month:
        return self.months[-1]


def month_ends(*, count: int = MONTHS_SHOWN + 1) -> list[dt.date]:
    """The last kept day of each of the newest months, oldest first. One query."""
    rows = (
        MetricDay.objects.annotate(month=TruncMonth("day")).values("month")
        .annotate(until=Max("day")).order_by("-month").values_list("until", flat=True)
    )  # fmt: skip
    return sorted(rows[:count])


def currencies(ends: Sequence[dt.date]) -> list[str]:
    """Currencies of these days, the one with most companies on the last first. One query."""
    if not ends:
        return []
    rows = (
        MetricSnapshot.objects.filter(day__in=ends).values("currency")
        .annotate(now=Count("pk", filter=Q(day=ends[-1]))).order_by("-now", "currency")
    )  # fmt: skip
    return [row["currency"] for row in rows]


def was_filled(day: dt.date) -> bool:
    """Whether a kept day was taken late."""
    return MetricDay.objects.filter(day=day, is_filled=True).exists()


def figures_of(
    currency: str, ends: Sequence[dt.date], *, count: int = MONTHS_SHOWN
) -> Figures | None:
    """The months of a currency that end so; None before a day is kept. One query.

    One end more than `count` is what the oldest month opens with.
    """
    if not ends:
        return None
    standings = standings_of(currency, ends)
    months = tuple(_months(ends, standings))
    return Figures(currency, months[-count:], tuple(_cohorts(ends, standings)))


def standings_of(currency: str, days: Sequence[dt.date]) -> dict[dt.date, dict[UUID, Held]]:
    """Each day's companies. One query."""
    found: dict[dt.date, dict[UUID, Held]] = {day: {} for day in days}
    rows = MetricSnapshot.objects.filter(currency=currency, day__in=days)
    for day, company_id, mrr, seats, began_on in rows.values_list(
        "day", "company_id", "mrr", "seats", "began_on"
    ).iterator(chunk_size=5000):
        found[day][company_id] = Held(mrr, seats, began_on)
    return found


def _months(ends: Sequence[dt.date], standings: Mapping[dt.date, Standing]) -> Iterable[Month]:
    """The first month kept opens with nothing: everything in it is new or has come back."""
    before: Standing = {}
    since = dt.date.min
    for until in ends:
        after = standings[until]
        begins = until.replace(day=1)
        if not before and since == dt.date.min:
            since = begins - dt.timedelta(days=1)
        yield Month(begins, until, moved(before, after, since=since))
        before, since = after, until


def _cohorts(ends: Sequence[dt.date], standings: Mapping[dt.date, Standing]) -> Iterable[Cohort]:
    """Companies by the month in which they began, for months that are kept."""
    for place, first in enumerate(ends):
        begins = first.replace(day=1)
        members = [
            [held for held in standings[until].values() if held.began_on.replace(day=1) == begins]
            for until in ends[place:]
        ]
        if members[0]:
            yield Cohort(
                begins, tuple(len(each) for each in members),
                tuple(sum(held.mrr for held in each) for each in members),
            )  # fmt: skip
