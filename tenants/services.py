"""The only code that changes the register of companies and brings them through their states.

A company goes requested → building → trial (a demo: active); building may end in failed. From
there on `lifecycle` moves it; `remove` is the operators' own end of it. `build` may be cut off
anywhere and called again. Each function opens its own units of work; from
inside a company's, ask `after_commit` to run one once that company's is finished.
"""

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from crm_platform.identity.services import people, roles
from crm_platform.kernel import tenancy
from crm_platform.kernel.db.together import create_together
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from crm_platform.kernel.money import is_currency
from tenants import provisioning, queries, rules
from tenants.lifecycle import changes, states
from tenants.lifecycle.states import Who
from tenants.models import Company, Domain, RetiredName
from tenants.upgrades import queries as upgrades
from tenants.upgrades import spares

logger = logging.getLogger("rapport.tenants")
State = Company.State


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewOwner:
    """Who will own a company.

    `password_hash` is what `make_password` gave; `enter_hash` the SHA-256 of a one-time secret
    that signs the owner in, or empty.
    """

    name: str
    email: str
    password_hash: str
    enter_hash: str = ""


def request_company(
    *,
    name: str,
    slug: str,
    owner: NewOwner,
    language: str,
    time_zone: str,
    currency: str,
    at: dt.datetime,
    is_demo: bool = False,
) -> Company:
    """Enter a company in the register, with its address; it is built by `build`.

    Raises:
        Invalid: the address name is not allowed, reserved or taken, or the currency unknown.
    """
    rules.check_slug(slug)
    name = " ".join(name.split())
    if not name:
        raise Invalid(_("Give the company's name."), field="company_name")
    if not is_currency(currency):
        raise Invalid(_("Choose a currency from the list."), field="currency")
    try:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            taken = spares.take(slug=slug)
            if taken is None:
                demand_free_slug(slug)
            schema, release = taken or (provisioning.new_schema_name(), "")
            company = Company(
                name=name, slug=slug, schema_name=schema, release=release, language=language,
                time_zone=time_zone, currency=currency, is_demo=is_demo, created_at=at,
                pending_owner=dataclasses.asdict(owner),
            )  # fmt: skip
            domain = Domain(company=company, host=f"{slug}.{settings.BASE_DOMAIN}")
            create_together(company, domain)
    except IntegrityError as error:
        raise _taken() from error
    queries.forget_hosts()
    return company


def demand_free_slug(slug: str) -> None:
    """Refuse an address name that a company has or had.

    Raises:
        Invalid: on the field `slug`.
    """
    if not queries.slug_is_free(slug):
        raise _taken()


def _taken() -> Invalid:
    return Invalid(_("Another company has this address name. Choose another one."), field="slug")


def build(*, company_id: UUID, at: dt.datetime) -> State:
    """Make the company's schema and first rows, check them and open it; returns its state.

    Safe to call again after it was cut off at any point, and in two processes at once: the second
    changes nothing. What went wrong is kept on the company, and raised.

    Raises:
        NotFound: there is no such company.
    """
    with provisioning.only_worker(company_id) as is_only:
        if not is_only:
            return _state_of(company_id)
        company = _begin_building(company_id)
        if company.state != State.BUILDING:
            return State(company.state)
        try:
            _make_schema(company)
            _seed(company, at=at)
            provisioning.demand_whole(company.schema_name)
        except BaseException as error:
            _note_failure(company_id, error)
            raise
        activate(company_id=company_id, at=at)
    measure(company_id=company_id, at=at)
    return _state_of(company_id)


def _state_of(company_id: UUID) -> State:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return State(_locked(company_id).state)


def _locked(company_id: UUID) -> Company:
    company = Company.objects.select_for_update().filter(pk=company_id).first()
    if company is None:
        raise NotFound(_("There is no such company."))
    return company


def _begin_building(company_id: UUID) -> Company:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = _locked(company_id)
        if company.state in (State.REQUESTED, State.BUILDING, State.FAILED):
            company.state, company.error = State.BUILDING, ""
            company.attempts += 1
            company.save(update_fields=["state", "attempts", "error"])
        return company


def _make_schema(company: Company) -> None:
    """Build it from the newest release's script, or adopt what stands when that is whole.

    Nobody has worked in it yet, so one of an older release is simply made anew.
    """
    schema = company.schema_name
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = upgrades.newest()
    is_newest = release is None or company.release == release.version
    if provisioning.schema_exists(schema):
        if is_newest and not provisioning.missing_tables(schema):
            return
        provisioning.remove_schema(schema)
    if release is not None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            # Entered first: a schema is never behind what the register says of it.
            Company.objects.filter(pk=company.pk).update(release=release.version)
    provisioning.build_schema(schema, script=release.script if release else "")


def _seed(company: Company, *, at: dt.datetime) -> None:
    """The first rows, in one transaction: there are roles, so there is everything else too."""
    scope = queries.scope_of(company, f"{company.slug}.{settings.BASE_DOMAIN}")
    with tenancy.unit_of_work(scope):
        if roles.are_seeded():
            return
        roles.seed_roles()
        new = NewOwner(**(company.pending_owner or {}))
        owner = people.make_owner(
            name=new.name, email=new.email, password_hash=new.password_hash,
            language=company.language, enter_hash=new.enter_hash, at=at,
        )  # fmt: skip
        for dotted in getattr(settings, "COMPANY_SEEDERS", ()):
            import_string(dotted)(
                owner=owner, language=company.language, currency=company.currency,
                time_zone=company.time_zone, at=at,
            )  # fmt: skip


