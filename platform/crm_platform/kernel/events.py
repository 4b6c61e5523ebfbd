"""Upward talk between topics: frozen dataclasses, delivered to functions that subscribed.

`Moment.NOW` runs a subscriber inside the publisher's transaction (same fate: what keeps derived
rows true, such as the search document); `Moment.AFTER_COMMIT` runs it in a new unit of work of
the same company once the change is kept (what tells somebody).
"""

import enum
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction

from crm_platform.kernel import tenancy

E = TypeVar("E")
Handler = Callable[[Any], None]


class Moment(enum.Enum):
    """When a subscriber hears of an event."""

    NOW = "now"
    AFTER_COMMIT = "after_commit"


_handlers: dict[tuple[type, Moment], list[Handler]] = defaultdict(list)


def subscribe(
    event: type[E], handler: Callable[[E], None], *, when: Moment = Moment.AFTER_COMMIT
) -> None:
    """Call `handler` with every `event`; from `AppConfig.ready`, once a handler."""
    if handler not in _handlers[event, when]:
        _handlers[event, when].append(handler)


def publish(event: object) -> None:
    """Tell the subscribers of this event's class, some now, the others after commit."""
    for handler in _handlers[type(event), Moment.NOW]:
        handler(event)
    later = _handlers[type(event), Moment.AFTER_COMMIT]
    if later:
        scope = tenancy.current()
        transaction.on_commit(lambda: _deliver(event, scope, tuple(later)))


def _deliver(event: object, scope: tenancy.Scope, handlers: tuple[Handler, ...]) -> None:
    for handler in handlers:
        with tenancy.unit_of_work(scope):
            handler(event)
