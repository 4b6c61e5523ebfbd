"""What each company's own tables say about the release they stand at, beside the register."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from crm_platform.kernel.db.owner.base import owner_connection
from tenants.models import Company
from tenants.upgrades.models import Release

AUDITED_AT_ONCE = 100
"""Schemas a message: from some 200 on the planner's work grows faster than their number."""

Head = frozenset[str]


def audit(release: Release, companies: Sequence[Company]) -> tuple[list[Any], list[Any]]:
    """Ids of the companies whose own migration rows are the release's, and of those whose differ.

    Reads every schema, a hundred a message.
    """
    connection = owner_connection()
    connection.ensure_connection()
    wanted = head_of(release.head)
    same: list[Any] = []
    other: list[Any] = []
    for start in range(0, len(companies), AUDITED_AT_ONCE):
        part = companies[start : start + AUDITED_AT_ONCE]
        found = heads_of(connection.connection, [c.schema_name for c in part])
        for company in part:
            (same if found.get(company.schema_name) == wanted else other).append(company.pk)
    return same, other


def head_of(migrations: Iterable[Sequence[str]]) -> Head:
    """What `heads_of` says of a schema with just these migrations, [app, name] each."""
    return frozenset(f"{app}.{name}" for app, name in migrations)


def heads_of(raw: Any, schemas: Sequence[str]) -> dict[str, Head]:
    """The migrations that each schema has by its own rows; absent schemas are left out."""
    try:
        with raw.transaction():
            # A hundred small tables look dear to the planner; compiling for them costs more.
            raw.execute("SET LOCAL jit = off")
            return _read(raw, schemas)
    except psycopg.errors.UndefinedTable:
        # Asked for only now: looking whether they are there costs as much as reading them.
        found = raw.execute(
            "SELECT name FROM unnest(%s::text[]) name"
            " WHERE to_regclass(format('%%I.django_migrations', name)) IS NOT NULL",
            [list(schemas)],
        ).fetchall()
        return _read(raw, [name for (name,) in found])


def _read(raw: Any, schemas: Sequence[str]) -> dict[str, Head]:
    if not schemas:
        return {}
    one = "SELECT {name}, string_agg(app || '.' || name, ',') FROM {schema}.django_migrations"
    parts = [SQL(one).format(name=Literal(n), schema=Identifier(n)) for n in schemas]
    # Not sorted there: nearly every company has the same text, which is taken apart once.
    return {name: _parted(text or "") for name, text in raw.execute(SQL(" UNION ALL ").join(parts))}


@functools.lru_cache(maxsize=64)
def _parted(text: str) -> Head:
    return frozenset(text.split(",")) if text else frozenset()
