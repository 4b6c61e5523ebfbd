"""What a migration of a company's tables must not do while people work (run in CI).

The old code serves a company whose tables are already new, and the new code a company whose
tables are still old. So a release only widens; what it no longer needs is removed by a later one,
whose migration says so: `contract_of = "<release that stopped using it>"`.

This looks at operations, at what SQL does not show; `linting_sql` at the statements themselves.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import migrations, models
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

REMOVES = (migrations.RemoveField, migrations.DeleteModel)
RENAMES = (migrations.RenameField, migrations.RenameModel, migrations.AlterModelTable)


def faults_of(migration: Migration) -> list[str]:
    """What is wrong with it, one sentence each; empty for a safe one."""
    is_contract = bool(getattr(migration, "contract_of", ""))
    is_first = migration.initial is True or migration.name.startswith("0001_")
    name = f"{migration.app_label}.{migration.name}"
    made: set[str] = set()
    found = []
    for operation in _flat(migration.operations):
        if isinstance(operation, migrations.CreateModel):
            made.add(operation.name_lower)
        if not is_first:
            found += [
                f"{name} {fault}"
                for fault in _faults(operation, made)
                if not (is_contract and fault.startswith("removes"))
            ]
        if not operation.reversible and not is_contract:
            found.append(f"{name} cannot be undone: {operation.describe()}")
    return found


def _flat(operations: Sequence[Operation]) -> Iterator[Any]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _faults(operation: Any, made: set[str]) -> Iterator[str]:
    if isinstance(operation, REMOVES):
        yield (
            f"removes what the running code may use ({operation.describe()}): "
            "stop using it in one release, remove it in a later one with `contract_of`."
        )
    elif isinstance(operation, RENAMES):
        yield f"renames what the running code uses ({operation.describe()}): add, copy, remove."
    elif isinstance(operation, migrations.AddField):
        yield from _column_faults(operation, made)
    elif isinstance(operation, migrations.AlterField):
        yield from _alter_faults(operation)


def _column_faults(operation: Any, made: set[str]) -> Iterator[str]:
    field, is_new_table = operation.field, operation.model_name_lower in made
    if is_new_table or isinstance(field, models.ManyToManyField):
        return
    if not field.null and not field.has_db_default():
        yield (
            f"adds {operation.model_name}.{operation.name} NOT NULL without a database default: "
            "the running code's INSERT would fail."
        )
    if field.unique:
        yield f"adds the unique column {operation.name}: add it plain, fill it, then constrain it."


def _alter_faults(operation: Any) -> Iterator[str]:
    # Choices and labels change no column; a one-off default means that nulls are filled.
    fills = not operation.field.null and not operation.preserve_default
    if fills and not operation.field.has_db_default():
        yield f"fills nulls with a one-off default while the table is locked: {operation.name}"
