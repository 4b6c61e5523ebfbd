"""The states of a company as data: what works in each, who may move it where, and for how long."""

import datetime as dt
import enum

from django.conf import settings

from tenants.models import Company

State = Company.State

WORKS = frozenset({State.TRIAL, State.ACTIVE, State.PAST_DUE})
"""Everything works."""
READS = WORKS | {State.READ_ONLY}
"""People sign in, read, search and export."""
BARRED = frozenset({State.SUSPENDED, State.CLOSED})
"""Only its owners come in, and only to ask for it back."""
GONE = frozenset({State.DELETED, State.ERASED})
"""Its hosts are unknown."""
STANDING = READS | BARRED
"""It has a schema with people in it."""


class Who(enum.StrEnum):
    """On whose behalf a company is moved."""

    OPERATOR = "operator"
    OWNER = "owner"
    BILLING = "billing"
    CLOCK = "clock"


_PAID = frozenset({Who.OPERATOR, Who.BILLING})
_STAFF = frozenset({Who.OPERATOR})
_TIME = frozenset({Who.OPERATOR, Who.CLOCK})
_CLOSERS = frozenset({Who.OPERATOR, Who.OWNER})

MOVES: dict[tuple[State, State], frozenset[Who]] = {
    (State.TRIAL, State.ACTIVE): _PAID,
    (State.TRIAL, State.PAST_DUE): _TIME,
    (State.TRIAL, State.READ_ONLY): _STAFF,
    (State.TRIAL, State.SUSPENDED): _STAFF,
    (State.TRIAL, State.CLOSED): _CLOSERS,
    (State.ACTIVE, State.PAST_DUE): _PAID,
    (State.ACTIVE, State.READ_ONLY): _PAID,  # what was cancelled has run out
    (State.ACTIVE, State.SUSPENDED): _STAFF,
    (State.ACTIVE, State.CLOSED): _CLOSERS,
    (State.PAST_DUE, State.ACTIVE): _PAID,
    (State.PAST_DUE, State.READ_ONLY): _TIME | _PAID,
    (State.PAST_DUE, State.SUSPENDED): _STAFF,
    (State.PAST_DUE, State.CLOSED): _CLOSERS,
    (State.READ_ONLY, State.ACTIVE): _PAID,
    (State.READ_ONLY, State.SUSPENDED): _TIME,
    (State.READ_ONLY, State.CLOSED): _CLOSERS,
    (State.SUSPENDED, State.ACTIVE): _PAID,
    (State.SUSPENDED, State.CLOSED): _TIME,
    # An owner who closed it takes that back: it returns to the state it was in.
    (State.CLOSED, State.TRIAL): _CLOSERS,
    (State.CLOSED, State.ACTIVE): _CLOSERS,
    (State.CLOSED, State.PAST_DUE): _CLOSERS,
    (State.CLOSED, State.READ_ONLY): _CLOSERS,
}
"""Every move there is, and who may make it. Erasing is no move: see `erasure`."""

NEXT = {
    State.TRIAL: State.PAST_DUE,
    State.PAST_DUE: State.READ_ONLY,
    State.READ_ONLY: State.SUSPENDED,
    State.SUSPENDED: State.CLOSED,
    State.CLOSED: State.ERASED,
}
"""Where the clock moves a company whose `state_until` has come."""


def days(name: str) -> int:
    """A number of days from the one table of them in the settings."""
    return int(settings.LIFECYCLE_DAYS[name])


def may_move(source: str, to: str, who: Who) -> bool:
    """Whether there is such a move, and `who` may make it."""
    return who in MOVES.get((State(source), State(to)), frozenset())


def end_of(to: str, *, source: str, who: Who, at: dt.datetime) -> dt.datetime | None:
    """When a state entered at `at` ends by itself; None when somebody has to end it.

    What an operator stopped by hand stays so until an operator decides: the clock closes and
    erases only what ran out.
    """
    if to in (State.READ_ONLY, State.SUSPENDED) and who != Who.CLOCK:
        return None
    if to == State.PAST_DUE and source == State.TRIAL:
        return at + dt.timedelta(days=days("past_due_after_trial"))
    if to not in NEXT:
        return None
    return at + dt.timedelta(days=days(to))


def is_writable(state: str) -> bool:
    """Whether a company in this state is written to; one being made is."""
    return state not in READS | BARRED | GONE or state in WORKS
