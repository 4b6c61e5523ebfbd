"""What follows a company's transaction: indexes of big tables, and constraints proven for old rows.

Each is a statement of its own that lets people read and write meanwhile. It may be cut off
anywhere: what stands already is found in the catalogue and not done again.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg.sql import SQL, Identifier, Literal

from tenants.upgrades.rendering import ConstraintStep, IndexStep, Step

BIG_TABLE_ROWS = 200_000
"""From here on an index is made beside the work, without locking the table out."""


def index_names(steps: Iterable[Step]) -> list[str]:
    return [index["name"] for step in steps for index in step["indexes"]]


def constraints_of(steps: Iterable[Step]) -> list[ConstraintStep]:
    """What is to be proven; releases built by older code have none."""
    return [each for step in steps for each in step.get("constraints", [])]


def indexes_left(raw: Any, schema: str, steps: Sequence[Step]) -> frozenset[str]:
    """Names of the indexes that must not be made in the transaction: their tables are big."""
    wanted = [index for step in steps for index in step["indexes"]]
    if not wanted:
        return frozenset()
    rows = raw.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = ANY(%s) AND c.reltuples >= %s",
        [schema, [each["table"] for each in wanted], BIG_TABLE_ROWS],
    ).fetchall()
    big = {name for (name,) in rows}
    return frozenset(each["name"] for each in wanted if each["table"] in big)


def make_indexes(raw: Any, schema: str, steps: Sequence[Step]) -> None:
    """`CREATE INDEX CONCURRENTLY` for each that is absent, or was left invalid by a cut.

    Outside any transaction.
    """
    for step in steps:
        for index in step["indexes"]:
            _make_index(raw, schema, index)


def _make_index(raw: Any, schema: str, index: IndexStep) -> None:
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
    raw.execute(named.replace(table, f'ON "{schema}"."{index["table"]}"', 1))


def prove_constraints(
    raw: Any, schema: str, steps: Sequence[Step], *, lock_timeout_ms: int
) -> None:
    """`VALIDATE CONSTRAINT` for each that is not proven yet, each in a transaction of its own.

    It holds SHARE UPDATE EXCLUSIVE only, so people go on reading and writing.

    Raises:
        psycopg.errors.LockNotAvailable: other maintenance is at work on the table.
        psycopg.IntegrityError: a row breaks the rule; the constraint stays, not proven.
    """
    names = [each["name"] for each in constraints_of(steps)]
    if not names:
        return
    open_ones = raw.execute(
        "SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND k.conname = ANY(%s) AND NOT k.convalidated ORDER BY k.conname",
        [schema, names],
    ).fetchall()
    for table, name in open_ones:
        with raw.transaction():
            raw.execute(SQL("SET LOCAL lock_timeout = {}").format(Literal(lock_timeout_ms)))
            raw.execute(
                SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(
                    Identifier(schema, table), Identifier(name)
                )
            )
