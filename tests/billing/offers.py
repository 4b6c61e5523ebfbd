"""Coupons, credit and bills that use them, for tests."""

import datetime as dt

from billing import coupons, grants, previews, subscribing
from billing.models import (
    Account,
    CreditGrant,
    Invoice,
)
from billing.proration import Period, after
from crm_platform.kernel import tenancy
from tests.billing.conftest import BUYER, price
from tests.conftest import NOON, unique

DAY = dt.timedelta(days=1)
MONTH = Period(NOON, after(NOON, "month"))


def coupon(**facts) -> str:
    """A coupon's code; a fifth off for ever unless told otherwise."""
    given = {"code": f"C-{unique()}", "by": "Olga", "at": NOON, **facts}
    if "amount" not in given:
        given.setdefault("percent", 20)
    return coupons.add(**given).code


def bills(scope):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Invoice.objects.filter(account__company_id=scope.id).order_by("pk")
        return list(rows.prefetch_related("lines"))


def lines(bill):
    return [(line.kind, line.amount) for line in bill.lines.all()]


def account_of(scope) -> Account:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Account.objects.get(company_id=scope.id)


def grant(scope, amount, *, at=NOON, **facts) -> CreditGrant:
    given = {"reason": "Outage", "by": "Olga", **facts}
    return grants.grant(account_id=account_of(scope).pk, amount=amount, at=at, **given)


def rent_with(scope, code="", *, seats=5, shown=None, price_id=None, at=NOON):
    return subscribing.start(
        company_id=scope.id, price_id=price_id or price(), seats=seats, buyer=BUYER, by="Ann",
        at=at, coupon=code, shown=shown,
    )  # fmt: skip


def preview(scope, code="", *, seats=5, price_id=None, at=NOON):
    return previews.of_start(
        company_id=scope.id, price_id=price_id or price(), seats=seats, country="DE", coupon=code,
        at=at,
    )  # fmt: skip
