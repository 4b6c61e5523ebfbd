"""What a release consists of, computed once from the migrations of the running code.

Only `services.build_release` calls this; whatever comes later reads the rows it wrote. A restart
in the middle of an upgrade would otherwise find other migrations than the upgrade began with.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict

from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from crm_platform.kernel.db.owner.base import owner_connection
from tenants import provisioning

_INDEX = re.compile(r'CREATE INDEX "(?P<name>\w+)" ON "(?P<table>\w+)"')
_TABLE = re.compile(r'CREATE TABLE "(?P<table>\w+)"')
_CONSTRAINT = re.compile(
    r'ALTER TABLE "(?P<table>\w+)" ADD CONSTRAINT "(?P<name>\w+)" (?:CHECK|FOREIGN KEY)\b[^;]*;?'
)
NOT_VALID = " NOT VALID"


class IndexStep(TypedDict):
    """An index on a table that may be big: made beside the work where it is."""

    name: str
    table: str
    sql: str


class ConstraintStep(TypedDict):
    """A constraint that binds new rows at once, and is proven for the old ones afterwards."""

    name: str
    table: str


class Step(TypedDict):
    """One migration: SQL kept as text, or a `python` step: the code runs, `sql` is for the linter.

    `back` undoes it; None where nothing can. `data` names a function that moves rows in batches
    after the tables have changed. What follows the transaction is done by `settling`.
    """

    app: str
    name: str
    kind: str
    sql: list[str]
    indexes: list[IndexStep]
    constraints: list[ConstraintStep]
    back: list[str] | None
    data: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A migration with its step, for the linter: what the tables were like before it.

    `made` are the tables that the release itself makes, up to here; `released` is the state that
    the companies are at before the release.
    """

    migration: Migration
    step: Step
    made: frozenset[str]
    before: ProjectState
    released: ProjectState


def head() -> list[list[str]]:
    """[app, name] of every company migration the running code has, in order."""
    return [[app, name] for app, name in provisioning.company_migrations()]


def rendered_after(known: Iterable[Iterable[str]], *, apart: bool = False) -> list[Rendered]:
    """What leads from a schema with the `known` migrations to the running code's, in order.

    With `apart` as if each migration were a release of its own.
    """
    loader = provisioning.company_loader()
    plan, done = provisioning.company_plan(loader), {tuple(each) for each in known}
    state = ProjectState(real_apps=loader.unmigrated_apps)
    for migration in plan:
        if (migration.app_label, migration.name) in done:
            state = migration.mutate_state(state, preserve=False)
    found: list[Rendered] = []
    made: frozenset[str] = frozenset()
    released = state
    for migration in plan:
        if (migration.app_label, migration.name) in done:
            continue
        if apart:
            made, released = frozenset(), state
        each, state = rendered(migration, state, made=made, released=released)
        made = each.made
        found.append(each)
    return found


def rendered(
    migration: Migration,
    state: ProjectState,
    *,
    made: frozenset[str] = frozenset(),
    released: ProjectState | None = None,
) -> tuple[Rendered, ProjectState]:
    """One migration after `state` (which stays as it is), and the state it leads to."""
    connection = owner_connection()
    with connection.working_in("nowhere"):
        back = _back_of(connection, migration, state)
        after, statements = _forward(connection, migration, state)
    made |= {match["table"] for match in map(_TABLE.match, statements) if match}
    step = _step(migration, statements, back, made)
    return Rendered(migration, step, made, state, released or state), after


def _forward(
    connection: Any, migration: Migration, state: ProjectState
) -> tuple[ProjectState, list[str]]:
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        after = migration.apply(state.clone(), editor, collect_sql=True)
    return after, [s for s in editor.collected_sql if s and not s.startswith("--")]


def _back_of(connection: Any, migration: Migration, state: ProjectState) -> list[str] | None:
    """The statements that undo a migration; None where one of its operations has no way back."""
    try:
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            migration.unapply(state.clone(), editor, collect_sql=True)
    except IrreversibleError:
        return None
    return [s for s in editor.collected_sql if s and not s.startswith("--")]


def is_python(migration: Migration) -> bool:
    """Whether some of the migration cannot be written as SQL."""
    return any(_runs_code(operation) for operation in migration.operations)


def _runs_code(operation: Any) -> bool:
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return any(map(_runs_code, operation.database_operations))
    return isinstance(operation, migrations.RunPython)


def _step(
    migration: Migration, statements: list[str], back: list[str] | None, made: frozenset[str]
) -> Step:
    """The migration as a step; what must not hold up tables that were there before stands apart."""
    step: Step = {
        "app": migration.app_label, "name": migration.name, "kind": "sql", "sql": [],
        "indexes": [], "constraints": [], "back": back,
        "data": str(getattr(migration, "data_step", "")),
    }  # fmt: skip
    if is_python(migration):
        return {**step, "kind": "python", "sql": statements}
    for statement in statements:
        index, constraint = _INDEX.match(statement), _CONSTRAINT.fullmatch(statement)
        if index and index["table"] not in made:
            step["indexes"].append(
                {"name": index["name"], "table": index["table"], "sql": statement}
            )
        elif constraint and constraint["table"] not in made:
            step["sql"].append(_unproven(statement))
            step["constraints"].append({"name": constraint["name"], "table": constraint["table"]})
        else:
            step["sql"].append(statement)
    return step


def _unproven(statement: str) -> str:
    """A constraint that does not read the rows there are while the table is locked."""
    plain = statement.rstrip("; \n")
    return plain if plain.upper().endswith(NOT_VALID) else plain + NOT_VALID
