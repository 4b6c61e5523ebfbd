"""Rehearsal companies: a copy of a company's configuration to try things in; nothing in it is real.

The register knows the company before its schema is built, so that a maker that dies leaves nothing
that nobody knows; it has an address only once it is whole, so that nothing half-made can be opened.
People are virtual: names and addresses are masked and nobody can sign in, but the one who asked.
Everything here opens its own units of work.
"""

import datetime as dt
import json
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
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

State = Company.State
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
        state__in=(State.BUILDING, State.DELETED, State.ERASED)
    )


def _lock(live_id: UUID) -> AbstractContextManager[bool]:
    """Who makes or removes a company's rehearsal."""
    return only_one(f"rehearsal:{live_id}")


def make(
    *, live_id: UUID, owner_email: str, tables: Sequence[str], fill: Fill, at: dt.datetime
) -> Company:
    """Make the rehearsal of a company: its configuration (`tables`), virtual people, made-up data.

    Raises:
        NotFound: there is no such working company, or nobody active has that address there.
        Conflict: it has a rehearsal, is one itself, or one is being made.
    """
    with _lock(live_id) as is_ours:
        if not is_ours:
            raise Conflict(_("A rehearsal of this company is being made now. Wait a moment."))
        _clear(live_id)
        made = _planned(live_id, at)
        try:
            with tenancy.unit_of_work(tenancy.PLATFORM):
                live = Company.objects.get(pk=live_id)
            owner_id = _owner_of(live, owner_email)
            _build(live, made, tables, owner_id)
            made.state = State.ACTIVE  # for whoever fills it; the register says so in the end
            _fill(made, owner_id, fill, at)
            _open(made)
        except BaseException:
            _forget(made)
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
        services.demand_free_slug(slug)
        return Company.objects.create(
            live=live, slug=slug, name=f"{live.name[:100]} (rehearsal)",
            schema_name=provisioning.new_schema_name(), state=State.BUILDING, created_at=at,
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
        made.save(update_fields=["state"])
        Domain.objects.create(company=made, host=f"{made.slug}.{settings.BASE_DOMAIN}")


def _forget(made: Company) -> None:
    """Remove one that never opened: its schema first, by which the register still knows it."""
    provisioning.remove_schema(made.schema_name)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=made.pk, state=State.BUILDING).delete()


def _clear(live_id: UUID) -> int:
    """Remove what dead processes left of a company's rehearsals; for who holds its lock."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rehearsals = Company.objects.filter(live_id=live_id)
        half_made = list(rehearsals.filter(state=State.BUILDING))
        removed = list(rehearsals.filter(state=State.DELETED).values_list("schema_name", flat=True))
    left = provisioning.standing(removed)
    for company in half_made:
        _forget(company)
    for schema in left:
        provisioning.remove_schema(schema)
    return len(half_made) + len(left)


def clear_dead() -> int:
    """Remove what makers and removers left that died in the middle; returns how many. Idempotent.

    Nobody is at work on what has no lock.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        states_left = (State.BUILDING, State.DELETED)
        rows = Company.objects.filter(live__isnull=False, state__in=states_left)
        lives = list(rows.order_by().values_list("live_id", flat=True).distinct())
    cleared = 0
    for live_id in lives:
        with _lock(live_id) as is_ours:
            cleared += _clear(live_id) if is_ours else 0
    return cleared


def remove(*, company_id: UUID, at: dt.datetime) -> None:
    """Remove a rehearsal, data and all. Idempotent.

    Raises:
        Conflict: it is no rehearsal (live companies are never removed this way), or one is being
            made or removed.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.filter(pk=company_id).first()
    if company is None:
        return
    if company.live_id is None:
        raise Conflict(_("This is no rehearsal: a live company is never removed this way."))
    with _lock(company.live_id) as is_ours:
        if not is_ours:
            raise Conflict(_("A rehearsal of this company is being made now. Wait a moment."))
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
