"""What a bill uses up: a period of the coupon, and credit. In the bill's own unit of work."""

import datetime as dt
from collections.abc import Sequence

from django.db.models import F, Q
from django.utils.translation import gettext as _

from billing.models import Account, CouponRedemption, CreditGrant, InvoiceLine, Subscription
from crm_platform.kernel.errors import Conflict

Kind = InvoiceLine.Kind


def settle(
    account: Account, subscription: Subscription, lines: Sequence[InvoiceLine], *, at: dt.datetime
) -> None:
    """Count the coupon's period and take the credit that `lines` say; the account is locked.

    Raises:
        Conflict: there is less credit than the lines say.
    """
    credit = -sum(line.amount for line in lines if line.kind == Kind.GRANT)
    if credit:
        _take(account, credit, at=at)
    whole = next((line for line in lines if line.kind == Kind.SEATS), None)
    off = any(line.kind == Kind.COUPON and line.amount < 0 for line in lines)
    if whole is not None and off:
        _count(subscription, until=whole.period_end, at=at)


def _take(account: Account, credit: int, *, at: dt.datetime) -> None:
    holds = Q(expires_at=None) | Q(expires_at__gt=at)
    rows = CreditGrant.objects.select_for_update().filter(
        holds, account=account, ended_at=None, agreed_at__isnull=False, left__gt=0,
        currency=account.currency,
    )  # fmt: skip
    for grant in rows.order_by(F("expires_at").asc(nulls_last=True), "pk"):
        part = min(grant.left, credit)
        grant.left -= part
        grant.ended_at = None if grant.left else at
        grant.save(update_fields=["left", "ended_at"])
        credit -= part
        if not credit:
            return
    raise Conflict(_("Something changed since this price was shown. Look at the new one."))


def _count(subscription: Subscription, *, until: dt.datetime, at: dt.datetime) -> None:
    rows = CouponRedemption.objects.select_for_update(of=("self",)).select_related("coupon")
    redemption = rows.filter(subscription=subscription, ended_at=None).first()
    if redemption is None:
        return
    redemption.used += 1
    redemption.covers_until = until
    if redemption.coupon.periods is not None and redemption.used >= redemption.coupon.periods:
        redemption.ended_at = at
    redemption.save(update_fields=["used", "covers_until", "ended_at"])
