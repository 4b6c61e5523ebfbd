"""What time does to subscriptions: renewals one after the other, then late bills."""

import datetime as dt
import logging

from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Subquery

from billing import access, announcing, moving, renewing, renting
from billing.models import Invoice, Subscription
from billing.providers import MANUAL
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from tenants.lifecycle import changes
from tenants.lifecycle.states import Who
from tenants.models import Company, CompanyEvent

logger = logging.getLogger("rapport.billing")
MOST_PERIODS = 60
"""Periods caught up with in one run, so that a wrong clock cannot bill for ever."""


def run(*, at: dt.datetime) -> dict[str, int]:
    """Renew what is over, bring moves on, then states to what the bills say: how many of each."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        over = Subscription.objects.filter(
            ended_at=None, period_end__lte=at, account__provider=MANUAL
        )
        due = list(over.order_by("period_end", "pk").values_list("pk", flat=True))
    renewed = 0
    for key in due:
        try:
            renewed += _renew_all(key, at)
        except DatabaseError:
            logger.exception("Subscription %s could not be renewed", key)
    return {
        "renewed": renewed, "late": late(at=at), "closed": closed(at=at),
        "unrented": unrented(at=at), "moved": moving.advance(at=at),
        "told": announcing.tell_waiting(at=at),
    }  # fmt: skip


def closed(*, at: dt.datetime) -> int:
    """Let what a closed company rents run out; who opens it again may go on renting."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Subscription.objects.filter(
            ended_at=None, ends_at=None, account__company__state=Company.State.CLOSED
        )
        ids = list(rows.values_list("account__company_id", flat=True))
    for company_id in ids:
        try:
            renting.cancel(company_id=company_id, reason="closed", by="clock", at=at)
        except DomainError:
            logger.info("Company %s is cancelled or gone by now", company_id)
    return len(ids)


def unrented(*, at: dt.datetime) -> int:
    """Companies whose rent ran out while they were closed, and that their owner opened again."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        last = CompanyEvent.objects.filter(
            company_id=OuterRef("account__company_id"), verb=changes.MOVED
        ).order_by("-at", "-pk")
        others = Subscription.objects.filter(account_id=OuterRef("account_id"), ended_at=None)
        rows = (
            Subscription.objects.select_related("account")
            .annotate(mover=Subquery(last.values("facts__who")[:1]))
            .filter(
                ~Exists(others), mover=str(Who.OWNER),
                account__company__state__in=(Company.State.ACTIVE, Company.State.PAST_DUE),
            )
            .order_by("account_id", "-ended_at").distinct("account_id")
        )  # fmt: skip
        found = list(rows)
        for subscription in found:
            access.ended(subscription, at=at)
    return len(found)


def _renew_all(key: int, at: dt.datetime) -> int:
    for count in range(MOST_PERIODS):
        if renewing.renew(subscription_id=key, at=at) is None:
            return count
    return MOST_PERIODS


def late(*, at: dt.datetime) -> int:
    """Have each company whose bill fell due without being paid follow it; how many there are."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Subscription.objects.filter(
            ended_at=None, past_due_since=None, account__invoices__state=Invoice.State.OPEN,
            account__invoices__due_at__lte=at,
        )  # fmt: skip
        keys = list(rows.distinct().values_list("pk", flat=True))
    for key in keys:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            live = (
                Subscription.objects.select_for_update(of=("self",)).select_related("account")
                .filter(pk=key, ended_at=None).first()
            )  # fmt: skip
            if live is not None:
                access.follow(live, at=at)
    return len(keys)
