"""Which company the running code works for, and the one way to begin working for it.

The scope lives in one ContextVar, never on the connection, a class or a thread. The database
wrapper (`kernel.db`) reads it when a transaction begins; see `docs/adr/0002-unit-of-work.md`.
"""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction

from crm_platform.kernel.errors import CrossedCompanies, NoCompany


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """One company, or the platform itself, as the lower layers need to know it.

    `schema` is where its tables are, `role` the PostgreSQL role that may read them.
    """

    id: uuid.UUID
    schema: str
    role: str
    name: str = ""
    slug: str = ""
    host: str = ""
    state: str = "active"
    time_zone: str = "UTC"
    currency: str = "USD"
    language: str = "en"
    accent_hue: int | None = None
    state_reason: str = ""
    state_since: dt.datetime | None = None
    state_until: dt.datetime | None = None
    writable: bool = True
    """False: every transaction of this scope is read-only, a fact of the database."""
    is_rehearsal: bool = False
    """Made to try things: nothing of it leaves the house."""
    limits: tuple[tuple[str, int], ...] = ()
    """What its plan and operators allow it otherwise than the settings do (`kernel.limits`)."""
    limit_levels: tuple[tuple[str, int], ...] = ()
    """How near it was to its limits when last looked at (`kernel.limits.level_of`)."""
    release: str = ""
    """The release its tables stand at; empty before it has one."""
    features: tuple[tuple[str, bool], ...] = ()
    """Its choice of optional features (`kernel.features`)."""

    @property
    def is_platform(self) -> bool:
        return self.schema == PLATFORM_SCHEMA


PLATFORM_SCHEMA = "public"
PLATFORM = Scope(id=uuid.UUID(int=0), schema=PLATFORM_SCHEMA, role="rapport_public", name="Rapport")

_scope: ContextVar[Scope | None] = ContextVar("rapport_scope", default=None)
_unit_facts: ContextVar[dict[str, Any] | None] = ContextVar("rapport_unit_facts", default=None)


def current() -> Scope:
    """The scope of the running unit of work.

    Raises:
        NoCompany: there is none.
    """
    scope = _scope.get()
    if scope is None:
        raise NoCompany("No company is chosen here: enter a unit of work first.")
    return scope


def current_or_none() -> Scope | None:
    return _scope.get()


def current_company() -> Scope:
    """The company of the running unit of work; the platform does not count as one.

    Raises:
        NoCompany: no unit of work, or the platform's.
    """
    scope = current()
    if scope.is_platform:
        raise NoCompany("This needs a company; the platform's own unit of work has none.")
    return scope


def unit_facts() -> dict[str, Any]:
    """Facts kept for the running unit of work only (configuration version, channel …)."""
    facts = _unit_facts.get()
    if facts is None:
        raise NoCompany("There is no unit of work to keep facts for.")
    return facts


def for_keeping(scope: Scope) -> Scope:
    """The scope with which a read-only company's few own notes are written.

    Only for what reading itself leaves behind: who signed in, which browser is open, what was
    exported, which mail went out. Who uses it stands in a list of `tests/lifecycle`.
    """
    return dataclasses.replace(scope, writable=True)


def keep_note(write: Callable[[], object]) -> None:
    """Run `write` now, or in a read-only company right after the running transaction.

    For notes of the housekeeping (a browser was seen, a key was used), which may be lost with a
    crash but must not make reading fail.
    """
    scope = current()
    if scope.writable:
        write()
        return

    def afterwards() -> None:
        with unit_of_work(for_keeping(scope)):
            write()

    transaction.on_commit(afterwards, robust=True)


@contextmanager
def choose(scope: Scope | None) -> Iterator[None]:
    """Make `scope` the current one for the block, without opening a transaction.

    Only the block form exists on purpose: decorators and re-entrant objects share state
    between threads. `None` leaves every company (used to prove that nothing can be read).
    """
    token = _scope.set(scope)
    facts = _unit_facts.set({} if scope else None)
    try:
        yield
    finally:
        _unit_facts.reset(facts)
        _scope.reset(token)


@contextmanager
def unit_of_work(scope: Scope) -> Iterator[Scope]:
    """Run the block as one transaction of `scope`: all of it is kept, or nothing.

    Raises:
        CrossedCompanies: a transaction of another scope is open; finish that one first.
    """
    connection = transaction.get_connection(DEFAULT_DB_ALIAS)
    outer = _scope.get()
    crossing = connection.in_atomic_block and outer != scope
    if crossing and not getattr(connection, "may_switch_scope", False):
        name = outer.schema if outer else "no company"
        raise CrossedCompanies(f"A transaction of {name} is open; {scope.schema} must wait.")
    if connection.in_atomic_block and not crossing:
        with transaction.atomic():
            yield scope
        return
    if crossing:
        with transaction.atomic(), choose(scope), connection.switched_scope():
            yield scope
        return
    with choose(scope), transaction.atomic():
        yield scope
