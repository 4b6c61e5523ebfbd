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
from tenants.upgrades import settling
from tenants.upgrades.fingerprints import fingerprint_of, lines_of
from tenants.upgrades.rendering import Step

LOCK_TIMEOUT_MS = 200
STATEMENT_TIMEOUT_MS = 60_000


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
    """What to do with one company. `back` undoes the release instead.

    `fingerprint` is the one to reach; `within` that of the transaction's end where something
    follows it (indexes do not count in it, and constraints are not proven).
    """

    run_id: int
    company_id: Any
    schema: str
    lease: int
    release: str
    previous: str
    steps: tuple[Step, ...]
    tables: list[str] | None
    fingerprint: str
    within: str = ""
    back: bool = False


def apply(task: Task) -> bool:
    """Do it; how long it took stands in the ledger. Says whether something is to follow.

    Raises:
        Locked: a lock was not to be had in time.
        Differs: the result is not the release's; undone.
        LeaseLost: it is somebody else's by now; nothing was done.
        psycopg.Error: a statement failed; undone.
    """
    connection = owner_connection()
    connection.ensure_connection()
    raw = connection.connection
    left = frozenset() if task.back else settling.indexes_left(raw, task.schema, task.steps)
    unsettled = not task.back and bool(left or settling.constraints_of(task.steps))
    follows = unsettled or (not task.back and any(step["data"] for step in task.steps))
    try:
        with connection.working_in(task.schema), transaction.atomic(using="owner"):
            take_steps(
                connection, task.schema, task.steps,
                opening=_opening(task), later=left, back=task.back,
            )  # fmt: skip
            _demand_fingerprint(raw, task, unsettled=unsettled)
            sharding.send(raw, [*_reading(task), *_closing(task, follows=follows)])
    except psycopg.errors.LockNotAvailable as error:
        raise Locked(str(error)) from error
    except psycopg.errors.RaiseException as error:
        raise LeaseLost(str(error)) from error
    return follows


def settle_indexes(task: Task) -> None:
    """Make beside the work what the transaction left out. Idempotent."""
    settling.make_indexes(_raw(), task.schema, task.steps)


def settle_constraints(task: Task) -> None:
    """Prove what only binds new rows so far, and that all is as the release says. Idempotent.

    Raises:
        Locked: other maintenance is at work there.
        Differs: the schema is not the release's.
        psycopg.Error: a row breaks a constraint.
    """
    raw = _raw()
    try:
        settling.prove_constraints(raw, task.schema, task.steps, lock_timeout_ms=LOCK_TIMEOUT_MS)
    except psycopg.errors.LockNotAvailable as error:
        raise Locked(str(error)) from error
    _demand_fingerprint(raw, task, unsettled=False)


def _raw() -> Any:
    connection = owner_connection()
    connection.ensure_connection()
    return connection.connection


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
    later: frozenset[str] = frozenset(),
    back: bool = False,
) -> None:
    """The steps in their order, in the running transaction.

    What is SQL travels as one message until some code must run; `later` names indexes that are
    made afterwards.
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
            message += [SQL(i["sql"]) for i in step["indexes"] if i["name"] not in later]
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


def _closing(task: Task, *, follows: bool) -> list[Composable]:
    """The ledger's rows, kept or undone together with the tables."""
    state, at = ("back", task.previous) if task.back else ("done", task.release)
    return [
        SQL("UPDATE public.tenants_company SET release = {} WHERE id = {}").format(
            Literal(at), Literal(task.company_id)
        ),
        SQL(
            # The cursor of data steps ends with the tables it was for: here, and on the way back.
            "UPDATE public.upgrades_schemarun SET state = {}, error = '', finished_at = now(),"
            " took_ms = extract(epoch FROM clock_timestamp() - now()) * 1000, cursor = '{{}}',"
            " checks = {} WHERE id = {}"
        ).format(
            Literal("data" if follows else state), Literal(Jsonb(list(CHECKS))),
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


def _demand_fingerprint(raw: Any, task: Task, *, unsettled: bool) -> None:
    wanted = task.within if unsettled else task.fingerprint
    without = settling.index_names(task.steps) if unsettled else ()
    found = fingerprint_of(raw, task.schema, task.tables, without=without)
    if wanted and found != wanted:
        raise Differs(f"The schema's fingerprint is {found}, the release's {wanted}.")


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
