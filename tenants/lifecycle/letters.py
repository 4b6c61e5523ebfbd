"""Telling a company's owners what happened to it and what comes, exactly once each.

An event that is to be told and has no `owners.told` event about it waits. The letters are the
platform's own mail, so that they also go out for a company nobody can write to.
"""

import dataclasses
import datetime as dt
import logging
import zoneinfo

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Exists, OuterRef
from django.utils import translation
from django.utils.translation import gettext as _

from crm_platform.identity.services import letters, people
from crm_platform.kernel import tenancy
from tenants import queries
from tenants.lifecycle import changes, clock, states, words
from tenants.models import Company, CompanyEvent

logger = logging.getLogger("rapport.lifecycle")
TOLD = "owners.told"
FAILING = "domain.failing"
TELLING = (changes.MOVED, clock.WARNED, FAILING)
NO_NEWS_AFTER = dt.timedelta(days=7)
STANDING_PATH, ADDRESS_PATH = "/standing/", "/settings/address/"


def tell_waiting(*, at: dt.datetime) -> int:
    """Write the letters of every event not told yet; returns how many events. Idempotent."""
    told = 0
    for event in waiting(at=at):
        try:
            told += tell(event, at=at)
        except DatabaseError:
            logger.exception("The owners of company %s could not be told", event.company_id)
    return told


def waiting(*, at: dt.datetime) -> list[CompanyEvent]:
    """Events of the last days that nobody was told of, oldest first. One query."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        told = CompanyEvent.objects.filter(about=OuterRef("pk"), verb=TOLD)
        found = CompanyEvent.objects.filter(verb__in=TELLING, at__gt=at - NO_NEWS_AFTER)
        here = found.exclude(Exists(told)).exclude(company__state__in=states.GONE)
        return list(here.select_related("company").order_by("at", "pk"))


def tell(event: CompanyEvent, *, at: dt.datetime) -> bool:
    """Write the letters of one event, unless another worker was faster."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        host = queries.primary_host_of(event.company_id)
    scope = queries.scope_of(event.company, host)
    with tenancy.unit_of_work(dataclasses.replace(scope, writable=False)):
        owners = people.owners()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = changes.lock(event.company_id)
        if CompanyEvent.objects.filter(about=event, verb=TOLD).exists():
            return False
        facts = {"letters": len(owners)}
        changes.note(company.pk, TOLD, actor="clock", at=at, about=event, facts=facts)
        for owner in owners:
            _write(event, company, owner, host, at)
    return True


def _write(
    event: CompanyEvent, company: Company, owner: people.Owner, host: str, at: dt.datetime
) -> None:
    with translation.override(owner.language):
        subject, said = _said(event, company)
        address = settings.ENVIRONMENT.address_of(host)
        path = ADDRESS_PATH if event.verb == FAILING else STANDING_PATH
        letters.post(
            to=owner.email, subject=subject, at=at,
            paragraphs=[
                _("Hello %(name)s,") % {"name": owner.name}, said,
                _("What you can do stands here:"), f"{address}{path}",
            ],
        )  # fmt: skip


def _said(event: CompanyEvent, company: Company) -> tuple[str, str]:
    """Subject and sentence of an event, in the active language."""
    facts, house = event.facts, company.name
    until = dt.datetime.fromisoformat(facts["until"]) if facts.get("until") else None
    when = words.day(until, zoneinfo.ZoneInfo(company.time_zone)) if until else ""
    if event.verb == FAILING:
        names = {"host": facts["host"], "until": when}
        return (
            _("The record that proves %(host)s is missing") % names,
            _("Publish it again before %(until)s, or %(host)s stops leading to you.") % names,
        )
    is_warning = event.verb == clock.WARNED
    state = facts["state"] if is_warning else facts["to"]
    subject = words.coming(facts["to"], house, when) if is_warning else ""
    then = words.then(state, when) if until else ""
    return subject or words.happened(state, house), f"{words.now(state)} {then}".strip()
