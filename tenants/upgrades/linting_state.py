"""What the linter must know of the tables before a release: types, and what was proven of them."""

import re
from typing import Any

from django.db.migrations.state import ProjectState
from django.db.models import CheckConstraint, Q

from crm_platform.kernel.db.owner.base import owner_connection


def type_of(state: ProjectState, table: str, column: str) -> str:
    """The column's type; empty when the state does not know it."""
    model = _model(state, table)
    for field in model._meta.local_concrete_fields if model else ():
        if field.column == column:
            return str(field.db_type(owner_connection()))
    return ""


def has_no_nulls(state: ProjectState, table: str, column: str) -> bool:
    """Whether a constraint that was proven says so; PostgreSQL then need not look at the rows."""
    model = _model(state, table)
    if model is None:
        return False
    names = [f.name for f in model._meta.local_concrete_fields if f.column == column]
    wanted = [Q(**{f"{name}__isnull": False}) for name in names]
    checks = [c for c in model._meta.constraints if isinstance(c, CheckConstraint)]
    return any(check.condition in wanted for check in checks)


def is_widening(before: str, to: str) -> bool:
    """Whether PostgreSQL changes the type without looking at a row, and no value gets lost."""
    before, to = before.upper(), to.strip().upper()
    old, new = _sizes(before), _sizes(to)
    if before.startswith("VARCHAR"):
        return to in ("TEXT", "VARCHAR") or (to.startswith("VARCHAR(") and bool(old) and new >= old)
    if before.startswith("NUMERIC") and to.startswith("NUMERIC") and old and new:
        return new[0] >= old[0] and new[1:] == old[1:]
    return before == to


def _sizes(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _model(state: ProjectState, table: str) -> Any:
    models = state.apps.get_models(include_auto_created=True)
    return next((model for model in models if model._meta.db_table == table), None)
