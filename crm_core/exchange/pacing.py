"""How an import makes room for the neighbours: it rests between chunks, and gives up its turn."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from crm_platform.kernel import counting
from crm_platform.kernel.tasks import keep_place

TURN = dt.timedelta(seconds=15)
"""After so long another company's work is let in; ours goes on behind it."""
ALWAYS, BUSY = 0.15, 1.0
"""Rest as a share of the time a chunk took: on a quiet database, and on a busy one."""
BUSY_FROM = 1.6
"""How many times longer than the quickest chunk's a row takes where somebody else is at work."""
LONGEST_REST = 5.0
Clock = Callable[[], dt.datetime]
Rest = Callable[[float], object]


@dataclass(frozen=True, slots=True)
class Came:
    """How a run ended: done, unless it has a `ticket` for the next turn, or seconds to wait.

    `wait_seconds`: for so long another worker holds the job.
    """

    wait_seconds: int = 0
    ticket: UUID | None = None


def no_rest(_seconds: float) -> None:
    """For a command that has the machine to itself."""


class Pace:
    """Measures chunks, and says how long to rest after each."""

    def __init__(self) -> None:
        self._quickest = 0.0

    def after(self, *, rows: int, seconds: float) -> float:
        """Seconds to rest after a chunk of `rows` that took `seconds`."""
        if rows <= 0 or seconds <= 0:
            return 0.0
        a_row = seconds / rows
        self._quickest = min(self._quickest or a_row, a_row)
        share = BUSY if a_row > BUSY_FROM * self._quickest else ALWAYS
        return min(LONGEST_REST, share * seconds)


class Pacer:
    """The clock of a run, with its rests and its end."""

    def __init__(self, clock: Clock, rest: Rest, until: dt.datetime | None) -> None:
        self.clock, self._rest, self._until, self._pace = clock, rest, until, Pace()

    def after_chunk(self, *, rows: int, began: dt.datetime) -> bool:
        """Rest as the pace asks; False where the turn is over."""
        now = self.clock()
        keep_place(at=now)
        counting.use("import_rows", at=now, count=rows)
        if self._until and now >= self._until:
            return False
        self._rest(self._pace.after(rows=rows, seconds=(now - began).total_seconds()))
        return True
