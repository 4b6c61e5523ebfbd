"""The peer's time: a clock that stands still unless told, and what is planned for later."""

import calendar
import datetime as dt
import heapq
import itertools
import time
from dataclasses import dataclass, field

START = int(dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp())
DAY, HOUR = 86_400, 3_600


@dataclass
class Timeline:
    """One line of time: the peer's own, or that of a test clock."""

    frozen: int | None = START
    agenda: list = field(default_factory=list)
    counter: itertools.count = field(default_factory=itertools.count)

    def now(self) -> int:
        """Unix seconds; of the real time if the line is not frozen."""
        return int(time.time()) if self.frozen is None else self.frozen

    def plan(self, when: int, action: str, ident: str) -> None:
        """Have `action` done for an object then; it is for the action to see whether it still
        applies.
        """
        heapq.heappush(self.agenda, (when, next(self.counter), action, ident))

    def is_due(self, until: int) -> bool:
        return bool(self.agenda) and self.agenda[0][0] <= until

    def due(self, until: int) -> tuple[int, str, str] | None:
        """The next planned action up to then, taken off the agenda."""
        if self.is_due(until):
            when, _, action, ident = heapq.heappop(self.agenda)
            return when, action, ident
        return None


def after(anchor: int, interval: str, count: int) -> int:
    """`count` days, weeks, months or years after the anchor, on its day of the month or the last.

    Source: Stripe, "Set the subscription billing cycle" (31 January, 28 February, 31 March).
    """
    start = dt.datetime.fromtimestamp(anchor, dt.UTC)
    if interval in {"day", "week"}:
        return anchor + count * DAY * (7 if interval == "week" else 1)
    months = start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def period_at(anchor: int, interval: str, interval_count: int, at: int) -> tuple[int, int]:
    """The period that holds `at`; periods follow one another from the anchor on, both ways."""
    lengths = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY, "year": 366 * DAY}
    count = (at - anchor) // (lengths[interval] * interval_count)
    while after(anchor, interval, (count + 1) * interval_count) <= at:
        count += 1
    while after(anchor, interval, count * interval_count) > at:
        count -= 1
    return (
        after(anchor, interval, count * interval_count),
        after(anchor, interval, (count + 1) * interval_count),
    )
