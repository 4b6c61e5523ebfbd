"""What time does to subscriptions: renewals one after the other, then late bills."""

import datetime as dt
import logging

from django.db import DatabaseError

from billing import access, announcing, moving, subscribing
from billing.models import Invoice, Subscription
from crm_platform.kernel import tenancy

logger = logging.getLogger("rapport.billing")
MOST_PERIODS = 60
"""Periods caught up with in one run, so that a wrong clock cannot bill for ever."""


def run(*, at: dt.datetime) -> dict[str, int]:
    """Renew what is over, bring moves on, then states to what the bills say: how many of each."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        over = Subscription.objects.filter(ended_at=None, period_end__lte=at)
        due = list(over.order_by("period_end", "pk").values_list("pk", flat=True))
    renewed = 0
    for key in due:
        try:
            renewed += _renew_all(key, at)
        except DatabaseError:
            logger.exception("Subscription %s could not be renewed", key)
    done = {"renewed": renewed, "late": late(at=at)}
    return {**done, "moved": moving.advance(at=at), "told": announcing.tell_waiting(at=at)}


def _renew_all(key: int, at: dt.datetime) -> int:
    for count in range(MOST_PERIODS):
        if subscribing.renew(subscription_id=key, at=at) is None:
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
