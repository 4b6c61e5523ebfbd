"""Slowing down guessing: tries are counted per thing and place, in the company's own table."""

import datetime as dt
import math
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import ngettext

from crm_platform.identity.models import Attempt
from crm_platform.identity.onetime import hash_of
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import TooMany


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries of one `kind` and key within `window`."""

    kind: str
    most: int
    window: dt.timedelta


_QUARTER, _HOUR = dt.timedelta(minutes=15), dt.timedelta(hours=1)
SIGN_IN = Limit("sign_in", 5, _QUARTER)
SIGN_IN_PLACE = Limit("sign_in_place", 50, _QUARTER)
PASSWORD = Limit("password", 5, _QUARTER)
RESET = Limit("reset", 3, _HOUR)
RESET_PLACE = Limit("reset_place", 20, _HOUR)
SIGN_UP = Limit("sign_up", 4, _HOUR)
SIGN_UP_PLACE = Limit("sign_up_place", 20, _HOUR)
INVITE = Limit("invite", 100, _HOUR)
ASK_OPERATORS = Limit("ask_operators", 3, dt.timedelta(hours=12))
SECOND_FACTOR = Limit("second_factor", 5, _QUARTER)
KEPT = dt.timedelta(days=1)


def _key_hash(limit: Limit, key: str) -> str:
    return hash_of(f"{tenancy.current().id}:{limit.kind}:{key}")


def demand_room(limit: Limit, key: str, *, at: dt.datetime) -> None:
    """Refuse one more try when the window is full. One query.

    Raises:
        TooMany: says in how many minutes to try again.
    """
    newest = list(
        Attempt.objects.filter(
            kind=limit.kind, key_hash=_key_hash(limit, key), at__gt=at - limit.window
        ).order_by("-at").values_list("at", flat=True)[: limit.most]
    )  # fmt: skip
    if len(newest) < limit.most:
        return
    wait = newest[-1] + limit.window - at
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    raise TooMany(
        ngettext(
            "Too many tries. Try again in %(count)d minute.",
            "Too many tries. Try again in %(count)d minutes.",
            minutes,
        )
        % {"count": minutes}
    )


def note(limit: Limit, key: str, *, at: dt.datetime) -> None:
    """Count one try. It must be kept, so it is not undone with a refused service."""
    Attempt.objects.create(kind=limit.kind, key_hash=_key_hash(limit, key), at=at)


def count_one(limit: Limit, key: str, *, at: dt.datetime) -> None:
    """`demand_room`, then `note`.

    Raises:
        TooMany: the window is full.
    """
    demand_room(limit, key, at=at)
    note(limit, key, at=at)


def forget(limit: Limit, key: str) -> None:
    Attempt.objects.filter(kind=limit.kind, key_hash=_key_hash(limit, key)).delete()


def queue_up(limit: Limit, key: str) -> None:
    """Let only one request at a time try this key, until its transaction ends.

    Otherwise a hundred guesses at once would all see an empty window.
    """
    number = int(_key_hash(limit, key)[:15], 16)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
