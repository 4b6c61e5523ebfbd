"""Renaming a company's address with us: the old one redirects for a time and is nobody else's."""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid
from tenants import queries, rules
from tenants.lifecycle import changes, states
from tenants.models import Company, Domain, RetiredName

RENAMED = "address.renamed"
MOST_OLD = 3
Kind = Domain.Kind


def host_of(slug: str) -> str:
    return f"{slug}.{settings.BASE_DOMAIN}"


def check_slug(*, company_id: UUID, slug: str) -> str:
    """The address name, if this company may have it now; in the platform's unit of work.

    A name it gave up itself may be taken back.

    Raises:
        Invalid: wrong shape, reserved, or somebody's.
    """
    slug = rules.check_slug(slug.strip().lower())
    own = Domain.objects.filter(company_id=company_id, host=host_of(slug)).exists()
    if not own and not queries.slug_is_free(slug):
        raise Invalid(_("Another company has this address name. Choose another one."), field="slug")
    return slug


def is_free(*, company_id: UUID, slug: str) -> None:
    """`check_slug` while it is typed; opens its own unit of work.

    Raises:
        Invalid: as `check_slug`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        check_slug(company_id=company_id, slug=slug)


def rename(*, company_id: UUID, slug: str, actor: str, at: dt.datetime) -> Company:
    """Give a company another address name. The same name changes nothing.

    Raises:
        Invalid: the name may not be had.
        Conflict: too many old addresses redirect already.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = changes.lock(company_id)
        slug = check_slug(company_id=company_id, slug=slug)
        if slug == company.slug:
            return company
        _demand_room(company_id, host_of(slug), at)
        old = Domain.objects.get(company_id=company_id, kind=Kind.ADDRESS)
        was_primary = old.is_primary
        RetiredName.objects.get_or_create(name=company.slug, defaults={"retired_at": at})
        old.kind, old.is_primary = Kind.OLD, False
        old.redirects_until = at + dt.timedelta(days=states.days("old_address"))
        old.save(update_fields=["kind", "is_primary", "redirects_until"])
        _enter_host(company_id, host_of(slug), is_primary=was_primary, at=at)
        before, company.slug = company.slug, slug
        try:
            company.save(update_fields=["slug"])
        except IntegrityError as error:  # two at once
            raise Invalid(_("This address name was just taken."), field="slug") from error
        facts = {"from": before, "to": slug, "until": old.redirects_until.isoformat()}
        changes.note(company_id, RENAMED, actor=actor, at=at, facts=facts)
    queries.forget_hosts()
    return company


def _demand_room(company_id: UUID, host: str, at: dt.datetime) -> None:
    old = Domain.objects.filter(company_id=company_id, kind=Kind.OLD, redirects_until__gt=at)
    if old.exclude(host=host).count() >= MOST_OLD:
        raise Conflict(
            _("Three old addresses still lead here. Rename again when one of them has ended.")
        )


def _enter_host(company_id: UUID, host: str, *, is_primary: bool, at: dt.datetime) -> None:
    Domain.objects.update_or_create(
        company_id=company_id, host=host,
        defaults={"kind": Kind.ADDRESS, "is_primary": is_primary, "redirects_until": None},
        create_defaults={"kind": Kind.ADDRESS, "is_primary": is_primary, "created_at": at},
    )  # fmt: skip
