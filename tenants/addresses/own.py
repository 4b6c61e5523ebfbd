"""A company's own host names: claimed, proven by DNS, looked at again, given back.

A claim holds nothing: several companies may claim a name, and whoever proves it has it. What is
proven is a `Domain`; given back, it stays nobody's for a time.
"""

import datetime as dt
import secrets
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants import queries
from tenants.addresses import dns, rules
from tenants.addresses.dns import Answer
from tenants.lifecycle import changes, states
from tenants.models import Domain, DomainClaim

CLAIMED, PROVEN, RELEASED = "domain.claimed", "domain.proven", "domain.released"
PRIMARY, FAILING = "domain.primary", "domain.failing"
MOST_CLAIMS, MOST_OWN = 5, 10
FAILS_FOR = dt.timedelta(days=14)
Kind = Domain.Kind


def claim(*, company_id: UUID, host: str, actor: str, at: dt.datetime) -> DomainClaim:
    """Begin to prove a host name; each attempt has a new random token.

    Raises:
        Invalid: on `host`: no name for this, or somebody has it.
        Conflict: too many are claimed already.
    """
    host = rules.clean_host(host)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        changes.lock(company_id)
        _demand_free(company_id, host, at)
        others = DomainClaim.objects.filter(company_id=company_id).exclude(host=host)
        own = Domain.objects.filter(company_id=company_id, kind=Kind.OWN, released_at=None)
        if others.count() >= MOST_CLAIMS or own.count() >= MOST_OWN:
            raise Conflict(_("There are too many host names here already. Remove one first."))
        made, _new = DomainClaim.objects.update_or_create(
            company_id=company_id, host=host,
            defaults={"token": secrets.token_hex(20), "created_at": at},
        )  # fmt: skip
        changes.note(company_id, CLAIMED, actor=actor, at=at, facts={"host": host})
        return made


def _demand_free(company_id: UUID, host: str, at: dt.datetime) -> None:
    """Refuse a host that is proven, or was given back by somebody else not long ago."""
    found = Domain.objects.filter(host=host).first()
    if found is None:
        return
    if found.released_at is None:
        raise Invalid(_("This host name is in use already."), field="host")
    free_at = found.released_at + dt.timedelta(days=states.days("domain_quarantine"))
    if found.company_id != company_id and at < free_at:
        raise Invalid(
            _("This host name was given back not long ago and can be had again later."),
            field="host",
        )


def prove(*, company_id: UUID, host: str, actor: str, at: dt.datetime) -> Domain:
    """Ask DNS for the claim's token; found, the host answers from now on.

    Raises:
        NotFound: no such claim.
        Conflict: the record is not there (yet), or the servers did not answer.
        Invalid: somebody else was faster.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        wanted = DomainClaim.objects.filter(company_id=company_id, host=host).first()
    if wanted is None:
        raise NotFound(_("This host name is not claimed here."))
    answer = dns.publishes(rules.txt_name(host), rules.txt_value(wanted.token))
    if answer == Answer.UNKNOWN:
        raise Conflict(_("The name servers of this host did not answer. Try again later."))
    if answer == Answer.NO:
        raise Conflict(
            _("The TXT record is not there yet. New records can take an hour to be seen.")
        )
    try:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            made = _enter(wanted, actor, at)
    except IntegrityError as error:
        raise Invalid(_("This host name is in use already."), field="host") from error
    queries.forget_hosts()
    return made


def _enter(wanted: DomainClaim, actor: str, at: dt.datetime) -> Domain:
    changes.lock(wanted.company_id)
    row = DomainClaim.objects.select_for_update().filter(pk=wanted.pk, token=wanted.token)
    if not row.exists():
        raise Conflict(_("This host name was claimed anew meanwhile. Publish the new record."))
    _demand_free(wanted.company_id, wanted.host, at)
    Domain.objects.filter(host=wanted.host).exclude(released_at=None).delete()
    made = Domain.objects.create(
        company_id=wanted.company_id, host=wanted.host, kind=Kind.OWN, is_primary=False,
        token=wanted.token, created_at=wanted.created_at, verified_at=at, checked_at=at,
    )  # fmt: skip
    DomainClaim.objects.filter(pk=wanted.pk).delete()
    changes.note(wanted.company_id, PROVEN, actor=actor, at=at, facts={"host": made.host})
    return made


def release(*, company_id: UUID, host: str, actor: str, at: dt.datetime) -> None:
    """Give a host name back, proven or only claimed; our own address leads on if it led.

    Raises:
        NotFound: the company has no such host name.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        changes.lock(company_id)
        claims, _each = DomainClaim.objects.filter(company_id=company_id, host=host).delete()
        own = Domain.objects.filter(
            company_id=company_id, host=host, kind=Kind.OWN, released_at=None
        ).first()
        if own is None and not claims:
            raise NotFound(_("Your company does not have this host name."))
        if own is not None:
            _let_go(own, at)
        changes.note(company_id, RELEASED, actor=actor, at=at, facts={"host": host})
    queries.forget_hosts()


