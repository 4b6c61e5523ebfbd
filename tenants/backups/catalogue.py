"""What a schema consists of, from PostgreSQL's catalogue; asked of one schema only, by its oid."""

from dataclasses import asdict, dataclass
from typing import Any

from django.apps import apps as django_apps
from django.conf import settings
from django.db import models
from psycopg.sql import SQL, Composed, Identifier

from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.router import labels
from tenants.backups import rules

SAME_TEXT = SQL(
    "SET LOCAL TimeZone TO 'UTC'; SET LOCAL DateStyle TO 'ISO, YMD';"
    " SET LOCAL IntervalStyle TO 'postgres'; SET LOCAL extra_float_digits TO 1;"
    " SET LOCAL bytea_output TO 'hex'"
)
"""Values read alike whoever reads them: texts are compared."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns that are stored, and the key its rows are ordered by."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def out(self, schema: str) -> Composed:
        """The COPY that gives every row as text, in the order of the key."""
        return SQL("COPY (SELECT {columns} FROM {table} ORDER BY {key}) TO STDOUT").format(
            columns=_names(self.columns), table=Identifier(schema, self.name), key=_names(self.key)
        )

    def into(self, schema: str) -> Composed:
        """The COPY that takes what `out` gave."""
        return SQL("COPY {table} ({columns}) FROM STDIN").format(
            table=Identifier(schema, self.name), columns=_names(self.columns)
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def table_of(said: dict[str, Any]) -> Table:
    return Table(str(said["name"]), tuple(said["columns"]), tuple(said["key"]))


def _names(names: tuple[str, ...]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def owner() -> Any:
    """The owner's own connection, to speak to directly."""
    connection = owner_connection()
    connection.ensure_connection()
    return connection.connection


def tables(raw: Any, schema: str) -> list[Table]:
    """The tables of `schema` that belong into an archive, by name. One query.

    Raises:
        ValueError: a table has no primary key.
    """
    rows = raw.execute(
        "SELECT c.relname::text,"
        " ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid"
        "  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),"
        " ARRAY(SELECT a.attname::text FROM pg_index i,"
        "  unnest(i.indkey::smallint[]) WITH ORDINALITY k (attnum, place)"
        "  JOIN pg_attribute a ON a.attnum = k.attnum"
        "  WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid ORDER BY k.place)"
        " FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition ORDER BY 1",
        [schema],
    ).fetchall()
    skipped = {*rules.LEFT_OUT, *rules.MADE_BY_US}
    found = [Table(name, tuple(cols), tuple(key)) for name, cols, key in rows]
    found = [table for table in found if table.name not in skipped]
    for table in found:
        if not table.key:
            raise ValueError(f"The table {table.name} has no primary key.")
    return found


def migrations(raw: Any, schema: str) -> list[tuple[str, str]]:
    """App and name of each migration a schema stands at."""
    query = SQL("SELECT app, name FROM {} ORDER BY 1, 2").format(
        Identifier(schema, "django_migrations")
    )
    return [(app, name) for app, name in raw.execute(query).fetchall()]


def sequences(raw: Any, schema: str) -> dict[str, list[Any]]:
    """Sequence → its last value and whether that was given out."""
    rows = raw.execute(
        "SELECT relname::text FROM pg_class WHERE relnamespace = %s::regnamespace"
        " AND relkind = 'S' ORDER BY 1",
        [schema],
    ).fetchall()
    parts = [
        SQL("SELECT {}::text, last_value, is_called FROM {}").format(name, Identifier(schema, name))
        for (name,) in rows
    ]
    if not parts:
        return {}
    found = raw.execute(SQL(" UNION ALL ").join(parts)).fetchall()
    return {name: [value, is_called] for name, value, is_called in found}


def file_columns() -> list[tuple[str, str]]:
    """Table and column of each file name, from the models of a company's apps."""
    wanted = labels(settings.TENANT_APPS)
    ours = [c for c in django_apps.get_app_configs() if c.label in wanted]
    return sorted(
        (model._meta.db_table, str(field.column))
        for config in ours
        for model in config.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.FileField)
    )
