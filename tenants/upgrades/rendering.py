"""What a release consists of, computed once from the migrations of the running code.

Only `services.build_release` calls this; whatever comes later reads the rows it wrote. A restart
in the middle of an upgrade would otherwise find other migrations than the upgrade began with.
"""

import re
from collections.abc import Iterable
from typing import Any, TypedDict

from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from crm_platform.kernel.db.owner.base import owner_connection
from tenants import provisioning

_INDEX = re.compile(r'CREATE INDEX "(?P<name>\w+)" ON "(?P<table>\w+)"')
_TABLE = re.compile(r'CREATE TABLE "(?P<table>\w+)"')


class IndexStep(TypedDict):
    """An index on a table that may be big: made beside the work where it is."""

    name: str
    table: str
    sql: str


class Step(TypedDict):
    """One migration: SQL kept as text, or `python` steps that stay code (`sql` is empty then).

    `back` undoes it; None where nothing can. `data` names a function that moves rows in batches
    after the tables have changed (see `batches`).
    """

    app: str
    name: str
    kind: str
    sql: list[str]
    indexes: list[IndexStep]
    back: list[str] | None
    data: str


def head() -> list[list[str]]:
    """[app, name] of every company migration the running code has, in order."""
    return [[app, name] for app, name in provisioning.company_migrations()]


def steps_after(known: Iterable[Iterable[str]]) -> list[Step]:
    """What leads from a schema with the `known` migrations to the running code's, in order."""
    connection, loader = owner_connection(), provisioning.company_loader()
    plan, done = provisioning.company_plan(loader), {tuple(each) for each in known}
    state = ProjectState(real_apps=loader.unmigrated_apps)
    for migration in plan:
        if (migration.app_label, migration.name) in done:
            state = migration.mutate_state(state, preserve=False)
    found: list[Step] = []
    made: set[str] = set()
    with connection.working_in("nowhere"):
        for migration in plan:
            if (migration.app_label, migration.name) in done:
                continue
            back = _back_of(connection, migration, state)
            after, statements = _forward(connection, migration, state)
            made |= {match["table"] for match in map(_TABLE.match, statements) if match}
            found.append(_step(migration, statements, back, made))
            state = after
    return found


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
    migration: Migration, statements: list[str], back: list[str] | None, made: set[str]
) -> Step:
    """The migration as a step; indexes on tables that were there before stand apart."""
    indexes: list[IndexStep] = []
    rest: list[str] = []
    for statement in statements:
        match = _INDEX.match(statement)
        if match and match["table"] not in made:
            indexes.append({"name": match["name"], "table": match["table"], "sql": statement})
        else:
            rest.append(statement)
    python = is_python(migration)
    return {
        "app": migration.app_label,
        "name": migration.name,
        "kind": "python" if python else "sql",
        "sql": [] if python else rest,
        "indexes": [] if python else indexes,
        "back": back,
        "data": str(getattr(migration, "data_step", "")),
    }
