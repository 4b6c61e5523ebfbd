"""Making a company's schema: one script, one transaction, so it stands whole or not at all.

The script is what Django's own migrations would run, collected once a process and applied with
the schema's role and rights in the same transaction. A crash at any point leaves nothing behind.
"""

import functools
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.apps import apps as django_apps
from django.conf import settings
from django.db import migrations as operations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from psycopg.sql import SQL, Composable, Identifier, Literal

from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.router import labels
from tenants import sharding

RIGHTS = "rapport_rw"
APPEND_ONLY = ("audit_entry",)
DISPENSABLE = (
    operations.AddIndex, operations.RemoveIndex, operations.AddConstraint,
    operations.RemoveConstraint, operations.RunPython, operations.AlterModelOptions,
    operations.AlterModelManagers,
)  # fmt: skip
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class NotWhole(RuntimeError):
    """A schema lacks tables: its company must not be opened."""

    def __init__(self, missing: set[str]) -> None:
        super().__init__(f"{len(missing)} tables are missing: {', '.join(sorted(missing)[:5])}")


def new_schema_name() -> str:
    """A random name never used before: `t_` and 128 bits."""
    return "t_" + "".join(secrets.choice(_ALPHABET) for _ in range(26))


def company_loader() -> MigrationLoader:
    """The graph of every migration; reading it takes a while, so ask once a run."""
    return MigrationLoader(None)


def company_plan(loader: MigrationLoader) -> list[Any]:
    """Every migration of a company's apps, in the order Django would run them."""
    wanted = labels(settings.TENANT_APPS)
    leaves = [node for node in loader.graph.leaf_nodes() if node[0] in wanted]
    seen: dict[tuple[str, str], Any] = {}
    for leaf in leaves:
        for node in loader.graph.forwards_plan(leaf):
            seen.setdefault(node, loader.graph.nodes[node])
    return list(seen.values())


@functools.cache
def company_statements(applied: frozenset[tuple[str, str]] | None = None) -> tuple[str, ...]:
    """The statements that make a company's tables, for an empty schema on the path.

    `applied` names the migrations of an older release (app and name): the tables as they were then.
    """
    connection = owner_connection()
    loader = company_loader()
    state = ProjectState(real_apps=loader.unmigrated_apps)
    statements: list[str] = []
    with connection.working_in("nowhere"):
        for migration in company_plan(loader):
            if applied is not None and (migration.app_label, migration.name) not in applied:
                continue
            with connection.schema_editor(collect_sql=True, atomic=False) as editor:
                state = migration.apply(state, editor, collect_sql=True)
            statements += [s for s in editor.collected_sql if s and not s.startswith("--")]
    return tuple(statements)


@functools.cache
def company_migrations() -> tuple[tuple[str, str], ...]:
    """App and name of each migration the script stands for: a company's head."""
    return tuple((m.app_label, m.name) for m in company_plan(company_loader()))


@functools.cache
def indispensable_migrations() -> frozenset[tuple[str, str]]:
    """Those without which the running code's models cannot be read or written.

    Indexes, constraints and moved rows may come later: a company that still waits for its upgrade
    is served meanwhile.
    """
    return frozenset(
        (migration.app_label, migration.name)
        for migration in company_plan(company_loader())
        if not all(isinstance(operation, DISPENSABLE) for operation in migration.operations)
    )


@functools.cache
def company_tables() -> frozenset[str]:
    """The tables a company must have."""
    wanted = labels(settings.TENANT_APPS)
    models = [m for c in django_apps.get_app_configs() if c.label in wanted for m in c.get_models()]
    return frozenset([m._meta.db_table for m in models] + ["django_migrations"])


def _role_statements(schema: str) -> list[Composable]:
    name = Identifier(schema)
    return [
        SQL("CREATE ROLE {} {}").format(name, sharding.role_login()),
        # The company has these rights; nobody can become them by way of the company.
        SQL("GRANT {} TO {} WITH INHERIT TRUE, SET FALSE").format(Identifier(RIGHTS), name),
        SQL("GRANT {} TO rapport_app WITH INHERIT FALSE, SET TRUE").format(name),
        *sharding.before_schema(),
        SQL("CREATE SCHEMA {}").format(name),
        SQL("GRANT USAGE ON SCHEMA {schema} TO {schema}").format(schema=name),
        SQL("SET LOCAL search_path TO {}").format(name),
    ]


