"""One company from one release to the next (or back): one transaction, its ledger row in it.

So whatever happens to the worker, a company is at the old release or at the new one, and the
ledger says which. A lock that is not to be had in 200 ms ends the attempt, not the users' work.
"""

import functools
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import transaction
from django.db.migrations.state import ProjectState
from psycopg.sql import SQL, Composable, Identifier, Literal
from psycopg.types.json import Jsonb

from crm_platform.kernel.db.owner.base import owner_connection
from tenants import provisioning, sharding
from tenants.upgrades.fingerprints import fingerprint_of, lines_of
from tenants.upgrades.rendering import IndexStep, Step

LOCK_TIMEOUT_MS = 200
STATEMENT_TIMEOUT_MS = 60_000
BIG_TABLE_ROWS = 200_000
"""From here on an index is made without locking the table out, in a phase of its own."""


class Locked(Exception):
    """Somebody in the company holds what the upgrade needs: try again later."""


class Differs(Exception):
    """The schema is not what the release says; nothing was kept."""


class LeaseLost(Exception):
    """Another worker has this company, or it is no longer at the release we come from."""


_CHANGED = re.compile(r'(?:ALTER TABLE|CREATE TABLE|INDEX "\w+" ON) "(\w+)"')
CHECKS = ("fingerprint", "reads")
"""What is checked before the transaction is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to do with one company. `back` undoes the release instead."""

    run_id: int
    company_id: Any
    schema: str
    lease: int
    release: str
    previous: str
    steps: tuple[Step, ...]
    tables: list[str] | None
    fingerprint: str
    back: bool = False


def apply(task: Task) -> None:
    """Do it; how long it took stands in the ledger.

    Raises:
        Locked: a lock was not to be had in time.
        Differs: the result is not the release's; undone.
        LeaseLost: it is somebody else's by now; nothing was done.
        psycopg.Error: a statement failed; undone.
    """
    connection = owner_connection()
    connection.ensure_connection()
    raw = connection.connection
    try:
        ready = _big_indexes(raw, task)
        with connection.working_in(task.schema), transaction.atomic(using="owner"):
            take_steps(
                connection, task.schema, task.steps,
                opening=_opening(task), ready=ready, back=task.back,
            )  # fmt: skip
            _demand_fingerprint(raw, task)
            sharding.send(raw, [*_reading(task), *_closing(task)])
    except psycopg.errors.LockNotAvailable as error:
        raise Locked(str(error)) from error
    except psycopg.errors.RaiseException as error:
        raise LeaseLost(str(error)) from error


def _opening(task: Task) -> list[Composable]:
    """Patience, and that the run is still ours and the company where we think it is."""
    came_from = task.release if task.back else task.previous
    return [
        # The ledger's row is lost together with the tables, if a crash comes before the disk.
        SQL("SET LOCAL synchronous_commit = off"),
        SQL("SET LOCAL lock_timeout = {}").format(Literal(LOCK_TIMEOUT_MS)),
        SQL("SET LOCAL statement_timeout = {}").format(Literal(STATEMENT_TIMEOUT_MS)),
        SQL(
            "DO $ours$ BEGIN PERFORM 1 FROM public.upgrades_schemarun r"
            " JOIN public.tenants_company c ON c.id = r.company_id"
            " WHERE r.id = {run} AND r.lease = {lease} AND r.state = 'running'"
            " AND c.release = {release} FOR UPDATE OF r, c;"
            " IF NOT FOUND THEN RAISE EXCEPTION 'not ours any more'; END IF; END $ours$"
        ).format(run=Literal(task.run_id), lease=Literal(task.lease), release=Literal(came_from)),
    ]


def take_steps(
    connection: Any,
    schema: str,
    steps: Sequence[Step],
    *,
    opening: Sequence[Composable] = (),
    ready: frozenset[str] = frozenset(),
    back: bool = False,
) -> None:
    """The steps in their order, in the running transaction.

    What is SQL travels as one message until some code must run; `ready` names indexes that stand.
    """
    message = [*opening, SQL("SET LOCAL search_path TO {}").format(Identifier(schema))]
    for step in reversed(steps) if back else steps:
        if step["kind"] == "python":
            sharding.send(connection.connection, message)
            message = []
            _run_code(connection, step, back=back)
        elif back:
            message += map(SQL, step["back"] or [])
        else:
            message += map(SQL, step["sql"])
            message += [SQL(i["sql"]) for i in step["indexes"] if i["name"] not in ready]
        message.append(_forgotten(step) if back else _noted(step))
    sharding.send(connection.connection, message)


def _noted(step: Step) -> Composable:
    return SQL("INSERT INTO django_migrations (app, name, applied) VALUES ({}, {}, now())").format(
        Literal(step["app"]), Literal(step["name"])
    )


def _forgotten(step: Step) -> Composable:
    return SQL("DELETE FROM django_migrations WHERE app = {} AND name = {}").format(
        Literal(step["app"]), Literal(step["name"])
    )


