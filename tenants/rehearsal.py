"""Rehearsal companies: a copy of a company's configuration to try things in; nothing in it is real.

Made like a restore: the schema is built and filled before the register knows the company, so that
nothing half-made can be opened. People are virtual: names and addresses are masked and nobody can
sign in, but the one who asked. Everything here opens its own units of work.
"""

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from psycopg.sql import SQL, Composable, Identifier, Literal

from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, NotFound
from tenants import provisioning, queries, services
from tenants.backups import catalogue
from tenants.backups.locks import only_one
from tenants.lifecycle import states
from tenants.models import Company, Domain

PEOPLE = "identity_user"
MASKED = {
    "name": SQL("'Person ' || id"),
    "email": SQL("'person' || id || '@rehearsal.invalid'"),
    "phone": SQL("''"),
    "preferences": SQL("'{}'::jsonb"),
}
"""What stands in a virtual person's columns. `.invalid` receives no mail. Source: RFC 2606."""
APART = 1_000_000
Fill = Callable[[User, dt.datetime], Any]
"""Puts generated records into the company worked in, as that person."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a rehearsal's configuration is not the live one's.

    `field` is empty where the whole row is only in one of the two; values are plain JSON.
    """

    table: str
    row_id: int
    row: str
    field: str
    live: Any
    rehearsal: Any

    @property
    def key(self) -> str:
        """What it is chosen by."""
        return f"{self.table}:{self.row_id}:{self.field}"


def rehearsals_of(company_id: UUID) -> QuerySet[Company]:
    """The standing rehearsals of a company; for the platform's unit of work."""
    return Company.objects.filter(live_id=company_id).exclude(
        state__in=(Company.State.DELETED, Company.State.ERASED)
    )


def make(
    *, live_id: UUID, owner_email: str, tables: Sequence[str], fill: Fill, at: dt.datetime
) -> Company:
    """Make the rehearsal of a company: its configuration (`tables`), virtual people, made-up data.

    Raises:
        NotFound: there is no such working company, or nobody active has that address there.
        Conflict: it has a rehearsal, is one itself, or one is being made.
    """
    with only_one(f"rehearsal:{live_id}") as is_ours:
        if not is_ours:
            raise Conflict(_("A rehearsal of this company is being made now. Wait a moment."))
        made = _planned(live_id, at)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            live = Company.objects.get(pk=live_id)
        owner_id = _owner_of(live, owner_email)
        try:
            _build(live, made, tables, owner_id)
            _fill(made, owner_id, fill, at)
            _open(made)
        except BaseException:
            provisioning.remove_schema(made.schema_name)
            raise
    queries.forget_hosts()
    return made


def _planned(live_id: UUID, at: dt.datetime) -> Company:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        live = Company.objects.filter(pk=live_id, state__in=states.WORKS).first()
        if live is None:
            raise NotFound(_("There is no such working company."))
        if live.live_id is not None:
            raise Conflict(_("This is a rehearsal itself. Ask for one of the live company."))
        if rehearsals_of(live_id).exists():
            raise Conflict(_("This company has a rehearsal. Reset or remove that one."))
        # Names are never given out twice: each rehearsal has a new one.
        slug = f"{live.slug[:24]}-try-{secrets.token_hex(3)}"
        return Company(
            id=uuid.uuid4(), live=live, slug=slug, name=f"{live.name[:100]} (rehearsal)",
            schema_name=provisioning.new_schema_name(), state=Company.State.ACTIVE, created_at=at,
            activated_at=at, language=live.language, time_zone=live.time_zone,
            currency=live.currency, accent_hue=live.accent_hue, release=live.release,
            features=live.features,
        )  # fmt: skip


def _owner_of(live: Company, email: str) -> int:
    with tenancy.unit_of_work(queries.scope_of(live)):
        found = User.objects.filter(email__iexact=email, is_active=True).first()
    if found is None:
        raise NotFound(_("Nobody with this mail address works there."))
    return int(found.pk)


def _build(live: Company, made: Company, tables: Sequence[str], owner_id: int) -> None:
    """The schema as the live one stands, with its configuration; ids stay the same."""
    raw = catalogue.owner()
    applied = frozenset(catalogue.migrations(raw, live.schema_name))
    is_current = applied == frozenset(provisioning.company_migrations())
    provisioning.build_schema(made.schema_name, applied=None if is_current else applied)
    columns = {table.name: table for table in catalogue.tables(raw, live.schema_name)}
    with raw.transaction():
        for name in _with_people(tables):
            values: dict[str, Composable] = {
                column: Identifier(column) for column in columns[name].columns
            }
            if name == PEOPLE:
                values |= _masked(owner_id)
            raw.execute(_copied(live.schema_name, made.schema_name, name, values))
        for name in _with_people(tables):
            raw.execute(_numbered_apart(made.schema_name, name))


