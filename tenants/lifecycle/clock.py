"""Time moves a company on, one step a run, and never without its owners having been warned."""

import datetime as dt
import logging
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError

from crm_platform.kernel import tenancy
from tenants.erasure import acts
from tenants.lifecycle import changes, states
from tenants.lifecycle.states import Who
from tenants.models import Company, CompanyEvent

logger = logging.getLogger("rapport.lifecycle")
State = Company.State
WARNED, ACTOR = "company.warned", "clock"
DAY = dt.timedelta(days=1)


def run(*, at: dt.datetime) -> int:
    """Do what is due for every company, each in its own transaction; returns how many moved.

    Idempotent. After missed days each company makes one step a run, and its next state begins
    now: nobody loses days to a clock that stood still.
    """
    moved = 0
    for company_id in due_ids(at=at):
        try:
            moved += tick(company_id=company_id, at=at)
        except DatabaseError:
            logger.exception("The clock failed for company %s", company_id)
    return moved


def due_ids(*, at: dt.datetime) -> list[UUID]:
    """Companies whose state ends within the longest warning. One query."""
    horizon = at + DAY * max(_warnings())
    with tenancy.unit_of_work(tenancy.PLATFORM):
        due = Company.objects.filter(state__in=list(states.NEXT), state_until__lte=horizon)
        return list(due.order_by("state_until", "pk").values_list("pk", flat=True))


def _warnings() -> tuple[int, ...]:
    return tuple(settings.LIFECYCLE_DAYS["warnings"])


def tick(*, company_id: UUID, at: dt.datetime) -> bool:
    """Warn the owners or move the company, whichever is due; says whether it moved."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = changes.lock(company_id)
        until = company.state_until
        if company.state not in states.NEXT or until is None:
            return False
        warned = _warned_days(company, until)
        ends = states.NEXT[State(company.state)] == State.ERASED
        if at >= until and warned and not ends:
            return _step(company, at)
        if at >= until and not warned:
            # The clock stood still over the warnings: nobody is moved without one.
            company.state_until = until = at + DAY * min(_warnings())
            company.save(update_fields=["state_until"])
        due = [days for days in _warnings() if at >= until - DAY * days]
        if at < until and due and min(due) not in warned and _is_news(company, until, min(due)):
            _warn(company, until, min(due), at)
    if ends and at >= until:
        return acts.begin_by_retention(company_id=company_id, at=at)
    return False


def _warned_days(company: Company, until: dt.datetime) -> set[int]:
    events = CompanyEvent.objects.filter(
        company_id=company.pk, verb=WARNED, facts__until=until.isoformat()
    )
    return {event.facts["days"] for event in events}


def _is_news(company: Company, until: dt.datetime, days: int) -> bool:
    """Whether a warning says more than the letter of the state's beginning did the same day."""
    began = company.state_since
    shortest = days == min(_warnings())
    return shortest or began is None or until - began > DAY * (days + 1)


def _warn(company: Company, until: dt.datetime, days: int, at: dt.datetime) -> None:
    facts = {"days": days, "until": until.isoformat(), "state": company.state,
             "to": states.NEXT[State(company.state)]}  # fmt: skip
    changes.note(company.pk, WARNED, actor=ACTOR, at=at, facts=facts)
    changes.ring()


def _step(company: Company, at: dt.datetime) -> bool:
    to = states.NEXT[State(company.state)]
    changes.move(company_id=company.pk, to=to, who=Who.CLOCK, actor=ACTOR, at=at)
    return True
