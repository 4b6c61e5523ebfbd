"""Checks of the walls in the database and on the disk (T6, T13)."""

from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from crm_platform.kernel import tenancy
from tenants.provisioning import APPEND_ONLY, owner_connection
from tests.isolation.ledger import tables_of
from tests.isolation.matrix import undone
from tests.kernel.figures import Figures

Pair = tuple[tenancy.Scope, tenancy.Scope]
STATEMENTS = (
    "SELECT count(*) FROM {table}",
    "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "LOCK TABLE {table} IN ACCESS SHARE MODE",
)
FORBIDDEN = (
    "SET ROLE rapport_owner", "SET ROLE postgres", "CREATE ROLE evil", "CREATE SCHEMA evil",
    "CREATE TABLE evil (id int)", "CREATE TEMP TABLE e (i int)", "DROP TABLE fields_tag",
    "ALTER TABLE fields_tag ADD COLUMN evil int", "COPY fields_tag TO PROGRAM 'true'",
    "SELECT pg_read_file('/etc/passwd')",
    "CREATE FUNCTION evil() RETURNS int LANGUAGE sql AS 'SELECT 1'",
)  # fmt: skip
"""What a company's statement may never do."""


def _first_column(schema: str, table: str) -> str:
    row = owner_connection().connection.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position LIMIT 1",
        [schema, table],
    ).fetchone()  # fmt: skip
    return str(row[0])


def _is_denied(statement: Any) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return "permission denied" in str(error)
    return False


def reached_beyond(scope: tenancy.Scope, schemas: list[str]) -> Figures:
    """As one company, name the tables of other schemas in full and try everything (T6)."""
    found = Figures()
    owner_connection().ensure_connection()
    for schema in schemas:
        for table in tables_of(schema):
            names = {
                "table": sql.Identifier(schema, table),
                "column": sql.Identifier(_first_column(schema, table)),
            }
            for statement in STATEMENTS:
                with undone(scope):
                    denied = _is_denied(sql.SQL(statement).format(**names))
                found.judge(is_right=denied, note=f"{schema}.{table}: {statement[:12]}")
    return found


def escalated(scope: tenancy.Scope, other: tenancy.Scope) -> Figures:
    """Whatever a company's statement may do to itself, the login behind it reads nothing."""
    found = Figures()
    name = sql.Identifier(other.schema, "fields_tag")
    for first in ("RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION DEFAULT"):
        with tenancy.unit_of_work(scope):
            with connection.cursor() as cursor:
                cursor.execute(first)
            denied = _is_denied(sql.SQL("SELECT 1 FROM {}").format(name))
        found.judge(is_right=denied, note=f"{first}, then a foreign table")
    for statement in FORBIDDEN:
        with tenancy.unit_of_work(scope):
            found.judge(is_right=_is_refused(statement), note=statement)
    return found


def _is_refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError:
        return True
    return False


def history_rewritten(scope: tenancy.Scope) -> Figures:
    """A company's own role adds history; it changes and removes none."""
    found = Figures()
    for table in APPEND_ONLY:
        for statement in STATEMENTS[2:5]:
            names = {"table": sql.Identifier(table), "column": sql.Identifier("id")}
            with undone(scope):
                denied = _is_denied(sql.SQL(statement).format(**names))
            found.judge(is_right=denied, note=f"{table}: {statement[:8]}")
    return found


def files_of_the_other(pair: Pair) -> Figures:
    """A file of one company by every name and act, asked for in the other (T13)."""
    found = Figures()
    one, other = pair
    with tenancy.choose(other):
        kept = default_storage.save("canary.CSV", ContentFile(b"canary of the other"))
        if not kept.startswith(f"{other.id}/") or "canary" in kept or not kept.endswith(".csv"):
            found.judge(is_right=False, note=f"saved as {kept}")
    acts = (
        lambda name: default_storage.open(name).read(), default_storage.delete,
        default_storage.exists, default_storage.size, default_storage.path,
        default_storage.get_modified_time,
        lambda name: default_storage.listdir(name.rpartition("/")[0]),
    )  # fmt: skip
    with tenancy.choose(one):
        for name in _spellings(one, kept):
            for act in acts:
                try:
                    answer = act(name)
                    ours = str(answer).startswith(f"{settings.MEDIA_ROOT}/{one.id}/")
                    is_right = answer in (None, False) or (ours and "/../" not in str(answer))
                    found.judge(is_right=is_right, note=f"{name}: {answer!r}"[:120])
                except (SuspiciousFileOperation, ValueError, OSError):
                    found.judge(is_right=True)
    with tenancy.choose(other):
        still = default_storage.exists(kept)
        found.judge(is_right=still, note="the file is gone")
        if still:
            default_storage.delete(kept)
    return found


def _spellings(one: tenancy.Scope, name: str) -> list[str]:
    whose, _slash, rest = name.partition("/")
    return [
        name, f"/{name}", f"./{name}", f"//{name}", f"{one.id}/../{name}", f"{one.id}/./../{name}",
        f"{one.id}/%2e%2e/{name}", f"{one.id}/..\\{name}", f"{whose.upper()}/{rest}",
        f"{one.id}/../../{name}", f"{whose}//{rest}", f"{whose}\x00/{rest}",
        "../secrets.json", "/etc/passwd", f"{one.id}/../../../../../../etc/passwd", "", ".", "..",
    ]  # fmt: skip
