"""Defences switched off, one at a time; each comes with the check that must then turn red."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.db.backends.postgresql import base as django_base
from django.db.models import QuerySet, sql
from psycopg.sql import SQL, Identifier

from crm_core.registry import queries as registry_queries
from crm_platform.identity import rules
from crm_platform.identity.services import sessions
from crm_platform.kernel import cache, signing, snapshot, storage, tenancy
from crm_platform.kernel.db.company.base import DatabaseWrapper
from crm_platform.kernel.models import ScopedQuery, ScopedQuerySet
from crm_platform.kernel.tasks import CompanyTask
from crm_platform.ui import kept
from tenants import middleware, queries, wholeness
from tenants.models import Company
from tenants.provisioning import owner_connection
from tests.kernel import connections, contexts, keeping, messages, people, walls
from tests.kernel.figures import Figures

Undo = Callable[[], None]


@dataclass(frozen=True)
class Mutant:
    """`off` patches the defence away (through monkeypatch, or returns how to undo it)."""

    name: str
    off: Callable[[Any, "Ground"], Undo | None]
    check: Callable[["Ground"], Figures]


@dataclass
class Ground:
    """What checks need; `lacking` is a company without one of its tables."""

    pair: tuple[tenancy.Scope, tenancy.Scope]
    superuser_url: str
    stopped: list[tenancy.Scope]
    lacking: tenancy.Scope
    pooler: int = 0


def _session_level(monkeypatch: Any, _ground: Ground) -> None:
    """As the framework does it: a SET of the session, whose failure is swallowed (M5)."""

    def begin_with(self: Any, cursor: Any, query: Any, params: Any) -> None:
        message = "; ".join(self._beginning()[1:]).replace("LOCAL ", "")
        self.connection.pgconn.exec_(message.encode())
        self.connection.pgconn.exec_(b"BEGIN")
        self._note_begun()
        cursor.run(query, params)

    monkeypatch.setattr(DatabaseWrapper, "begin_with", begin_with)


def _no_statement_guard(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(DatabaseWrapper, "create_cursor", django_base.DatabaseWrapper.create_cursor)


class _OneForAll:
    """Like a ContextVar, but one for the whole process: a class attribute, a module global."""

    def __init__(self) -> None:
        self.value: Any = None

    def get(self) -> Any:
        return self.value

    def set(self, value: Any) -> Any:
        before, self.value = self.value, value
        return before

    def reset(self, before: Any) -> None:
        self.value = before


def _process_wide_scope(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(tenancy, "_scope", _OneForAll())


def _unscoped_queries(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(ScopedQuery, "demand_own_company", lambda self: None)


def _only_updates_unscoped(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(ScopedQuery, "chain", sql.Query.chain)
    monkeypatch.setattr(ScopedQuerySet, "_raw_delete", QuerySet._raw_delete)


def _granted(statement: str, undo: str) -> Callable[[Any, Ground], Undo]:
    """A right given by mistake: the second wall."""

    def off(_monkeypatch: Any, ground: Ground) -> Undo:
        one, other = ground.pair
        names = {"one": Identifier(one.role), "other": Identifier(other.schema),
                 "own": Identifier(one.schema)}  # fmt: skip
        owner_connection().ensure_connection()
        raw = owner_connection().connection
        raw.execute(SQL(statement).format(**names))
        return lambda: raw.execute(SQL(undo).format(**names)) and None

    return off


def _shared_keys(monkeypatch: Any, _ground: Ground) -> None:
    from django.core.cache import caches

    def shared(key: str, key_prefix: str, version: int) -> str:
        return f"{cache.tenancy.PLATFORM.id}:{key_prefix}:{version}:{key}"

    monkeypatch.setattr(caches["default"], "key_func", shared)


def snapshot_by_version(monkeypatch: Any, _ground: Ground | None) -> None:
    def get(self: Any) -> Any:
        number = snapshot.version()
        return self._kept.setdefault(number, (number, self._load()))[1]

    monkeypatch.setattr(snapshot.Snapshot, "get", get)


def parts_by_name(monkeypatch: Any, _ground: Ground | None) -> None:
    monkeypatch.setattr(kept, "key_of", lambda name, *facts: (name, *facts))


def _same_salt(monkeypatch: Any, _ground: Ground) -> None:
    from django.core import signing as django_signing

    def signer(purpose: str) -> Any:
        return django_signing.TimestampSigner(salt=f"rapport:{purpose}")

    monkeypatch.setattr(signing, "company_signer", signer)


def _same_purpose(monkeypatch: Any, _ground: Ground) -> None:
    from django.core import signing as django_signing

    def signer(_purpose: str) -> Any:
        return django_signing.TimestampSigner(salt=f"rapport:{tenancy.current().id}")

    monkeypatch.setattr(signing, "company_signer", signer)


def _no_envelope(monkeypatch: Any, _ground: Ground) -> None:
    def run_anyway(self: Any, *args: Any, **kwargs: Any) -> str:
        return "ran"

    monkeypatch.setattr(CompanyTask, "__call__", run_anyway)


def _stopped_work(monkeypatch: Any, _ground: Ground) -> None:
    def any_scope(company_id: Any) -> Any:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = Company.objects.filter(pk=company_id).first()
            return queries.scope_of(company) if company else None

    monkeypatch.setattr(queries, "working_scope", any_scope)


def _any_path(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(storage.CompanyStorage, "path", FileSystemStorage.path)


class _EqualToAll:
    """An id that every other one seems to equal."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def _session_of_anybody(monkeypatch: Any, _ground: Ground) -> None:
    anybody = SimpleNamespace(current=lambda: SimpleNamespace(id=_EqualToAll()))
    monkeypatch.setattr(sessions, "tenancy", anybody)


