"""Word between processes that the register has changed, so that each reads hosts anew at once.

A counter in Redis, looked at once a request (0.1 ms). While Redis is away, what a process
remembers ends by time alone (`queries.HOST_CACHE_SECONDS`).
"""

import functools
import logging
import time

import redis
from django.conf import settings
from django.db import transaction

from crm_platform.kernel import tenancy

logger = logging.getLogger("rapport.tenants")
KEY = f"{tenancy.PLATFORM.id}:register:generation"
PATIENCE_SECONDS = 0.25
LEAVE_ALONE_SECONDS = 5.0
_away_until = 0.0


@functools.cache
def _client(address: str) -> redis.Redis:
    return redis.Redis.from_url(
        address, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )


def _ask(*, counts: bool = False) -> object:
    """Look at the counter, or count it up; None while Redis is away."""
    global _away_until  # noqa: PLW0603  one fact of the process
    if time.monotonic() < _away_until:
        return None
    client = _client(str(settings.CACHES["default"]["LOCATION"]))
    try:
        found = client.incr(KEY) if counts else client.get(KEY)
    except redis.RedisError:
        _away_until = time.monotonic() + LEAVE_ALONE_SECONDS
        logger.warning("Redis is away: hosts are remembered by time alone")
        return None
    return found


def generation() -> str:
    """Which state of the register is the newest; empty when nobody can tell."""
    found = _ask()
    return found.decode() if isinstance(found, bytes) else ""


def spread() -> None:
    """Tell every process, once the running transaction is kept."""
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(lambda: _ask(counts=True), robust=True)
    else:
        _ask(counts=True)