@functools.cache
def company_script(applied: frozenset[tuple[str, str]] | None = None) -> str:
    """Everything that makes an empty schema on the path into a company's, as one message.

    With `applied` as an older release had it (see `company_statements`).
    """
    connection = owner_connection()
    connection.ensure_connection()
    migrations = [
        SQL("({}, {}, now())").format(Literal(app), Literal(name))
        for app, name in (company_migrations() if applied is None else sorted(applied))
    ]
    tail: list[Composable] = [
        SQL(
            "CREATE TABLE django_migrations"
            " (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
            " app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied timestamptz NOT NULL)"
        ),
        SQL("INSERT INTO django_migrations (app, name, applied) VALUES {}").format(
            SQL(", ").join(migrations)
        ),
        *[
            SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(
                Identifier(table), Identifier(RIGHTS)
            )
            for table in APPEND_ONLY
        ],
    ]
    whole = SQL(sharding.SEPARATOR).join([*map(SQL, company_statements(applied)), *tail])
    return whole.as_string(connection.connection)


def build_schema(
    schema: str, *, script: str = "", applied: frozenset[tuple[str, str]] | None = None
) -> None:
    """Make `schema` with its role, tables and rights, all in one transaction.

    `script` is a release's (`company_script` of the code that rendered it); without one the
    running code's is taken, with `applied` as an older release had it.

    Raises:
        ProgrammingError: the schema exists already; names are never reused.
    """
    connection = owner_connection()
    connection.ensure_connection()
    raw = connection.connection
    with raw.transaction():
        sharding.send(raw, [*_role_statements(schema), SQL(script or company_script(applied))])


def remove_schema(schema: str) -> None:
    """Drop a schema and its role; absent ones are fine."""
    connection = owner_connection()
    connection.ensure_connection()
    raw = connection.connection
    name = Identifier(schema)
    with raw.transaction():
        raw.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
        found = raw.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [schema]).fetchone()
        if found:
            raw.execute(SQL("DROP ROLE {}").format(name))


def schema_exists(schema: str) -> bool:
    return bool(standing([schema]))


def standing(schemas: Sequence[str]) -> list[str]:
    """Which of the schemas there are. One query."""
    connection = owner_connection()
    connection.ensure_connection()
    found = connection.connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s)", [list(schemas)]
    ).fetchall()
    return [name for (name,) in found]


def missing_tables(schema: str) -> set[str]:
    """What a schema lacks to be whole; empty for a good one."""
    connection = owner_connection()
    connection.ensure_connection()
    rows = connection.connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]
    ).fetchall()
    return set(company_tables()) - {row[0] for row in rows}


def demand_whole(schema: str) -> None:
    """Refuse a schema that lacks a table.

    Raises:
        NotWhole: names what is missing.
    """
    missing = missing_tables(schema)
    if missing:
        raise NotWhole(missing)


def migrate_schema(schema: str) -> list[str]:
    """Run the migrations a company still lacks; returns their names."""
    connection = owner_connection()
    with connection.working_in(schema):
        executor = MigrationExecutor(connection)
        wanted = labels(settings.TENANT_APPS)
        targets = [node for node in executor.loader.graph.leaf_nodes() if node[0] in wanted]
        plan = executor.migration_plan(targets)
        executor.migrate(targets, plan)
        return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


@contextmanager
def only_worker(company_id: UUID) -> Iterator[bool]:
    """Whether this process alone makes or erases the company, for the block.

    A lock of the owner's session: it ends with the process, however that ends.
    """
    connection = owner_connection()
    connection.ensure_connection()
    key = [company_id.int & 0x7FFF_FFFF_FFFF_FFFF]
    raw = connection.connection
    is_only = bool(raw.execute("SELECT pg_try_advisory_lock(%s)", key).fetchone()[0])
    try:
        yield is_only
    finally:
        if is_only and not raw.closed:
            raw.execute("SELECT pg_advisory_unlock(%s)", key)
