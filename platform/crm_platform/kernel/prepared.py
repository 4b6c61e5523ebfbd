"""Queries every request makes, compiled to SQL once a process.

Building and compiling an ORM query costs about as much CPU as PostgreSQL spends on it. The SQL
names no schema (the transaction's path decides), so one text serves every company.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import QuerySet

M = TypeVar("M", bound=models.Model)

_MARKS: dict[type, Callable[[int], Any]] = {
    int: lambda n: 7_700_000_000_000_000 + n,
    str: lambda n: f"\x01prepared-{n}\x01",
    dt.datetime: lambda n: dt.datetime(1789, 7, 14, 0, 0, 0, n + 1, tzinfo=dt.UTC),
}


class Prepared:
    """`build(**parameters)` gives a `.values_list()` queryset; calling gives its rows.

    `types` names each parameter's type (int, str or datetime). The queryset must depend on its
    parameters by value only. One query a call.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], **types: type) -> None:
        self._build, self._types = build, types
        self._sql = ""
        self._parameters: list[tuple[str | None, Any]] = []

    def _compile(self) -> None:
        marks = {name: _MARKS[kind](n) for n, (name, kind) in enumerate(self._types.items())}
        names = {mark: name for name, mark in marks.items()}
        query = self._build(**marks).query
        sql, parameters = query.get_compiler(connection.alias).as_sql()
        self._parameters = [
            (names[p], None) if isinstance(p, int | str | dt.datetime) and p in names else (None, p)
            for p in parameters
        ]
        found = {name for name, _value in self._parameters if name}
        assert found == set(self._types), f"parameters lost in the SQL: {set(self._types) - found}"
        self._sql = sql

    def __call__(self, **given: Any) -> list[tuple[Any, ...]]:
        """The rows for these parameters."""
        if not self._sql:
            self._compile()
        values = [given[name] if name else value for name, value in self._parameters]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            return list(cursor.fetchall())


def columns_of(model: type[models.Model], through: str = "") -> list[str]:
    """The ORM paths of a table's own columns, for `.values_list()`; `through` a relation."""
    prefix = f"{through}__" if through else ""
    return [f"{prefix}{field.attname}" for field in model._meta.concrete_fields]


def instance_of(model: type[M], values: Sequence[Any]) -> M:
    """A model instance from the raw values of `columns_of(model)`."""
    fields = model._meta.concrete_fields
    read = [
        json.loads(value)
        if isinstance(field, models.JSONField) and isinstance(value, str)
        else value
        for field, value in zip(fields, values, strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], read)
