"""What workers were rung for, taken from the broker itself as a worker would take it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import current_app
from kombu.simple import SimpleQueue

from crm_platform.kernel.tasks import ENVELOPE, LONG

QUEUES = ("celery", LONG)


@dataclass(frozen=True, slots=True)
class Rung:
    """One message: the task's name, what it was given, when it may begin (ISO; None: at once)."""

    name: str
    given: dict[str, Any]
    envelope: dict[str, Any]
    not_before: str | None

    @property
    def company(self) -> str:
        """The id of the company it was sent for."""
        return self.envelope["id"]

    def work(self) -> None:
        """Do it as a worker does, in the scope that the message names."""
        task = current_app.tasks[self.name]
        task.apply(kwargs=self.given, headers={ENVELOPE: self.envelope}, throw=True)


class Broker:
    """The messages that wait."""

    def __init__(self, queues: list[SimpleQueue]) -> None:
        self._queues = queues

    def take(self) -> list[Rung]:
        """All that came since the last look."""
        found = []
        for queue in self._queues:
            while queue.qsize():
                message = queue.get(block=False)
                message.ack()
                _args, given, _embed = message.payload
                head = message.headers
                found.append(Rung(head["task"], given, head[ENVELOPE], head["eta"]))
        return found

    def names(self) -> list[str]:
        return [rung.name for rung in self.take()]

    def work(self) -> None:
        """Do all that waits, and what that rings for."""
        while waiting := self.take():
            for rung in waiting:
                rung.work()


@contextmanager
def empty_broker() -> Iterator[Broker]:
    # The senders' own connection: Celery keeps the address at which the process sent first.
    with current_app.producer_pool.acquire(block=True) as producer:
        connection = producer.connection
        queues = [connection.SimpleQueue(name) for name in QUEUES]
        for queue in queues:
            queue.clear()
        yield Broker(queues)
        for queue in queues:
            queue.clear()
            queue.close()
