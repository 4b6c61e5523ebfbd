"""What a change in the middle of a paid period costs: by the second, exact to the smallest unit."""

import calendar
import datetime as dt
from dataclasses import dataclass

from billing.currencies import charged

MONTH, YEAR = "month", "year"
MONTHS = {MONTH: 1, YEAR: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to, not including, `end`; aware moments."""

    start: dt.datetime
    end: dt.datetime

    @property
    def seconds(self) -> int:
        return int((self.end - self.start).total_seconds())

    def left(self, at: dt.datetime) -> int:
        """Whole seconds from `at` to the end, never more than the period has."""
        return min(max(int((self.end - at).total_seconds()), 0), self.seconds)


def after(anchor: dt.datetime, interval: str, count: int = 1) -> dt.datetime:
    """`count` intervals after the anchor, on its day of the month or the last one there is.

    Always counted from the anchor, so that 31 January, 28 February, 31 March do not wear down
    to the 28th.
    """
    months = anchor.month - 1 + MONTHS[interval] * count
    year, month = anchor.year + months // 12, months % 12 + 1
    day = min(anchor.day, calendar.monthrange(year, month)[1])
    return anchor.replace(year=year, month=month, day=day)


def period_of(anchor: dt.datetime, interval: str, at: dt.datetime) -> Period:
    """The period that holds `at`; periods follow one another from the anchor on."""
    count = 0
    if at > anchor:
        months = (at.year - anchor.year) * 12 + at.month - anchor.month
        count = max(months // MONTHS[interval] - 1, 0)
    while after(anchor, interval, count + 1) <= at:
        count += 1
    return Period(after(anchor, interval, count), after(anchor, interval, count + 1))


def prorated(
    *, unit_amount: int, seats: int, period: Period, at: dt.datetime, currency: str
) -> int:
    """What `seats` more (or, negative, fewer) cost from `at` to the end of the period."""
    return charged(unit_amount * seats * period.left(at), period.seconds, currency)
