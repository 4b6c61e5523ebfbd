"""A throw-away copy of one company's tables, beside it: to try a release on."""

import dataclasses
import uuid
from typing import Any

from django.db import transaction
from psycopg.sql import SQL, Identifier

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from tenants import provisioning
from tenants import queries as register
from tenants.backups import catalogue, loading
from tenants.models import Company


@dataclasses.dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds; `size` in bytes with its indexes."""

    rows: int
    size: int


def copy_company(company: Company, schema: str, *, script: str) -> Copied:
    """Make `schema` by `script` and fill it with the company's rows as of one moment.

    Sessions, keys and mails stay behind, as in a backup. Rows go from table to table inside the
    server; the copy has a role of its own and no host leads to it.
    """
    provisioning.build_schema(schema, script=script)
    connection = owner_connection()
    raw = catalogue.owner()
    with connection.working_in(schema), transaction.atomic(using="owner"):
        raw.execute(SQL("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        raw.execute(SQL("SET LOCAL search_path TO {}").format(Identifier(schema)))
        again = loading.take_off(raw, schema)
        rows = sum(
            _copy_rows(raw, company.schema_name, schema, table)
            for table in catalogue.tables(raw, schema)
        )
        for statement in again:
            raw.execute(statement)
        for name, (value, is_called) in catalogue.sequences(raw, company.schema_name).items():
            there = Identifier(schema, name).as_string(raw)
            raw.execute("SELECT setval(%s::regclass, %s, %s)", [there, value, is_called])
    loading.analyze(raw, schema)
    return Copied(rows, _size_of(raw, schema))


def _copy_rows(raw: Any, source: str, target: str, table: catalogue.Table) -> int:
    columns = SQL(", ").join(map(Identifier, table.columns))
    done = raw.execute(
        SQL("INSERT INTO {into} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {out}")
        .format(into=Identifier(target, table.name), columns=columns,
                out=Identifier(source, table.name))
    )  # fmt: skip
    return int(done.rowcount)


def _size_of(raw: Any, schema: str) -> int:
    found = raw.execute(
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class"
        " WHERE relnamespace = %s::regnamespace AND relkind = 'r'",
        [schema],
    ).fetchone()
    return int(found[0])


def scope_of_copy(company: Company, schema: str) -> tenancy.Scope:
    """Where the copy's data steps run: its own tables, and no cache or file of the company's."""
    scope = register.scope_of(company)
    return dataclasses.replace(scope, id=uuid.uuid4(), schema=schema, role=schema, host="")
