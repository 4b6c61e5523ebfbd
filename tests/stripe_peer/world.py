"""Everything the peer knows, and the few ways in which the parts change it."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.stripe_peer import errors
from tests.stripe_peer.clock import HOUR, START, Timeline
from tests.stripe_peer.contract import Contract
from tests.stripe_peer.faults import Faults
from tests.stripe_peer.store import Store, copied, differences, random_word
from tests.stripe_peer.webhooks import Webhooks


@dataclass(frozen=True)
class Route:
    """What answers an operation, and which of its parameters are spoken."""

    answer: Callable
    takes: frozenset[str]


ROUTES: dict[tuple[str, str], Route] = {}
ACTIONS: dict[str, Callable] = {}
INCLUDED: dict[tuple[str, str], Callable] = {}
PAGING = frozenset({"limit", "starting_after", "ending_before", "created"})


def route(method: str, path: str, *takes: str):
    """Register the answer to an operation: `answer(world, params, *ids)` gives the reply."""

    def register(answer):
        ROUTES[method, path] = Route(answer, frozenset(takes) | {"expand"})
        return answer

    return register


def action(answer):
    """Register what time does: `answer(world, object, when)`."""
    ACTIONS[answer.__name__] = answer
    return answer


def included(kind: str, name: str):
    """Register a field that is shown only when a request expands it: `answer(world, object)`."""

    def register(answer):
        INCLUDED[kind, name] = answer
        return answer

    return register


@dataclass
class Settings:
    """How the account is set up, which Stripe keeps in its dashboard."""

    finalize_after: int = HOUR
    retry_days: tuple[int, ...] = (3, 5, 7)
    after_retries: str = "unpaid"  # or canceled, past_due
    upcoming_days: int = 7


@dataclass
class Asked:
    """The request that is being answered, as events name it."""

    request: str | None = None
    key: str | None = None


@dataclass
class Saved:
    """The answer kept for an idempotency key."""

    fingerprint: str
    status: int
    body: dict
    at: int


@dataclass
class Log:
    """What was asked, and what was wrong with it."""

    requests: Counter = field(default_factory=Counter)
    violations: list[dict] = field(default_factory=list)


class World:
    """The peer's state; whoever changes it holds `lock`."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.lock = threading.RLock()
        self.url = ""
        self.webhooks = Webhooks(lambda: self.timeline.now())  # noqa: PLW0108  reset replaces it
        self.reset()

    def reset(self, *, at: int | None = START) -> None:
        """Forget everything. `at`: where the clock stands, or None to follow the real time."""
        self.timeline = Timeline(at)
        self.test_clocks: dict[str, Timeline] = {}
        self.store = Store()
        for where, answer in INCLUDED.items():
            self.store.more[where] = lambda found, answer=answer: answer(self, found)
        self.settings, self.faults, self.log = Settings(), Faults(), Log()
        self.saved: dict[str, Saved] = {}
        self.asked = Asked()
        self.webhooks.clear()

    def note(self, kind: str, where: str, finding: str) -> None:
        """Record what went against the contract."""
        self.log.violations.append({"kind": kind, "request": where, "finding": finding})

    # -- time -----------------------------------------------------------------------------------

    def timeline_of(self, customer: str | None) -> Timeline:
        found = self.store.kinds["customer"].get(customer or "")
        clock = found and found["test_clock"]
        return self.test_clocks[clock] if clock else self.timeline

    def now(self, customer: str | None = None) -> int:
        return self.timeline_of(customer).now()

    def plan(self, when: int, act: Callable, found: dict) -> None:
        """Have a registered action done to an object at that time of its customer."""
        self.timeline_of(customer_of(found)).plan(when, act.__name__, found["id"])

    def advance(self, timeline: Timeline, to: int) -> None:
        """Let time pass; what is planned happens one after the other at its own moment."""
        while (due := timeline.due(to)) is not None:
            when, name, ident = due
            if timeline.frozen is not None:
                timeline.frozen = max(timeline.frozen, when)
            found = self.store.get(ident)
            if found is not None:
                ACTIONS[name](self, found, when)
        if timeline.frozen is not None:
            timeline.frozen = max(timeline.frozen, to)
        self.webhooks.time_passed()

    def settle(self) -> None:
        """Do what is due already, on every line of time."""
        for each in (self.timeline, *self.test_clocks.values()):
            now = each.now()
            if each.is_due(now):
                self.advance(each, now)
        self.webhooks.time_passed()

    # -- objects --------------------------------------------------------------------------------

    def make(self, kind: str, prefix: str, /, **facts) -> dict:
        """A stored object of the kind, with every field of the contract."""
        return self.store.put(self.draft(kind, prefix, **facts))

    def draft(self, kind: str, prefix: str, /, **facts) -> dict:
        """As `make`, not stored."""
        made = self.contract.blank(kind)
        for name in [name for where, name in INCLUDED if where == kind]:
            made.pop(name, None)
        made.update(id=f"{prefix}_{random_word(24)}", **facts)
        if "created" in made and "created" not in facts:
            made["created"] = self.now(customer_of({"object": kind, **facts}))
        return made

    def part(self, kind: str, name: str, /, **facts) -> dict:
        """A value of a class inside a resource's."""
        return {**self.contract.blank_part(kind, name), **facts}

    @contextmanager
    def changing(self, found: dict, event: str):
        """Tell of what the block changes in the object, if it changes anything."""
        before = copied(found)
        yield found
        if before != found:
            self.emit(event, found, previous=differences(before, found))

    def emit(self, kind: str, found: dict, *, previous: dict | None = None) -> None:
        """Make the event, and queue it for each endpoint that wants its type."""
        event = self.contract.blank("event")
        at = self.now(customer_of(found))
        event.update(
            id=f"evt_{random_word(24)}", type=kind, created=at, api_version=self.contract.version,
            request={"id": self.asked.request, "idempotency_key": self.asked.key},
            data={"object": self.store.shown(found)},
        )  # fmt: skip
        for name in ("account", "context"):
            event.pop(name, None)
        if previous is not None:
            event["data"]["previous_attributes"] = previous
        for finding in self.contract.check_object(event["data"]["object"]):
            self.note("event", kind, finding)
        wanting = [
            each for each in self.store.all("webhook_endpoint", status="enabled")
            if kind in each["enabled_events"] or "*" in each["enabled_events"]
        ]  # fmt: skip
        event["pending_webhooks"] = len(wanting)
        self.store.put(event)
        for each in wanting:
            self.webhooks.add(event, each, self.store.hidden[each["id"]]["secret"])


def customer_of(found: dict) -> str | None:
    """Whose time an object lives in."""
    return found.get("id") if found["object"] == "customer" else found.get("customer")


# -- what many objects have ----------------------------------------------------------------------


def set_metadata(found: dict, params: dict) -> None:
    """Merge: an empty value unsets its key, an empty whole clears all."""
    written = params.get("metadata")
    if written == "":
        found["metadata"] = {}
    elif written:
        merged = {**(found["metadata"] or {}), **written}
        found["metadata"] = {name: value for name, value in merged.items() if value != ""}


def set_fields(found: dict, params: dict, *names: str) -> None:
    """Set the given fields that were sent; an empty text unsets."""
    for name in names:
        if name in params:
            found[name] = None if params[name] == "" else params[name]


def deleted(found: dict) -> dict:
    return {"id": found["id"], "object": found["object"], "deleted": True}


def demand(params: dict, *names: str) -> None:
    """Refuse when a parameter the API needs is absent."""
    for name in names:
        if params.get(name) in (None, ""):
            raise errors.invalid(f"Missing required param: {name}.", name, "parameter_missing")
