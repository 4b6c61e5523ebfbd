"""The steps of a release on a copy of one company: how long they take and what they lock."""

import time
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.module_loading import import_string
from psycopg.sql import SQL, Identifier, Literal

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from tenants.upgrades import applying, running, settling
from tenants.upgrades.fingerprints import fingerprint_of
from tenants.upgrades.models import Release
from tenants.upgrades.rendering import Step

WEAKEST_FIRST = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What a try showed. `locks` and `rewritten` name tables that were there before."""

    took_ms: float = 0.0
    after_ms: float = 0.0
    locks: dict[str, str] = field(default_factory=dict)
    rewritten: list[str] = field(default_factory=list)


def try_release(release: Release, schema: str, scope: tenancy.Scope) -> Seen:
    """Do to the copy what the worker does to a company: the transaction, and what follows it.

    Raises:
        Differs: the result is not the release's.
        Exception: whatever a step raises.
    """
    steps, seen = tuple(release.steps), Seen()
    connection = owner_connection()
    connection.ensure_connection()
    raw = connection.connection
    left = settling.indexes_left(raw, schema, steps)
    before = _files_of(raw, schema)
    began = time.perf_counter()
    with connection.working_in(schema), transaction.atomic(using="owner"):
        applying.take_steps(connection, schema, steps, opening=_patience(), later=left)
        for name in applying.changed_tables(steps) or []:
            raw.execute(SQL("SELECT * FROM {} LIMIT 1").format(Identifier(name)))
        seen.took_ms = (time.perf_counter() - began) * 1000
        after = _files_of(raw, schema)
        seen.rewritten = sorted(name for name in before if after.get(name) != before[name])
        seen.locks = {n: m for n, m in _strongest_locks(raw, schema).items() if n in before}
    began = time.perf_counter()
    settling.make_indexes(raw, schema, steps)
    _move_rows(steps, scope)
    settling.prove_constraints(raw, schema, steps, lock_timeout_ms=applying.LOCK_TIMEOUT_MS)
    seen.after_ms = (time.perf_counter() - began) * 1000
    found = fingerprint_of(raw, schema)
    if found != release.fingerprint:
        raise applying.Differs(
            f"The copy's fingerprint is {found}, the release's {release.fingerprint}."
        )
    return seen


def _patience() -> list[Any]:
    return [
        SQL("SET LOCAL lock_timeout = {}").format(Literal(applying.LOCK_TIMEOUT_MS)),
        SQL("SET LOCAL statement_timeout = {}").format(Literal(applying.STATEMENT_TIMEOUT_MS)),
    ]


def _files_of(raw: Any, schema: str) -> dict[str, int]:
    """Table → the file it lies in; another one means that it was written anew."""
    rows = raw.execute(
        "SELECT relname::text, relfilenode::bigint FROM pg_class"
        " WHERE relnamespace = %s::regnamespace AND relkind = 'r'",
        [schema],
    )
    return dict(rows.fetchall())


def _strongest_locks(raw: Any, schema: str) -> dict[str, str]:
    """Table → the strongest lock of the running transaction, left out where it only read."""
    rows = raw.execute(
        "SELECT c.relname::text, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
        " WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted"
        " AND c.relnamespace = %s::regnamespace AND c.relkind = 'r'",
        [schema],
    ).fetchall()
    weakest_first = sorted(rows, key=lambda row: WEAKEST_FIRST.index(row[1]))
    found = {name: mode for name, mode in weakest_first if mode != WEAKEST_FIRST[0]}
    return dict(sorted(found.items()))


def _move_rows(steps: tuple[Step, ...], scope: tenancy.Scope) -> None:
    for step in steps:
        if not step["data"]:
            continue
        function, cursor = import_string(step["data"]), None
        while True:
            with tenancy.unit_of_work(scope):
                cursor = function(cursor, running.ROWS_A_BATCH)
            if cursor is None:
                break