def _note_failure(company_id: UUID, error: BaseException) -> None:
    logger.error("Company %s could not be built", company_id, exc_info=error)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=company_id, state=State.BUILDING).update(
            state=State.FAILED, error=f"{type(error).__name__}: {error}"[:2000]
        )
    queries.forget_hosts()


def activate(*, company_id: UUID, at: dt.datetime) -> None:
    """Open a company that stands whole.

    Raises:
        Conflict: it is not being built, or a table is missing.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = _locked(company_id)
        if company.state != State.BUILDING:
            raise Conflict(_("This company is not being built."))
        if provisioning.missing_tables(company.schema_name):
            raise Conflict(_("This company is not whole yet."))
        to = State.ACTIVE if company.is_demo else State.TRIAL
        company.activated_at, company.error, company.pending_owner = at, "", None
        company.save(update_fields=["activated_at", "error", "pending_owner"])
        until = states.end_of(to, source=State.BUILDING, who=Who.CLOCK, at=at)
        changes.enter(company, to, at=at, until=until)
        end = until.isoformat() if until else None
        facts = {"to": to, "until": end}
        changes.note(company_id, "company.opened", actor="service", at=at, facts=facts)
    queries.forget_hosts()


def retry(*, company_id: UUID) -> None:
    """Give a failed company another set of attempts; the caller sends the task.

    Raises:
        Conflict: it has not failed.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = _locked(company_id)
        if company.state != State.FAILED:
            raise Conflict(_("Only a company whose making failed can be tried again."))
        company.state, company.attempts = State.REQUESTED, 0
        company.save(update_fields=["state", "attempts"])


CHANGEABLE = (
    "name", "language", "time_zone", "currency", "accent_hue", "ring", "window_from", "window_to",
    "upgrades_fixed", "upgrade_after",
)  # fmt: skip


def rename(*, company_id: UUID, name: str) -> None:
    """Change the shown name; the address stays.

    Raises:
        Invalid: the name is empty or longer than 120 characters.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= 120:
        raise Invalid(_("Give a name of 1 to 120 characters."), field="name")
    change_facts(company_id=company_id, name=name)


def change_facts(*, company_id: UUID, **facts: Any) -> None:
    """Change what the register says of a company (`CHANGEABLE`); the values are checked before."""
    unknown = set(facts) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"Not a fact of a company: {', '.join(sorted(unknown))}.")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        _locked(company_id)
        Company.objects.filter(pk=company_id).update(**facts)
    queries.forget_hosts()


def after_commit(service: Callable[..., Any], **kwargs: Any) -> None:
    """Call a service of this module once the running unit of work, a company's, is kept."""
    transaction.on_commit(lambda: service(**kwargs))


def suspend(
    *, company_id: UUID, reason: str, actor: str = "operator", at: dt.datetime | None = None
) -> None:
    """Stop a company until `resume`: only its page is shown, its tasks are refused.

    Raises:
        Conflict: it is not open.
        Invalid: no reason given.
    """
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the company."), field="reason")
    changes.move(
        company_id=company_id, to=State.SUSPENDED, who=Who.OPERATOR, actor=actor, reason=reason,
        at=at or timezone.now(),
    )  # fmt: skip


def resume(*, company_id: UUID, actor: str = "operator", at: dt.datetime | None = None) -> None:
    """Open a suspended company again.

    Raises:
        Conflict: it is not suspended.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        if _locked(company_id).state != State.SUSPENDED:
            raise Conflict(_("The company is in another state now. Reload the page."))
        changes.move(
            company_id=company_id, to=State.ACTIVE, who=Who.OPERATOR, actor=actor,
            at=at or timezone.now(),
        )  # fmt: skip


def remove(*, company_id: UUID, at: dt.datetime, actor: str = "operator") -> None:
    """Close a company for good, but keep its schema: its names are never given out again.

    Doing it twice changes nothing.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = _locked(company_id)
        if company.state == State.DELETED:
            return
        for name in (company.slug, company.schema_name):
            RetiredName.objects.get_or_create(name=name, defaults={"retired_at": at})
        company.domains.exclude(kind=Domain.Kind.OWN).delete()
        company.domains.update(released_at=at, is_primary=False, token="")
        before, company.pending_owner = company.state, None
        company.save(update_fields=["pending_owner"])
        changes.enter(company, State.DELETED, at=at, until=None)
        changes.note(company_id, "company.removed", actor=actor, at=at, facts={"from": before})
    queries.forget_hosts()


def measure(*, company_id: UUID, at: dt.datetime) -> None:
    """Count people, read size and last use of a working company, for the operators' list."""
    scope = queries.working_scope(company_id)
    if scope is None:
        return
    try:
        with tenancy.unit_of_work(scope):
            count, last_seen = people.count_active(), people.last_seen()
            size = queries.schema_size()
    except DatabaseError:
        logger.warning("Company %s could not be measured", company_id, exc_info=True)
        count, last_seen, size = None, None, None
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = Company.objects.filter(pk=company_id)
        if count is None:
            row.update(measured_at=at)
        else:
            row.update(user_count=count, last_used_at=last_seen, size_bytes=size, measured_at=at)