def _numbered_apart(schema: str, table: str) -> Composable:
    """New rows of a rehearsal have numbers that no new row of the live company gets meanwhile."""
    return SQL(
        "SELECT setval(pg_get_serial_sequence({name}, 'id'), coalesce(max(id), 0) + {apart})"
        " FROM {table}"
    ).format(
        name=Literal(f'"{schema}"."{table}"'), apart=Literal(APART),
        table=Identifier(schema, table),
    )  # fmt: skip


def _with_people(tables: Sequence[str]) -> list[str]:
    """People come after their roles and teams, before what names them."""
    first = [name for name in tables if name.startswith("identity_")]
    return [*first, PEOPLE, *(name for name in tables if name not in first)]


def _masked(owner_id: int) -> dict[str, Composable]:
    """The columns of people, masked for all but the one who asked."""
    masked = {**MASKED, "password": SQL("{}").format(Literal(make_password(None)))}
    return {
        column: SQL("CASE WHEN id = {} THEN {} ELSE {} END").format(
            Literal(owner_id), Identifier(column), value
        )
        for column, value in masked.items()
    }


def _copied(source: str, target: str, name: str, values: dict[str, Any]) -> Composable:
    return SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
        Identifier(target, name), SQL(", ").join(map(Identifier, values)),
        SQL(", ").join(values.values()), Identifier(source, name),
    )  # fmt: skip


def _fill(made: Company, owner_id: int, fill: Fill, at: dt.datetime) -> None:
    with tenancy.unit_of_work(queries.scope_of(made)):
        fill(User.objects.select_related("role", "team").get(pk=owner_id), at)


def _open(made: Company) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        services.demand_free_slug(made.slug)
        made.save(force_insert=True)
        Domain.objects.create(company=made, host=f"{made.slug}.{settings.BASE_DOMAIN}")


def remove(*, company_id: UUID, at: dt.datetime) -> None:
    """Remove a rehearsal, data and all. Idempotent.

    Raises:
        Conflict: it is no rehearsal; live companies are never removed this way.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.filter(pk=company_id).first()
    if company is None:
        return
    if company.live_id is None:
        raise Conflict(_("This is no rehearsal: a live company is never removed this way."))
    services.remove(company_id=company_id, at=at)
    provisioning.remove_schema(company.schema_name)


def reset(
    *, live_id: UUID, owner_email: str, tables: Sequence[str], fill: Fill, at: dt.datetime
) -> Company:
    """Remove a company's rehearsal and make it anew from what is live now.

    Raises:
        NotFound, Conflict: as `make`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        standing = list(rehearsals_of(live_id).values_list("pk", flat=True))
    for pk in standing:
        remove(company_id=pk, at=at)
    return make(live_id=live_id, owner_email=owner_email, tables=tables, fill=fill, at=at)


def differences(*, company_id: UUID, tables: Sequence[str]) -> list[Difference]:
    """In what a rehearsal's configuration differs from the live one's, table by table.

    Raises:
        NotFound: it is no standing rehearsal.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.select_related("live").filter(pk=company_id).first()
    if company is None or company.live is None:
        raise NotFound(_("There is no such rehearsal."))
    found: list[Difference] = []
    for name in tables:
        live = _rows(company.live.schema_name, name)
        here = _rows(company.schema_name, name)
        for pk in sorted({*live, *here}):
            found += _row_differences(name, live.get(pk), here.get(pk))
    return found


def _rows(schema: str, table: str) -> dict[int, dict[str, Any]]:
    query = SQL("SELECT id, to_jsonb(t)::text FROM {} t").format(Identifier(schema, table))
    return {pk: json.loads(row) for pk, row in catalogue.owner().execute(query).fetchall()}


def _row_differences(
    table: str, live: dict[str, Any] | None, here: dict[str, Any] | None
) -> list[Difference]:
    known = live or here or {}
    row = str(known.get("name") or known.get("label") or known.get("id"))
    if live is None or here is None:
        return [Difference(table, known["id"], row, "", live, here)]
    return [
        Difference(table, known["id"], row, field, live.get(field), here.get(field))
        for field in sorted({*live, *here})
        if live.get(field) != here.get(field)
    ]
