"""Reading coupons and credit; everything runs in the platform's open unit of work."""

import datetime as dt

from django.db.models import QuerySet

from billing.models import Account, Coupon, CouponRedemption, CreditGrant

SHOWN = 200


def coupons() -> QuerySet[Coupon]:
    """The newest coupons. One query."""
    return Coupon.objects.all()[:SHOWN]


def is_open(coupon: Coupon, at: dt.datetime) -> bool:
    """Whether somebody could redeem it at `at`."""
    is_over = coupon.valid_until is not None and coupon.valid_until <= at
    is_used = coupon.most is not None and coupon.redeemed >= coupon.most
    return coupon.ended_at is None and not is_over and not is_used


def redemption_of(account: Account) -> CouponRedemption | None:
    """The coupon at work for an account. One query."""
    rows = account.redemptions.filter(ended_at=None, subscription__ended_at=None)
    return rows.select_related("coupon").first()


def grants_of(account: Account) -> QuerySet[CreditGrant]:
    """The newest credit given to an account. One query."""
    return account.grants.all()[:SHOWN]


def get_grant(grant_id: int) -> CreditGrant | None:
    return CreditGrant.objects.select_related("account__company").filter(pk=grant_id).first()