def _let_go(own: Domain, at: dt.datetime) -> None:
    if own.is_primary:
        Domain.objects.filter(company_id=own.company_id, kind=Kind.ADDRESS).update(is_primary=True)
    own.is_primary, own.released_at, own.token = False, at, ""
    own.save(update_fields=["is_primary", "released_at", "token"])


def lead(*, company_id: UUID, host: str, actor: str, at: dt.datetime) -> None:
    """Make a host the one that pages and mails use; the others lead to it.

    Raises:
        NotFound: the company has no such host, or it is not proven.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        changes.lock(company_id)
        hosts = Domain.objects.filter(
            company_id=company_id, kind__in=(Kind.ADDRESS, Kind.OWN), released_at=None
        )
        if not hosts.filter(host=host).exists():
            raise NotFound(_("Your company does not have this host name."))
        hosts.exclude(host=host).update(is_primary=False)
        hosts.filter(host=host).update(is_primary=True)
        changes.note(company_id, PRIMARY, actor=actor, at=at, facts={"host": host})
    queries.forget_hosts()


def check_again(*, at: dt.datetime) -> int:
    """Look whether proven names are still theirs: weekly, daily while the record is missing.

    After two weeks without its record a name is let go. Servers that do not answer prove nothing.
    Returns how many were looked at. Idempotent.
    """
    weekly = at - dt.timedelta(days=states.days("domain_check"))
    daily = at - dt.timedelta(days=1)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        proven = Domain.objects.filter(kind=Kind.OWN, released_at=None)
        due = proven.filter(failing_since=None, checked_at__lte=weekly)
        failing = proven.exclude(failing_since=None).filter(checked_at__lte=daily)
        found = [*due.order_by("pk"), *failing.order_by("pk")]
    for own in found:
        answer = dns.publishes(rules.txt_name(own.host), rules.txt_value(own.token))
        _judge(own.pk, answer, at)
    if found:
        queries.forget_hosts()
    return len(found)


def _judge(domain_id: int, answer: Answer, at: dt.datetime) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        own = Domain.objects.select_for_update().filter(pk=domain_id, released_at=None).first()
        if own is None:
            return
        own.checked_at = at
        if answer == Answer.YES:
            own.failing_since = None
        elif answer == Answer.NO and own.failing_since is None:
            own.failing_since = at
            until = (at + FAILS_FOR).isoformat()
            facts = {"host": own.host, "until": until}
            changes.note(own.company_id, FAILING, actor="clock", at=at, facts=facts)
            changes.ring()
        elif answer == Answer.NO and at - (own.failing_since or at) >= FAILS_FOR:
            _let_go(own, at)
            changes.note(own.company_id, RELEASED, actor="clock", at=at, facts={"host": own.host})
        own.save(update_fields=["checked_at", "failing_since"])
