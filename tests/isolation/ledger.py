"""Checksums of every table of a schema, to show that a probe changed nothing there."""

from typing import Any

from psycopg.sql import SQL, Identifier

from crm_platform.kernel.db.owner.base import owner_connection

COUNTED_WHOEVER_ASKS = {"identity_attempt", "identity_session"}
"""Failed sign-ins are counted whoever tries (hashes only); the matrix itself opens sessions."""


def _raw() -> Any:
    connection = owner_connection()
    connection.ensure_connection()
    return connection.connection


def tables_of(schema: str) -> list[str]:
    """The names of all tables of a schema."""
    rows = _raw().execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema]
    )
    return [name for (name,) in rows.fetchall()]


def checksums(schema: str) -> dict[str, str]:
    """One checksum a table, over all of its rows."""
    found = {}
    for table in tables_of(schema):
        if table in COUNTED_WHOEVER_ASKS:
            continue
        row = _raw().execute(
            SQL("SELECT coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '') FROM {}.{} r")
            .format(Identifier(schema), Identifier(table))
        ).fetchone()  # fmt: skip
        found[table] = row[0]
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables that differ."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def id_columns(schema: str) -> list[tuple[str, str, bool]]:
    """Table, column, whether it is an array: the whole numbers that name another row."""
    rows = _raw().execute(
        "SELECT table_name, column_name, data_type = 'ARRAY' FROM information_schema.columns"
        " WHERE table_schema = %s AND (column_name LIKE '%%\\_id' OR column_name LIKE '%%\\_ids')"
        " AND (data_type IN ('bigint', 'integer') OR udt_name IN ('_int8', '_int4'))"
        " ORDER BY 1, 2",
        [schema],
    )
    return list(rows.fetchall())


def strangers_query(schema: str, low: int, high: int) -> str:
    """SQL that names the columns holding an id between `low` and `high`; run in that schema."""
    parts = []
    for table, column, is_array in id_columns(schema):
        value = "unnest" if is_array else f'"{column}"'
        source = f'"{table}", unnest("{column}")' if is_array else f'"{table}"'
        parts.append(
            f"SELECT '{table}.{column}' WHERE EXISTS"
            f" (SELECT 1 FROM {source} WHERE {value} BETWEEN {low} AND {high})"
        )
    return " UNION ALL ".join(parts)
