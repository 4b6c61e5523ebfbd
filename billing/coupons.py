"""Coupons: made and ended by operators, redeemed by whoever rents or by operators for them."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from billing import discounts
from billing.currencies import currency as known_currency
from billing.models import (
    BillingEntry,
    Coupon,
    CouponRedemption,
    Plan,
    Price,
    Subscription,
)
from billing.proration import MONTHS
from billing.providers import MANUAL
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound

LONGEST = 120
"""Periods a coupon may be for; more is for ever."""


def add(
    *, code: str, by: str, at: dt.datetime, percent: int | None = None, amount: int | None = None,
    currency: str = "", interval: str = "", plans: Sequence[int] = (), periods: int | None = None,
    most: int | None = None, valid_until: dt.datetime | None = None, partner: str = "",
) -> Coupon:  # fmt: skip
    """Make a coupon: a percentage or an amount (counted units) off each bill for a whole period.

    Raises:
        Invalid: what it says cannot be, or another coupon has the code.
    """
    plain = clean_code(code)
    _demand_value(percent, amount, currency)
    if interval and interval not in MONTHS:
        raise Invalid(_("Choose month, year or both."), field="interval")
    if periods is not None and not 1 <= periods <= LONGEST:
        raise Invalid(
            _("Give 1 to %(most)d periods, or leave it empty.") % {"most": LONGEST},
            field="periods",
        )
    if most is not None and most < 1:
        raise Invalid(_("Give a number from 1, or leave it empty."), field="most")
    if valid_until is not None and valid_until <= at:
        raise Invalid(_("Choose a day in the future."), field="valid_until")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        known = set(Plan.objects.filter(pk__in=plans).values_list("pk", flat=True))
        if known != set(plans):
            raise Invalid(_("Choose plans that are there."), field="plans")
        if Coupon.objects.filter(code=plain).exists():
            raise Invalid(_("Another coupon has this code."), field="code")
        return Coupon.objects.create(
            code=plain, percent=percent, amount=amount, currency=currency if amount else "",
            interval=interval, plans=sorted(known), periods=periods, most=most, by=by[:250], at=at,
            valid_until=valid_until, partner=partner.strip()[:120],
        )  # fmt: skip


def clean_code(code: str) -> str:
    """A code in its one spelling.

    Raises:
        Invalid: it has signs that are hard to say.
    """
    plain = code.strip().upper()
    if not 3 <= len(plain) <= 40 or not plain.replace("-", "").isalnum() or not plain.isascii():
        raise Invalid(
            _("A code has 3 to 40 letters from A to Z, digits and hyphens."), field="code"
        )
    return plain


def _demand_value(percent: int | None, amount: int | None, currency: str) -> None:
    if (percent is None) == (amount is None):
        raise Invalid(_("Give either a percentage or an amount."), field="percent")
    if percent is not None and not 1 <= percent <= 100:
        raise Invalid(_("A percentage lies between 1 and 100."), field="percent")
    if amount is not None and (amount <= 0 or amount % known_currency(currency).step):
        raise Invalid(_("Give an amount above 0 in whole coins."), field="amount")


def end(*, coupon_id: int, at: dt.datetime) -> Coupon:
    """Let nobody redeem it any more; who did keeps it.

    Raises:
        NotFound: there is no such coupon.
        Conflict: it ended already.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        coupon = Coupon.objects.select_for_update().filter(pk=coupon_id).first()
        if coupon is None:
            raise NotFound(_("There is no such coupon."))
        if coupon.ended_at is not None:
            raise Conflict(_("This coupon has ended already."))
        coupon.ended_at = at
        coupon.save(update_fields=["ended_at"])
        return coupon


def find(code: str, *, price: Price, at: dt.datetime) -> Coupon:
    """The coupon of that code, if it can be redeemed for `price` at `at`. One query.

    Raises:
        Invalid: there is none, or it is not for this.
    """
    coupon = Coupon.objects.filter(code=code.strip().upper()[:40]).first()
    if coupon is None or coupon.ended_at is not None:
        raise Invalid(_("There is no such coupon. Look at the code again."), field="coupon")
    if coupon.valid_until is not None and coupon.valid_until <= at:
        raise Invalid(_("This coupon could be used until a day that is past."), field="coupon")
    if coupon.most is not None and coupon.redeemed >= coupon.most:
        raise Invalid(_("This coupon was used as often as it may be."), field="coupon")
    if not discounts.fits(coupon, price):
        raise Invalid(_("This coupon is not for this price."), field="coupon")
    return coupon


def redeem_for(
    subscription: Subscription, *, code: str, by: str, at: dt.datetime
) -> CouponRedemption:
    """Have a coupon come off the subscription's next whole period, in the open unit of work.

    Raises:
        Invalid: as `find`.
        Conflict: another coupon is at work, or this account had this one.
    """
    coupon = find(code, price=subscription.price, at=at)
    if subscription.redemptions.filter(ended_at=None).exists():
        raise Conflict(_("A coupon is at work already. Use this one when it has ended."))
    free = Q(most=None) | Q(redeemed__lt=F("most"))
    counted = Coupon.objects.filter(free, pk=coupon.pk, ended_at=None)
    if not counted.update(redeemed=F("redeemed") + 1):
        raise Invalid(_("This coupon was used as often as it may be."), field="coupon")
    try:
        with transaction.atomic():
            made = CouponRedemption.objects.create(
                coupon=coupon, account=subscription.account, subscription=subscription,
                by=by[:250], at=at,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(_("Your company has used this coupon already.")) from error
    BillingEntry.objects.create(
        account=subscription.account, verb="coupon_redeemed", by=by[:250], at=at,
        facts={"coupon": coupon.code},
    )  # fmt: skip
    return made


def not_by_card() -> str:
    """Why a coupon cannot be used: the payment service makes those bills."""
    return _("Coupons come off bills paid by bank transfer. By card, ask us for credit instead.")


def redeem(*, company_id: UUID, code: str, by: str, at: dt.datetime) -> CouponRedemption:
    """Have a coupon come off the next bill of a company that rents.

    Raises:
        NotFound: it rents nothing.
        Invalid, Conflict: as `redeem_for`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Subscription.objects.select_for_update(of=("self",)).select_related(
            "account", "price__version"
        )
        subscription = rows.filter(account__company_id=company_id, ended_at=None).first()
        if subscription is None:
            raise NotFound(_("This company rents nothing yet. Choose a price first."))
        if subscription.account.provider != MANUAL:
            raise Conflict(not_by_card())
        return redeem_for(subscription, code=code, by=by, at=at)
