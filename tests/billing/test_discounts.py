"""Coupons and credit: shown as they are billed, used up once, never below zero, never twice."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251  the fault is about threads

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from billing import clock, coupons, discounts, erasing, subscribing
from billing.currencies import charged
from billing.discounts import Discount
from billing.models import (
    Account,
    Coupon,
    CouponRedemption,
    CreditGrant,
    PlanVersion,
    Price,
)
from billing.pdf import invoice_pdf
from billing.proration import after, prorated
from billing.standing import invoice_of, standing_of
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tests.billing.conftest import make_plan, make_trial, price, price_in, rent
from tests.billing.offers import (
    DAY,
    MONTH,
    account_of,
    bills,
    coupon,
    grant,
    lines,
    preview,
    rent_with,
)
from tests.conftest import NOON, unique

# -- coupons -------------------------------------------------------------------------------------


def test_coupon_comes_off_the_first_bill_as_its_own_line_just_as_shown(trial):
    code = coupon()
    shown = preview(trial, code.lower())
    rent_with(trial, f" {code.lower()} ", shown=shown.due_now.total)
    [bill] = bills(trial)
    assert lines(bill) == [("seats", 25_000), ("coupon", -5000)]
    assert bill.total == shown.due_now.total == 20_000
    assert [line.label for line in bill.lines.all()] == ["", code]


def test_coupon_for_some_periods_ends_with_the_last_of_them(trial):
    rent_with(trial, coupon(percent=50, periods=2))
    for number in (1, 2, 3):
        clock.run(at=after(NOON, "month", number))
    assert [bill.total for bill in bills(trial)] == [12_500, 12_500, 25_000, 25_000]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        done = CouponRedemption.objects.get(account__company_id=trial.id)
    assert (done.used, done.ended_at) == (2, after(NOON, "month"))


def test_forecast_is_the_next_bill(trial):
    rent_with(trial, coupon(percent=33))
    grant(trial, 1234)
    standing = standing_of(trial.id, at=NOON)
    forecast = standing.forecast
    assert (forecast.coupon, forecast.credit) == (8250, 1234)
    assert (standing.credit, standing.coupon.used) == (1234, 1)
    clock.run(at=after(NOON, "month"))
    assert bills(trial)[-1].total == forecast.total == 25_000 - 8250 - 1234


def test_coupon_taken_later_comes_off_the_next_whole_period(trial):
    rent(trial)
    code = coupon(amount=3000, currency="USD", periods=1)
    coupons.redeem(company_id=trial.id, code=code, by="Ann", at=NOON + DAY)
    with pytest.raises(Conflict):
        coupons.redeem(company_id=trial.id, code=coupon(), by="Ann", at=NOON + DAY)
    for number in (1, 2):
        clock.run(at=after(NOON, "month", number))
    assert [bill.total for bill in bills(trial)] == [25_000, 22_000, 25_000]
    with pytest.raises(Conflict):  # once an account
        coupons.redeem(company_id=trial.id, code=code, by="Ann", at=after(NOON, "month", 2))


def test_amount_never_takes_more_off_than_there_is(trial):
    rent_with(trial, coupon(amount=10**9, currency="USD"))
    [bill] = bills(trial)
    assert (bill.total, bill.state, account_of(trial).balance) == (0, "paid", 0)


def test_added_seats_cost_as_much_less_as_the_period_they_join(trial):
    rent_with(trial, coupon(percent=20))
    at = NOON + 10 * DAY
    quote, sealed = subscribing.quote_seats(company_id=trial.id, seats=7, at=at)
    subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=at)
    full = prorated(unit_amount=5000, seats=2, period=MONTH, at=at, currency="USD")
    off = charged(full * 20, 100, "USD")
    assert lines(bills(trial)[-1]) == [("added", full), ("coupon", -off)]
    assert bills(trial)[-1].total == quote.due_now.total == full - off


def test_time_given_back_is_given_back_at_what_it_cost(trial):
    """Who paid nothing for a period gets nothing for the rest of it."""
    rent_with(trial, coupon(percent=100, periods=1), seats=3)
    at = NOON + 12 * DAY
    quote, sealed = subscribing.quote_price(
        company_id=trial.id, price_id=price(interval="year"), at=at
    )
    subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=at)
    bill = bills(trial)[-1]
    back = -prorated(unit_amount=5000, seats=-3, period=MONTH, at=at, currency="USD")
    assert lines(bill) == [("credit", -back), ("coupon", back), ("seats", 150_000)]
    assert bill.total == quote.due_now.total == 150_000
    assert account_of(trial).balance == 0


def test_change_of_price_keeps_the_coupon_and_counts_a_period(trial):
    rent_with(trial, coupon(percent=10, periods=3), seats=1)
    _quote, sealed = subscribing.quote_price(
        company_id=trial.id, price_id=price(interval="year"), at=NOON
    )
    subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=NOON)
    assert lines(bills(trial)[-1]) == [
        ("credit", -5000), ("coupon", 500), ("seats", 50_000), ("coupon", -5000),
    ]  # fmt: skip
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert CouponRedemption.objects.get(account__company_id=trial.id).used == 2


@pytest.mark.parametrize(
    ("facts", "said"),
    [({"interval": "year"}, "not for this price"),
     ({"amount": 100, "currency": "EUR"}, "not for this price"),
     ({"valid_until": NOON + dt.timedelta(seconds=1)}, "a day that is past")],
)  # fmt: skip
def test_coupon_that_does_not_fit_is_refused_and_nothing_begins(trial, facts, said):
    code, later = coupon(**facts), NOON + DAY
    for act in (preview, rent_with):
        with pytest.raises(Invalid, match=said):
            act(trial, code, at=later)
    assert bills(trial) == []


def test_coupon_for_some_plans_is_for_no_other(trial):
    own = make_plan()
    code = coupon(plans=[own.plan_id])
    with pytest.raises(Invalid, match="not for this price"):
        preview(trial, code)
    assert preview(trial, code, price_id=price_in(own).pk).due_now.total == 20_000


def test_ended_coupon_goes_on_for_who_has_it(trial):
    other, code = make_trial(), coupon()
    rent_with(trial, code)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        key = Coupon.objects.get(code=code).pk
    coupons.end(coupon_id=key, at=NOON)
    with pytest.raises(Conflict):
        coupons.end(coupon_id=key, at=NOON)
    with pytest.raises(NotFound):
        coupons.end(coupon_id=10**9, at=NOON)
    with pytest.raises(Invalid, match="no such coupon"):
        rent_with(other, code)
    clock.run(at=after(NOON, "month"))
    assert bills(trial)[-1].total == 20_000


def test_coupon_is_used_as_often_as_it_may_even_by_many_at_once(database, say):
    scopes, code = [make_trial() for _number in range(6)], coupon(most=2)
    for scope in scopes:
        rent(scope)
    gate = threading.Barrier(len(scopes))

    def one(scope):
        gate.wait()
        try:
            coupons.redeem(company_id=scope.id, code=code, by="Ann", at=NOON)
        except Invalid:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(len(scopes)) as pool:
        outcomes = list(pool.map(one, scopes))
    with tenancy.unit_of_work(tenancy.PLATFORM):
        kept = Coupon.objects.get(code=code)
        assert (sum(outcomes), kept.redeemed, kept.redemptions.count()) == (2, 2, 2)
    say(f"coupon: asked={len(scopes)}, may=2, redeemed={sum(outcomes)}")


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"percent": 0}, "percent"), ({"percent": 101}, "percent"), ({"percent": None}, "percent"),
     ({"percent": 10, "amount": 5, "currency": "USD"}, "percent"),
     ({"percent": None, "amount": 0, "currency": "USD"}, "amount"),
     ({"percent": None, "amount": 150, "currency": "TWD"}, "amount"),
     ({"percent": None, "amount": 1, "currency": "XXX"}, "currency"),
     ({"code": "a"}, "code"), ({"code": "with space"}, "code"), ({"code": "ÄÖÜ"}, "code"),
     ({"periods": 0}, "periods"), ({"periods": 121}, "periods"), ({"most": 0}, "most"),
     ({"interval": "week"}, "interval"), ({"valid_until": NOON}, "valid_until"),
     ({"plans": [10**9]}, "plans")],
)  # fmt: skip
def test_coupon_that_cannot_be_is_refused_at_its_field(database, facts, field):
    given = {"code": f"C-{unique()}", "percent": 10, "by": "Olga", "at": NOON, **facts}
    with pytest.raises(Invalid) as refused:
        coupons.add(**given)
    assert refused.value.field == field
    code = coupon()
    with pytest.raises(Invalid) as refused:
        coupon(code=code.lower())
    assert refused.value.field == "code"


# -- whatever the amounts ------------------------------------------------------------------------


@given(
    unit=st.integers(0, 10**6), seats=st.integers(1, 500), percent=st.integers(1, 100),
    credit=st.integers(0, 10**9), off=st.none() | st.integers(1, 10**7),
    code=st.sampled_from(("USD", "TWD", "JPY")),
)  # fmt: skip
def test_bill_never_falls_below_zero_and_lines_add_up(unit, seats, percent, credit, off, code):
    own = Price(
        currency=code, interval="month", unit_amount=unit * (100 if code == "TWD" else 1),
        version=PlanVersion(plan_id=1),
    )  # fmt: skip
    value = {"amount": off, "currency": code} if off else {"percent": percent}
    found = discounts.period_lines(own, seats, MONTH, Discount(Coupon(**value), credit))
    total, whole = sum(line.amount for line in found), found[0].amount
    assert 0 <= total <= whole
    assert whole == own.unit_amount * seats
    by_kind = {line.kind: -line.amount for line in found[1:]}
    assert by_kind.get("grant", 0) == min(credit, whole - by_kind.get("coupon", 0))
    if not off:
        assert by_kind.get("coupon", 0) == charged(whole * percent, 100, code)


def test_pdf_names_coupon_and_credit(trial):
    rent_with(trial, coupon())
    grant(trial, 500)
    clock.run(at=after(NOON, "month"))
    made = invoice_pdf(invoice_of(trial.id, bills(trial)[-1].pk))
    plain = invoice_pdf(invoice_of(trial.id, bills(trial)[0].pk))
    assert made.startswith(b"%PDF-")
    assert len(made) > len(plain)


def test_erasing_forgets_who_used_a_coupon_and_what_was_given(trial):
    rent_with(trial, coupon())
    grant(trial, 500)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        erasing.forget_company(company_id=trial.id)
        assert CouponRedemption.objects.get(account__company_id=trial.id).by == "erased"
        assert CreditGrant.objects.get(account__company_id=trial.id).reason == ""


def test_erasing_a_company_that_was_never_billed_leaves_no_credit(trial):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Account.objects.create(
            company_id=trial.id, currency="USD", legal_name="Firma", created_at=NOON
        )
    grant(trial, 500)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        erasing.forget_company(company_id=trial.id)
        assert not CreditGrant.objects.filter(account__company_id=trial.id).exists()
