"""Asking the broker and the workers; both may be away, and then that is the answer."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from crm_platform.kernel.tasks import LONG, SENT_AT

PATIENCE_SECONDS = 0.7
AWAY = (RedisError, OperationalError, OSError)


@dataclass(frozen=True, slots=True)
class Queue:
    """The queues together: how many wait, since when the oldest does (None: unknown), are taken.

    `waiting_long` of them are long jobs.
    """

    waiting: int
    waiting_long: int
    oldest_at: dt.datetime | None
    taken: int


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers that answered in time; `is_known` is False where the broker is away."""

    names: tuple[str, ...]
    is_known: bool
    has_long: bool = False
    """Whether one of them takes long jobs."""


def queue() -> Queue | None:
    """The queues of background work; None where the broker is no Redis, or is away."""
    url = str(settings.CELERY_BROKER_URL)
    if not url.startswith(("redis", "unix", "socket")):
        return None
    name = str(current_app.conf.task_default_queue)
    # Celery's own spelling of a socket's address: `redis+socket://`.
    client: Any = redis.Redis.from_url(
        url.replace("redis+socket://", "unix://"), socket_timeout=PATIENCE_SECONDS
    )
    try:
        with client:
            counts = [int(client.llen(each)) for each in (name, LONG)]
            oldest = [_sent_at(client.lindex(each, -1)) for each in (name, LONG)]
            taken = int(client.hlen("unacked"))
    except AWAY:
        return None
    return Queue(sum(counts), counts[1], min(filter(None, oldest), default=None), taken)


def _sent_at(message: object) -> dt.datetime | None:
    """When a message was sent, from its header; the oldest is at the right end of the list."""
    if not isinstance(message, bytes | str):
        return None
    try:
        return dt.datetime.fromisoformat(json.loads(message)["headers"][SENT_AT])
    except (ValueError, KeyError, TypeError):
        return None


def workers() -> Workers:
    """Who answers within PATIENCE_SECONDS."""
    try:
        answers = current_app.control.inspect(timeout=PATIENCE_SECONDS).active_queues() or {}
    except AWAY:
        return Workers((), is_known=False)
    has_long = any(queue["name"] == LONG for queues in answers.values() for queue in queues)
    return Workers(tuple(sorted(answers)), is_known=True, has_long=has_long)
