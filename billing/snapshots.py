"""Keeping what renting brought, day by day: one row for each company that brought something.

A day ends at midnight UTC and is taken at the first look afterwards. A day missed is taken later
from what is known by then (who rented on it, at today's seats and state) and marked so.
"""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Min, OuterRef, Q, Subquery

from billing.currencies import charged
from billing.models import CouponRedemption, MetricDay, MetricSnapshot, Subscription
from billing.proration import MONTHS
from crm_platform.kernel import tenancy
from tenants.models import Company

DAY = dt.timedelta(days=1)
MOST_DAYS, A_RUN = 400, 60
"""Days back that are filled in at most, and how many of them in one run, the newest first."""
COUNTED = (Company.State.ACTIVE, Company.State.PAST_DUE)
A_BATCH = 1000


def midnight(day: dt.date) -> dt.datetime:
    """When a day begins."""
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def catch_up(*, at: dt.datetime) -> int:
    """Take days that are over and not taken yet, the newest first; how many. Idempotent."""
    last = at.astimezone(dt.UTC).date() - DAY
    with tenancy.unit_of_work(tenancy.PLATFORM):
        taken = set(MetricDay.objects.values_list("day", flat=True))
        first = _first_day(last)
    days = [first + n * DAY for n in range((last - first).days + 1)] if first else []
    missing = [day for day in reversed(days) if day not in taken][:A_RUN]
    for day in missing:
        take(day=day, at=at)
    return len(missing)


def _first_day(last: dt.date) -> dt.date | None:
    """From when on days are wanted: since somebody rents, and not for ever back."""
    began: dt.datetime | None = Subscription.objects.aggregate(at=Min("created_at"))["at"]
    return max(began.astimezone(dt.UTC).date(), last - MOST_DAYS * DAY) if began else None


def take(*, day: dt.date, at: dt.datetime) -> int:
    """Keep one day, unless it is kept already; how many companies brought something."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        is_filled = at >= midnight(day + 2 * DAY)
        _day, is_new = MetricDay.objects.get_or_create(
            day=day, defaults={"taken_at": at, "is_filled": is_filled}
        )
        if not is_new:
            return 0
        made = MetricSnapshot.objects.bulk_create(_rows(day), batch_size=A_BATCH)
        return len(made)


def _rows(day: dt.date) -> Iterator[MetricSnapshot]:
    """What each company brought at the end of `day`. One query.

    A coupon that is for ever takes off what comes in; one that ends does not.
    """
    end = midnight(day + DAY)
    coupon = CouponRedemption.objects.filter(
        Q(ended_at=None) | Q(ended_at__gte=end), subscription_id=OuterRef("pk"), at__lt=end,
        coupon__periods=None,
    ).order_by("-at")  # fmt: skip
    rows = (
        Subscription.objects.filter(
            Q(ended_at=None) | Q(ended_at__gte=end), created_at__lt=end,
            account__company__state__in=COUNTED,
        )
        .annotate(
            began=Min("account__subscriptions__created_at"),
            percent=Subquery(coupon.values("coupon__percent")[:1]),
            off=Subquery(coupon.values("coupon__amount")[:1]),
        )
        .values_list("account__company_id", "price__currency", "price__interval",
                     "price__unit_amount", "seats", "began", "percent", "off")
    )  # fmt: skip
    for company_id, code, interval, unit, seats, began, percent, off in rows.order_by("pk"):
        whole = unit * seats
        left = max(whole - (off or charged(whole * (percent or 0), 100, code)), 0)
        mrr = monthly(left, interval=interval, currency=code)
        if mrr:
            yield MetricSnapshot(
                day=day, company_id=company_id, currency=code, mrr=mrr, seats=seats,
                began_on=began.astimezone(dt.UTC).date(),
            )  # fmt: skip


def monthly(amount: int, *, interval: str, currency: str) -> int:
    """A period's price as a month's: rounded once a company, so that sums of parts are exact."""
    return charged(amount, MONTHS[interval], currency)
