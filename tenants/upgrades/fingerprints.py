"""One short text for the shape of a schema: two schemas with the same one are the same.

Columns, defaults, identities, indexes, constraints, sequences, functions and rights count; the
schema's name and the order in which columns were added do not.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.sql import SQL

_LINES = SQL("""
WITH home AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = %(schema)s),
tables AS (
  SELECT c.oid, c.relname, c.relkind, c.relacl
  FROM pg_class c JOIN home ON c.relnamespace = home.oid
  WHERE %(tables)s::text[] IS NULL OR c.relname = ANY(%(tables)s)
)
SELECT 'column ' || t.relname || '.' || a.attname || ' '
    || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || a.attidentity::text
    || a.attgenerated::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS line
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
  LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
  WHERE t.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'index ' || replace(pg_get_indexdef(i.indexrelid), home.nspname || '.', '')
    || CASE WHEN i.indisvalid THEN '' ELSE ' invalid' END
  FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class x ON x.oid = i.indexrelid
  CROSS JOIN home WHERE NOT x.relname = ANY(%(without)s::text[])
UNION ALL
SELECT 'constraint ' || t.relname || ' ' || k.conname || ' '
    || replace(pg_get_constraintdef(k.oid), home.nspname || '.', '')
  FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid CROSS JOIN home
  WHERE k.contype <> 'n'
UNION ALL
SELECT 'right ' || t.relname || ' ' || coalesce(t.relacl::text, '') FROM tables t
  WHERE t.relkind IN ('r', 'p', 'S', 'v')
UNION ALL
SELECT 'function ' || p.proname || ' ' || md5(p.prosrc)
  FROM pg_proc p JOIN home ON p.pronamespace = home.oid
""")
_WHOLE = SQL(
    "SELECT coalesce(md5(string_agg(line, E'\\n' ORDER BY line)), '') FROM ({}) lines"
).format(_LINES)
_LISTED = SQL("SELECT line FROM ({}) lines ORDER BY line").format(_LINES)


def fingerprint_of(
    raw: Any, schema: str, tables: list[str] | None = None, *, without: Sequence[str] = ()
) -> str:
    """The fingerprint of a schema as the running transaction of `raw` (psycopg) sees it.

    With `tables`, of these only: the whole takes five times as long. `without` names indexes that
    do not count.
    """
    told = {"schema": schema, "tables": tables, "without": list(without)}
    return str(raw.execute(_WHOLE, told).fetchone()[0])


def lines_of(raw: Any, schema: str) -> list[str]:
    """What the fingerprint is made of, sorted; to tell two schemas apart in words."""
    told: dict[str, Any] = {"schema": schema, "tables": None, "without": []}
    return [row[0] for row in raw.execute(_LISTED, told).fetchall()]