def _reach_everything(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(registry_queries.rules, "reach", lambda *_asked: None)


def _may_everything(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(rules, "may", lambda *_asked: True)


def _default_company(monkeypatch: Any, ground: Ground) -> None:
    known = middleware.scope_of
    monkeypatch.setattr(middleware, "scope_of", lambda host: known(host) or ground.pair[0])


def _never_look(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(wholeness, "is_whole", lambda: True)


def _open_although_stopped(monkeypatch: Any, _ground: Ground) -> None:
    monkeypatch.setattr(middleware, "_refusal_of", lambda *_given: None)


def _pooled(ground: Ground) -> Figures:
    with connections.through(ground.pooler):
        return connections.read_by_threads(ground.pair, threads=16, reads=60)


def _cancelled(ground: Ground) -> Figures:
    return connections.cancelled_at_the_switch(ground.pair, ground.superuser_url)


def _threads(ground: Ground) -> Figures:
    return connections.read_by_threads(ground.pair, threads=8, reads=60)


def _tasks(ground: Ground) -> Figures:
    # Left-overs of a shared variable may end in an assertion of the loop itself.
    with contextlib.suppress(ExceptionGroup):
        return contexts.switched_by_tasks(ground.pair, tasks=20, turns=5)
    return Figures(total=1, wrong=1)


MUTANTS = (
    Mutant("T1 the SET of a session, swallowed when cancelled", _session_level, _cancelled),
    Mutant("T1 a SET that fails is swallowed", _session_level,
           lambda g: connections.entered_although_broken(g.pair)),
    Mutant("T1 statements without their guard", _no_statement_guard,
           lambda g: connections.unguarded_statements(g.pair)),
    Mutant("T2 the SET of a session behind a transaction pooler", _session_level, _pooled),
    Mutant("T3 one scope for the process, threads", _process_wide_scope, _threads),
    Mutant("T3 one scope for the process, asyncio", _process_wide_scope, _tasks),
    Mutant("T4 querysets that forget their company", _unscoped_queries,
           lambda g: contexts.lazy_querysets(g.pair)),
    Mutant("T4 updates and deletions that forget their company", _only_updates_unscoped,
           lambda g: contexts.lazy_querysets(g.pair)),
    Mutant("T5 companies that lack a table are served", _never_look,
           lambda g: people.lacking_a_table(g.lacking)),
    Mutant("T6 a role may enter another schema",
           _granted("GRANT USAGE ON SCHEMA {other} TO {one}",
                    "REVOKE USAGE ON SCHEMA {other} FROM {one}"),
           lambda g: walls.reached_beyond(g.pair[0], [g.pair[1].schema])),
    Mutant("T6 a role may rewrite history",
           _granted("GRANT UPDATE, DELETE ON {own}.audit_entry TO {one}",
                    "REVOKE UPDATE, DELETE ON {own}.audit_entry FROM {one}"),
           lambda g: walls.history_rewritten(g.pair[0])),
    Mutant("T7 cache keys without a company", _shared_keys,
           lambda g: keeping.cached(g.pair, keys=20)),
    Mutant("T7 snapshots by version alone", snapshot_by_version,
           lambda g: keeping.kept_in_the_process(g.pair, turns=3)),
    Mutant("T7 kept parts by name alone", parts_by_name,
           lambda g: keeping.kept_in_the_process(g.pair, turns=3)),
    Mutant("T8 sessions of any company", _session_of_anybody,
           lambda g: people.copied_sessions(g.pair)),
    Mutant("T9 seals without a company", _same_salt, lambda g: keeping.signed(g.pair)),
    Mutant("T9 seals without a purpose", _same_purpose, lambda g: keeping.signed(g.pair)),
    Mutant("T11 tasks without an envelope", _no_envelope,
           lambda g: messages.refused(g.pair[0], g.stopped)),
    Mutant("T11 work for stopped companies", _stopped_work,
           lambda g: messages.refused(g.pair[0], g.stopped)),
    Mutant("T13 any path of the store", _any_path, lambda g: walls.files_of_the_other(g.pair)),
    Mutant("T17 a default company", _default_company, lambda g: people.strange_hosts(g.pair)),
    Mutant("T17 stopped companies are open", _open_although_stopped,
           lambda g: people.stopped_companies(g.stopped[0])),
    Mutant("T23 every record within reach", _reach_everything,
           lambda g: people.others_records(g.pair)),
    Mutant("T23 every act allowed", _may_everything, lambda g: people.others_records(g.pair)),
)  # fmt: skip


def close() -> None:
    """Forget a connection that a switched-off defence left in a strange state."""
    connection.close()
