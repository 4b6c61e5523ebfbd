"""Money and tax numbers: exact to the smallest unit, whatever the currency and the calendar."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import taxids
from billing.currencies import CURRENCIES, charged, shown
from billing.proration import MONTH, YEAR, Period, after, period_of, prorated
from crm_platform.kernel.errors import Invalid

START = dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC)
moments = st.integers(0, 20 * 365 * 86_400).map(
    lambda seconds: dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
)


@given(
    numerator=st.integers(-(10**12), 10**12), denominator=st.integers(1, 10**8),
    code=st.sampled_from(sorted(CURRENCIES)),
)  # fmt: skip
def test_amounts_are_rounded_half_away_from_zero_in_whole_steps(numerator, denominator, code):
    step, exact = CURRENCIES[code].step, Fraction(numerator, denominator)
    amount = charged(numerator, denominator, code)
    assert amount % step == 0
    assert abs(amount - exact) <= Fraction(step, 2)
    assert charged(-numerator, denominator, code) == -amount


@given(
    unit=st.integers(1, 10**6), seats=st.integers(1, 500), at=moments,
    code=st.sampled_from(sorted(CURRENCIES)), interval=st.sampled_from((MONTH, YEAR)),
)  # fmt: skip
def test_up_and_down_in_the_same_second_costs_nothing(unit, seats, at, code, interval):
    period = period_of(START, interval, max(at, START))
    moment = max(at, START)
    up = prorated(unit_amount=unit, seats=seats, period=period, at=moment, currency=code)
    down = prorated(unit_amount=unit, seats=-seats, period=period, at=moment, currency=code)
    assert up + down == 0
    assert 0 <= up <= charged(unit * seats, 1, code)


def test_whole_period_costs_the_price_and_its_end_nothing():
    period = Period(START, after(START, MONTH))
    price = {"unit_amount": 5000, "seats": 3, "period": period, "currency": "USD"}
    assert prorated(at=period.start, **price) == 15000
    assert prorated(at=period.end, **price) == 0
    assert prorated(at=period.start - dt.timedelta(days=9), **price) == 15000
    half = period.start + (period.end - period.start) / 2
    assert prorated(at=half, **price) == 7500


def test_demand_08_taiwan_dollars_are_charged_whole_and_yen_have_no_cents():
    period = Period(START, after(START, MONTH))
    at = START + dt.timedelta(days=10)
    twd = prorated(unit_amount=160000, seats=1, period=period, at=at, currency="TWD")
    jpy = prorated(unit_amount=7000, seats=1, period=period, at=at, currency="JPY")
    assert (twd, jpy) == (102900, 4500)
    assert (shown(twd, "TWD"), shown(jpy, "JPY", "zh-hant")) == ("NT$1,029", "¥4,500")
    assert shown(5000, "USD", "zh-hant") == "US$50.00"
    for code, text in (("TWD", "NT$1,600"), ("HKD", "HK$1,600.00")):
        said = {shown(160_000, code, language) for language in ("en", "zh-hant", "zh-hans")}
        assert said == {text}


@pytest.mark.parametrize(
    ("count", "day"),
    [(1, (2026, 2, 28)), (2, (2026, 3, 31)), (25, (2028, 2, 29)), (12, (2027, 1, 31))],
)
def test_demand_06_months_are_counted_from_the_anchor_so_that_its_day_comes_back(count, day):
    found = after(START, MONTH, count)
    assert (found.year, found.month, found.day) == day
    assert found.timetz() == START.timetz()


def test_demand_06_a_year_from_a_leap_day_ends_on_the_last_of_february():
    leap = dt.datetime(2028, 2, 29, tzinfo=dt.UTC)
    assert [after(leap, YEAR, n).day for n in (1, 2, 3, 4)] == [28, 28, 28, 29]


@given(at=moments, interval=st.sampled_from((MONTH, YEAR)))
def test_every_moment_lies_in_the_one_period_that_holds_it(at, interval):
    moment = max(at, START)
    period = period_of(START, interval, moment)
    assert period.start <= moment < period.end
    assert period_of(START, interval, period.end).start == period.end


@pytest.mark.parametrize(
    ("number", "new", "old"),
    [("04595257", True, True), ("10458575", True, True), ("12345678", False, False),
     ("04595252", True, False), ("0459525", False, False), ("0459525A", False, False)],
)  # fmt: skip
def test_demand_08_ubn_by_the_rule_of_2023_and_the_one_before(number, new, old):
    assert taxids.is_ubn(number) is new
    assert taxids.is_ubn(number, divisor=taxids.OLD_UBN_DIVISOR) is old


def test_tax_numbers_are_kept_in_one_spelling_or_refused_with_a_reason():
    assert taxids.clean("tw_vat", " 0459-5257 ").value == "04595257"
    assert taxids.clean("eu_vat", "de 123.456.789").value == "DE123456789"
    for kind, value in (("tw_vat", "12345678"), ("eu_vat", "123"), ("other", "x"), ("us", "1")):
        with pytest.raises(Invalid):
            taxids.clean(kind, value)
