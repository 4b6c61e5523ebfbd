"""The next period of what is rented from our own books: planned changes come, it is billed."""

import datetime as dt

from billing import access, discounts, invoicing
from billing.history import CLOCK, note
from billing.models import Invoice, PendingChange, Price, Subscription
from billing.proration import Period, after
from billing.providers import MANUAL
from crm_platform.kernel import tenancy

Kind = PendingChange.Kind


def renew(*, subscription_id: int, at: dt.datetime) -> Invoice | None:
    """Begin the next period when the running one is over: planned changes come, it is billed.

    A cancelled subscription ends instead. Called again it finds nothing to do; after missed time
    every period is billed in its turn, one a call.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = (
            Subscription.objects.select_for_update(of=("self",))
            .select_related("account", "price__version__plan")
            .filter(pk=subscription_id, ended_at=None, period_end__lte=at, account__provider=MANUAL)
            .first()
        )
        if subscription is None:
            return None
        if subscription.ends_at is not None:
            _end(subscription, at=at)
            return None
        begins = subscription.period_end
        _apply_changes(subscription, begins=begins, at=at)
        covered = _next_period(subscription, begins)
        subscription.period_start, subscription.period_end = covered.start, covered.end
        subscription.save()
        hand = discounts.at_hand(subscription.account, subscription, at=at, lock=True)
        lines = discounts.period_lines(subscription.price, subscription.seats, covered, hand)
        invoice = invoicing.bill(
            subscription=subscription, lines=lines, at=at,
            act_key=f"renew:{subscription.pk}:{begins:%Y%m%dT%H%M%S}",
        )  # fmt: skip
        note(
            subscription.account, "renewed", by=CLOCK, at=at, invoice=invoice.number,
            seats=subscription.seats,
        )  # fmt: skip
        company_id = subscription.account.company_id
    access.tell_company(company_id, at=at)
    return invoice


def _next_period(subscription: Subscription, begins: dt.datetime) -> Period:
    """From the anchor on, so that the 31st comes back after a shorter month."""
    interval, count = subscription.price.interval, 1
    while after(subscription.anchor, interval, count) <= begins:
        count += 1
    return Period(begins, after(subscription.anchor, interval, count))


def _apply_changes(subscription: Subscription, *, begins: dt.datetime, at: dt.datetime) -> None:
    for change in subscription.changes.filter(settled_at=None, effective_at__lte=begins):
        if change.kind == Kind.SEATS:
            subscription.seats = change.target
        else:
            subscription.price = Price.objects.select_related("version__plan").get(pk=change.target)
            subscription.anchor = begins
        change.settled_at = at
        change.save(update_fields=["settled_at"])


def _end(subscription: Subscription, *, at: dt.datetime) -> None:
    subscription.ended_at = at
    subscription.save(update_fields=["ended_at"])
    subscription.changes.filter(settled_at=None).update(settled_at=at)
    note(subscription.account, "ended", by=CLOCK, at=at)
    access.ended(subscription, at=at)