def _closing(task: Task) -> list[Composable]:
    """The ledger's rows, kept or undone together with the tables."""
    state, at = ("back", task.previous) if task.back else ("done", task.release)
    has_data = not task.back and any(step["data"] for step in task.steps)
    return [
        SQL("UPDATE public.tenants_company SET release = {} WHERE id = {}").format(
            Literal(at), Literal(task.company_id)
        ),
        SQL(
            "UPDATE public.upgrades_schemarun SET state = {}, error = '', finished_at = now(),"
            " checks = {}, took_ms = extract(epoch FROM clock_timestamp() - now()) * 1000"
            " WHERE id = {}"
        ).format(
            Literal("data" if has_data else state), Literal(Jsonb(list(CHECKS))),
            Literal(task.run_id),
        ),
    ]  # fmt: skip


def _reading(task: Task) -> list[Composable]:
    """A look into each table that changed; their rights are part of the fingerprint."""
    names = [] if task.back else changed_tables(task.steps) or []
    return [SQL("SELECT * FROM {} LIMIT 1").format(Identifier(name)) for name in names]


def changed_tables(steps: Sequence[Step]) -> list[str] | None:
    """The tables that the steps change; None where code may change any."""
    if any(step["kind"] == "python" for step in steps):
        return None
    found = {name for step in steps for name in _CHANGED.findall(" ".join(step["sql"]))}
    return sorted(found | {index["table"] for step in steps for index in step["indexes"]})


def _demand_fingerprint(raw: Any, task: Task) -> None:
    found = fingerprint_of(raw, task.schema, task.tables)
    if task.fingerprint and found != task.fingerprint:
        raise Differs(f"The schema's fingerprint is {found}, the release's {task.fingerprint}.")


# -- indexes on big tables -----------------------------------------------------------------------


def _big_indexes(raw: Any, task: Task) -> frozenset[str]:
    """Make the indexes of big tables beside the work; returns the names that stand then."""
    wanted = [] if task.back else [each for step in task.steps for each in step["indexes"]]
    if not wanted:
        return frozenset()
    rows = raw.execute(
        "SELECT c.relname, c.reltuples FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = ANY(%s)",
        [task.schema, [each["table"] for each in wanted]],
    ).fetchall()
    big = {name for name, count in rows if count >= BIG_TABLE_ROWS}
    for each in wanted:
        if each["table"] in big:
            _beside_the_work(raw, task.schema, each)
    return frozenset(each["name"] for each in wanted if each["table"] in big)


def _beside_the_work(raw: Any, schema: str, index: IndexStep) -> None:
    """`CREATE INDEX CONCURRENTLY`, after removing what a cut-off attempt left invalid."""
    found = raw.execute(
        "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
        [schema, index["name"]],
    ).fetchone()
    if found and found[0]:
        return
    home, name = Identifier(schema), Identifier(index["name"])
    if found:
        raw.execute(SQL("DROP INDEX CONCURRENTLY {}.{}").format(home, name))
    named = index["sql"].replace("CREATE INDEX ", "CREATE INDEX CONCURRENTLY ", 1)
    table = f'ON "{index["table"]}"'
    placed = named.replace(table, f'ON "{schema}"."{index["table"]}"', 1)
    raw.execute(placed)


# -- steps that stay code ------------------------------------------------------------------------


@functools.cache
def _graph() -> tuple[Any, list[Any]]:
    """The migrations of the running code, read once a worker."""
    loader = provisioning.company_loader()
    return loader, provisioning.company_plan(loader)


@functools.cache
def _state_before(app: str, name: str) -> tuple[ProjectState, Any]:
    """The models as the migration finds them, and the migration; kept for the worker's life."""
    loader, plan = _graph()
    state = ProjectState(real_apps=loader.unmigrated_apps)
    for migration in plan:
        if (migration.app_label, migration.name) == (app, name):
            return state, migration
        state = migration.mutate_state(state, preserve=False)
    raise Differs(f"The running code has no migration {app}.{name}.")


def _run_code(connection: Any, step: Step, *, back: bool) -> None:
    """A Python migration, inside the same transaction; the running code must still have it."""
    state, migration = _state_before(step["app"], step["name"])
    with connection.schema_editor(atomic=False) as editor:
        if back:
            migration.unapply(state.clone(), editor)
        else:
            migration.apply(state.clone(), editor)


# -- leases --------------------------------------------------------------------------------------


def take_lease() -> int:
    """A number whose advisory lock this session holds until it ends, however that happens."""
    lease = secrets.randbits(62)
    connection = owner_connection()
    connection.ensure_connection()
    connection.connection.execute("SELECT pg_advisory_lock(%s)", [lease])
    return lease


def give_lease_back(lease: int) -> None:
    """Free a lease; one whose session is gone is free already."""
    raw = owner_connection().connection
    if raw is not None and not raw.closed:
        raw.execute("SELECT pg_advisory_unlock(%s)", [lease])


def living_leases() -> list[int]:
    """The leases of workers that are alive."""
    connection = owner_connection()
    connection.ensure_connection()
    rows = connection.connection.execute(
        "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks"
        " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    )
    return [row[0] for row in rows.fetchall()]


# -- looking at schemas --------------------------------------------------------------------------


def difference(schema: str, other: str) -> list[str]:
    """Lines that only one of two schemas has; for people who must find out why."""
    connection = owner_connection()
    connection.ensure_connection()
    mine = set(lines_of(connection.connection, schema))
    theirs = set(lines_of(connection.connection, other))
    return [f"- {line}" for line in sorted(mine - theirs)] + [
        f"+ {line}" for line in sorted(theirs - mine)
    ]
