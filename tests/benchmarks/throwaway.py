"""A company for one benchmark, removed when it ends."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.sql import SQL, Identifier

AT = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


@contextmanager
def company(slug: str) -> Iterator[Any]:
    """An active company with roles, a pipeline and an owner; gone at the end of the block."""
    from crm_platform.kernel import tenancy
    from tenants import provisioning, queries
    from tenants.models import Company, Domain
    from tests import factories

    _remove(slug)
    schema = provisioning.new_schema_name()
    provisioning.build_schema(schema)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        made = Company.objects.create(
            name=slug, slug=slug, schema_name=schema, state=Company.State.ACTIVE, created_at=AT,
            time_zone="Asia/Taipei",
        )  # fmt: skip
        Domain.objects.create(company=made, host=f"{slug}.localhost", is_primary=True)
        scope = queries.scope_of(made, f"{slug}.localhost")
    with tenancy.unit_of_work(scope):
        factories.seed_company()
        factories.user(role="owner")
    try:
        yield scope
    finally:
        _remove(slug)


def _remove(slug: str) -> None:
    from crm_platform.kernel import tenancy
    from tenants import provisioning
    from tenants.models import Company, Domain

    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = Company.objects.filter(slug=slug).first()
        schema = found.schema_name if found else ""
        if found:
            Domain.objects.filter(company=found).delete()
            found.delete()
    if schema:
        provisioning.remove_schema(schema)


def bare_copy_seconds(scope: Any, *, table: str) -> float:
    """Seconds that COPY takes to bring the rows of `table` into a new table like it."""
    from crm_platform.kernel.db.owner.base import owner_connection

    owner = owner_connection()
    owner.ensure_connection()
    raw = owner.connection
    source, target = Identifier(scope.schema, table), Identifier(scope.schema, "bench_copy")
    with raw.cursor() as cursor:
        with cursor.copy(SQL("COPY {} TO STDOUT").format(source)) as copy:
            blocks = [bytes(block) for block in copy]
        cursor.execute(SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(target, source))
        began = time.perf_counter()
        with raw.transaction(), cursor.copy(SQL("COPY {} FROM STDIN").format(target)) as copy:
            for block in blocks:
                copy.write(block)
        seconds = time.perf_counter() - began
        cursor.execute(SQL("DROP TABLE {}").format(target))
    return seconds
