"""Word between processes that the register has changed, so that each reads hosts anew at once.

A counter in Redis, and a channel on which each process hears that it was counted up. Asking for the
counter is a trip to Redis, 50 to 60 µs, nearly all of it the waiting; seeing that nothing was said
costs 3. A line may be dead without a sign, so the counter is asked for each second all the same.
While Redis is away, what a process remembers ends by time alone (`queries.HOST_CACHE_SECONDS`).
"""

import functools
import logging
import os
import threading
import time

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

from crm_platform.kernel import tenancy

logger = logging.getLogger("rapport.tenants")
KEY = f"{tenancy.PLATFORM.id}:register:generation"
CHANNEL = f"{tenancy.PLATFORM.id}:register"
PATIENCE_SECONDS = 0.25
LEAVE_ALONE_SECONDS = 5.0
TRUST_SECONDS = 1.0
"""How long a counter is taken to stand where nothing was heard."""


class _Listener:
    """One process's line to Redis and what it knows of the counter."""

    def __init__(self, address: str) -> None:
        # A line that broke is to be noticed, not mended silently: something may have been missed.
        self._client = redis.Redis.from_url(
            address, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )  # fmt: skip
        self._lock = threading.Lock()
        self._line: PubSub | None = None
        self._generation = ""
        self._look_at = 0.0

    def generation(self) -> str:
        """The counter as of now; empty while Redis is away."""
        with self._lock:
            try:
                if self._may_have_changed():
                    found = self._client.get(KEY)
                    self._generation = found.decode() if isinstance(found, bytes) else ""
                    self._look_at = time.monotonic() + TRUST_SECONDS
            except redis.RedisError:
                logger.warning("Redis is away: hosts are remembered by time alone")
                self._hang_up()
                self._generation = ""
                self._look_at = time.monotonic() + LEAVE_ALONE_SECONDS
            return self._generation

    def spread(self) -> None:
        """Count up and say so; what was said is with the listeners before this returns."""
        try:
            self._client.incr(KEY)
            self._client.publish(CHANNEL, "")
            # Redis answers a publisher before it has written to all who listen, but it has written
            # to them before it reads the next command.
            self._client.ping()
        except redis.RedisError:
            logger.warning("Redis is away: others see this change of the register by time alone")

    def _may_have_changed(self) -> bool:
        """Whether the counter must be asked for."""
        is_due = time.monotonic() >= self._look_at
        if self._line is None:
            if is_due:
                self._listen()
            return is_due
        try:
            has_heard = False
            while self._line.get_message(timeout=0):
                has_heard = True
        except redis.RedisError:
            self._hang_up()
            self._listen()
            return True
        return has_heard or is_due

    def _listen(self) -> None:
        line: PubSub = self._client.pubsub()  # type: ignore[no-untyped-call]  # of redis
        line.subscribe(CHANNEL)  # type: ignore[no-untyped-call]
        line.get_message(timeout=PATIENCE_SECONDS)  # from its answer on nothing is missed
        self._line = line

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None


@functools.cache
def _listener(address: str, _process: int) -> _Listener:
    return _Listener(address)


def _own_listener() -> _Listener:
    # A forked process must not read from its parent's line.
    return _listener(str(settings.CACHES["default"]["LOCATION"]), os.getpid())


def generation() -> str:
    """Which state of the register is the newest; empty when nobody can tell."""
    return _own_listener().generation()


def spread() -> None:
    """Tell every process, once the running transaction is kept."""
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(lambda: _own_listener().spread(), robust=True)
    else:
        _own_listener().spread()
