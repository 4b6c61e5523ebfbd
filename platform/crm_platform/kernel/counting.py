"""Counts shared by every process, in Redis, under the company's key.

Counting protects the neighbours; it is never needed to be right. While Redis is away nothing is
counted and nobody is stopped: that is logged, and Redis is left alone for a few seconds.
"""

import datetime as dt
import functools
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from crm_platform.kernel import tenancy

logger = logging.getLogger("rapport.counting")
PATIENCE_SECONDS = 0.25
LEAVE_ALONE_SECONDS = 5.0
WINDOW_SECONDS = 60
KEPT_DAYS = 2
_away_until: dict[str, float] = {}

# A sliding window of two counters: the last minute's counts by the part of it still in sight.
# All or none of the counters are counted up, so that a refused request costs no allowance.
WITHIN = """
local seen = {}
for i = 1, #ARGV - 2 do
  local now = tonumber(redis.call('GET', KEYS[2 * i - 1]) or 0)
  local before = tonumber(redis.call('GET', KEYS[2 * i]) or 0)
  seen[i] = now + math.floor(before * tonumber(ARGV[#ARGV - 1]))
end
for i = 1, #ARGV - 2 do
  if seen[i] >= tonumber(ARGV[i]) then return {i, unpack(seen)} end
end
for i = 1, #ARGV - 2 do
  redis.call('INCR', KEYS[2 * i - 1])
  redis.call('EXPIRE', KEYS[2 * i - 1], tonumber(ARGV[#ARGV]))
end
return {0, unpack(seen)}
"""
TAKE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local held = redis.call('ZSCORE', KEYS[1], ARGV[4])
if not held and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) - tonumber(ARGV[1]))
return 1
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter after a request: its limit, what is left, and seconds until it is fresh."""

    limit: int
    left: int
    reset_seconds: int
    is_over: bool = False


@functools.cache
def _client(address: str) -> Any:
    return redis.Redis.from_url(
        address, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )


def _address() -> str:
    return str(settings.CACHES["default"]["LOCATION"])


def _is_away() -> bool:
    return time.monotonic() < _away_until.get(_address(), 0.0)


def _ask(what: str, *arguments: Any) -> Any:
    """Run one command; None while Redis is away."""
    if _is_away():
        return None
    address = _address()
    try:
        return _client(address).execute_command(what, *arguments)
    except redis.RedisError:
        _away_until[address] = time.monotonic() + LEAVE_ALONE_SECONDS
        logger.warning("Redis is away: nothing is counted, and no limit holds meanwhile")
        return None


def _key(name: str, company_id: UUID | None = None) -> str:
    return f"{company_id or tenancy.current().id}:{name}"


def within(counters: Sequence[tuple[str, int]], *, at: dt.datetime) -> list[Counted]:
    """Count one request on each `(name, limit a minute)` of the company, unless one is used up.

    Answers in the same order; a refused request is counted nowhere. Empty while Redis is away.
    """
    window, elapsed = divmod(at.timestamp(), WINDOW_SECONDS)
    keys = [
        _key(f"within:{name}:{int(window) - back}") for name, _limit in counters for back in (0, 1)
    ]
    limits = [limit for _name, limit in counters]
    still_seen = 1 - elapsed / WINDOW_SECONDS
    found = _ask("EVAL", WITHIN, len(keys), *keys, *limits, still_seen, 2 * WINDOW_SECONDS)
    if found is None:
        return []
    over, *seen = found
    reset = int(WINDOW_SECONDS - elapsed) + 1  # a moment into the next minute, when one slid out
    return [
        Counted(limit, max(0, limit - count - (not over)), reset, is_over=over == place)
        for place, (limit, count) in enumerate(zip(limits, seen, strict=True), start=1)
    ]


def take_place(
    name: str, holder: str, *, most: int, lease: dt.timedelta, at: dt.datetime
) -> bool:  # fmt: skip
    """Take (or keep) one of the company's `most` places for `holder`, until `lease` has passed.

    A holder that died gives its place back by time alone.
    """
    now = int(at.timestamp() * 1000)
    until = now + int(lease.total_seconds() * 1000)
    found = _ask("EVAL", TAKE, 1, _key(f"places:{name}"), now, until, most, holder)
    return found is None or bool(found)


def leave_place(name: str, holder: str) -> None:
    _ask("ZREM", _key(f"places:{name}"), holder)


def places_taken(name: str, company_id: UUID, *, at: dt.datetime) -> int | None:
    """How many places of a company are taken; None while Redis is away."""
    found = _ask("ZCOUNT", _key(f"places:{name}", company_id), int(at.timestamp() * 1000), "+inf")
    return None if found is None else int(found)


def first(name: str, *, seconds: float) -> bool:
    """Whether nobody of the company asked for this name within the last `seconds`."""
    key, until = _key(f"first:{name}"), max(1, int(seconds * 1000))
    return bool(_ask("SET", key, "1", "NX", "PX", until)) or _is_away()


def use(what: str, *, at: dt.datetime, count: int = 1) -> None:
    """Add to what the company used today (UTC)."""
    key = _key(f"used:{at:%Y-%m-%d}")
    if _ask("HINCRBY", key, what, count) == count:
        _ask("EXPIRE", key, KEPT_DAYS * 86_400)


def used(company_id: UUID, *, at: dt.datetime) -> dict[str, int] | None:
    """What a company used on the day of `at` (UTC), by name; None while Redis is away."""
    found = _ask("HGETALL", _key(f"used:{at:%Y-%m-%d}", company_id))
    if found is None:
        return None
    rows = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
    return {name.decode(): int(count) for name, count in rows}
