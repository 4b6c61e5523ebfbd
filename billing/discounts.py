"""What lowers a bill: the coupon at work and the credit at hand, as lines of their own.

Previews, quotes, forecasts and bills all ask here, so that what is shown is what is billed. The
coupon comes off whole periods (a percentage off added seats too), credit off whatever is left.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from billing.currencies import charged
from billing.invoicing import Line
from billing.models import (
    Account,
    Coupon,
    CouponRedemption,
    CreditGrant,
    InvoiceLine,
    Price,
    Subscription,
)
from billing.proration import Period

Kind = InvoiceLine.Kind


@dataclass(frozen=True, slots=True)
class Discount:
    """What may come off the next bill: a coupon with periods left, and an amount of credit."""

    coupon: Coupon | None = None
    credit: int = 0


def at_hand(
    account: Account, subscription: Subscription | None, *, at: dt.datetime, lock: bool = False
) -> Discount:
    """What may come off a bill issued at `at`. Two queries; one without a subscription.

    With `lock` nobody takes credit away before the running transaction ends.
    """
    if lock:
        Account.objects.select_for_update().get(pk=account.pk)
    redemption = live_redemption(subscription) if subscription else None
    return Discount(redemption.coupon if redemption else None, credit_of(account, at=at))


def live_redemption(subscription: Subscription) -> CouponRedemption | None:
    """The coupon at work; it ends with its last period. One query."""
    return subscription.redemptions.filter(ended_at=None).select_related("coupon").first()


def usable_grants(account: Account, *, at: dt.datetime) -> list[CreditGrant]:
    """Credit that holds at `at`, what ends first before the rest. One query."""
    holds = Q(expires_at=None) | Q(expires_at__gt=at)
    rows = account.grants.filter(
        holds, ended_at=None, agreed_at__isnull=False, left__gt=0, currency=account.currency
    )
    return list(rows.order_by(F("expires_at").asc(nulls_last=True), "pk"))


def credit_of(account: Account, *, at: dt.datetime) -> int:
    """The sum of the credit that holds at `at`, in the account's currency. One query."""
    if account.pk is None:
        return 0
    return sum(grant.left for grant in usable_grants(account, at=at))


def fits(coupon: Coupon, price: Price) -> bool:
    """Whether the coupon is for this price."""
    return (
        coupon.interval in ("", price.interval)
        and (coupon.amount is None or coupon.currency == price.currency)
        and (not coupon.plans or price.version.plan_id in coupon.plans)
    )


# -- lines ---------------------------------------------------------------------------------------


def period_lines(price: Price, seats: int, covered: Period, discount: Discount) -> tuple[Line, ...]:
    """A whole period of so many seats, and what comes off it."""
    whole = Line(
        kind=Kind.SEATS, quantity=seats, unit_amount=price.unit_amount, interval=price.interval,
        period=covered, amount=price.unit_amount * seats,
    )  # fmt: skip
    return with_credit((whole, *_coupon_line(whole, price, discount.coupon)), discount.credit)


def _coupon_line(line: Line, price: Price, coupon: Coupon | None) -> tuple[Line, ...]:
    if coupon is None or not fits(coupon, price):
        return ()
    off = coupon.amount
    if off is None:
        off = charged(line.amount * (coupon.percent or 0), 100, price.currency)
    off = min(off, line.amount)
    return (_off(Kind.COUPON, -off, line, coupon.code),) if off else ()


def _off(kind: str, amount: int, beside: Line, label: str = "") -> Line:
    return Line(
        kind=kind, quantity=1, unit_amount=amount, interval=beside.interval, period=beside.period,
        amount=amount, label=label,
    )  # fmt: skip


def with_credit(lines: Sequence[Line], credit: int) -> tuple[Line, ...]:
    """The lines, and as much credit as they leave room for: a bill never falls below zero by it."""
    used = min(credit, max(sum(line.amount for line in lines), 0))
    return (*lines, _off(Kind.GRANT, -used, lines[-1])) if used else tuple(lines)


def on_added(line: Line, subscription: Subscription) -> tuple[Line, ...]:
    """A percentage comes off seats added to a period that it came off."""
    found = subscription.redemptions.filter(
        covers_until=subscription.period_end, coupon__percent__isnull=False
    )
    redemption = found.select_related("coupon").order_by("-pk").first()
    if redemption is None:
        return ()
    return _coupon_line(line, subscription.price, redemption.coupon)


def unused(subscription: Subscription, *, at: dt.datetime, beside: Line) -> tuple[Line, ...]:
    """What came off the running period, taken back for the time that is given back."""
    rows = InvoiceLine.objects.filter(
        invoice__subscription=subscription, kind=Kind.COUPON, period_end=subscription.period_end
    ).order_by("pk")
    back, label = 0, ""
    for row in rows:
        covered = Period(row.period_start, row.period_end)
        if covered.seconds:
            code = subscription.price.currency
            back += charged(-row.amount * covered.left(at), covered.seconds, code)
            label = row.label
    return (_off(Kind.COUPON, back, beside, label),) if back else ()
