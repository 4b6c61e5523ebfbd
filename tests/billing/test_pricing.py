"""The price list's sums, and renting beside a server of one's own: whole numbers throughout."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import catalogue, comparing, pricing
from billing.catalogue import PriceFacts
from billing.comparing import Assumptions
from billing.currencies import CURRENCIES
from billing.models import PlanVersion
from crm_platform.kernel.errors import Invalid
from tests.conftest import NOON, unique

USD = Assumptions(
    server_a_month=8000, backup_a_month=1000, admin_hours_a_month=10, hourly_wage=5000,
    setup_days=5,
)  # fmt: skip


def standard() -> pricing.Offer:
    return next(each for each in pricing.public_offers() if each.key == "standard")


def test_ten_users_cost_what_the_published_price_says(platform_unit):
    offer = standard()
    by_month = pricing.sums(offer, users=10, currency="USD", interval="month")
    by_year = pricing.sums(offer, users=10, currency="USD", interval="year")
    assert (by_month.a_month, by_month.a_year, by_month.saved_a_year) == (50_000, 600_000, 0)
    assert (by_year.a_month, by_year.a_year, by_year.saved_a_year) == (41_667, 500_000, 100_000)
    assert pricing.saved_percent(offer, "USD") == 16


def test_a_month_of_a_year_is_in_whole_steps_of_the_currency(platform_unit):
    for code in pricing.currencies_of([standard()]):
        found = pricing.sums(standard(), users=7, currency=code, interval="year")
        assert found.a_month % CURRENCIES[code].step == 0
        assert abs(found.a_month * 12 - found.a_year) <= 6 * CURRENCIES[code].step


def test_only_published_versions_of_public_plans_are_offered(platform_unit):
    prices = [PriceFacts(currency="USD", interval="month", unit_amount=9900, least_seats=10,
                         most_seats=20)]  # fmt: skip
    shown = catalogue.add_plan(key=f"p{unique()}", names={"en": "Plus"}, is_public=True)
    hidden = catalogue.add_plan(key=f"h{unique()}", names={"en": "Own"}, is_public=False)
    for plan in (shown, hidden):
        draft = catalogue.draft(plan_id=plan.pk)
        catalogue.change_draft(version_id=draft.pk, prices=prices, limits={})
    assert {shown.key, hidden.key}.isdisjoint(each.key for each in pricing.public_offers())
    for plan in (shown, hidden):
        catalogue.publish(version_id=catalogue.draft(plan_id=plan.pk).pk, at=NOON)
    offers = {each.key: each for each in pricing.public_offers()}
    assert shown.key in offers
    assert hidden.key not in offers
    plus = offers[shown.key]
    for users, field in ((9, "users"), (21, "users")):
        with pytest.raises(Invalid) as refusal:
            pricing.sums(plus, users=users, currency="USD", interval="month")
        assert refusal.value.field == field
    with pytest.raises(Invalid) as refusal:
        pricing.sums(plus, users=10, currency="USD", interval="year")
    assert refusal.value.field == "interval"
    assert PlanVersion.objects.filter(plan=shown, state="published").count() == 1


def test_wished_currency_is_taken_where_it_is_offered(platform_unit):
    offers = [standard()]
    assert pricing.usual_currency(offers, "TWD") == "TWD"
    assert pricing.usual_currency(offers, "THB") == "USD"
    assert pricing.usual_currency([], "USD") == ""


def test_own_server_over_one_three_and_five_years():
    # set-up 5 × 8 × 50; a month 80 + 10 + 10 × 50
    assert (USD.setup, USD.a_month) == (200_000, 59_000)
    rows = [
        comparing.compare(a_year_per_user=50_000, users=10, years=years, assumptions=USD)
        for years in comparing.HORIZONS
    ]
    assert [(row.rented, row.own, row.cheaper) for row in rows] == [
        (500_000, 908_000, "rented"), (1_500_000, 2_324_000, "rented"),
        (2_500_000, 3_740_000, "rented"),
    ]  # fmt: skip
    assert rows[0].difference == 408_000


@given(
    price=st.integers(1, 10**7), years=st.integers(1, 20), server=st.integers(0, 10**7),
    hours=st.integers(0, 744), wage=st.integers(0, 10**6), days=st.integers(0, 1000),
)  # fmt: skip
def test_break_even_is_the_fewest_users_for_whom_renting_costs_more(
    price, years, server, hours, wage, days
):
    taken = Assumptions(
        server_a_month=server, backup_a_month=0, admin_hours_a_month=hours, hourly_wage=wage,
        setup_days=days,
    )  # fmt: skip
    users = comparing.break_even(a_year_per_user=price, years=years, assumptions=taken)

    def cheaper(count):
        return comparing.compare(
            a_year_per_user=price, users=count, years=years, assumptions=taken
        ).cheaper

    assert cheaper(users) == "own"
    assert users == 1 or cheaper(users - 1) in ("rented", "")


def test_a_price_of_nothing_has_no_break_even():
    assert comparing.break_even(a_year_per_user=0, years=3, assumptions=USD) is None
    assert comparing.compare(a_year_per_user=0, users=1, years=1, assumptions=USD).own == 908_000


def test_every_currency_that_can_be_charged_has_usual_amounts():
    for code in CURRENCIES:
        usual = SimpleNamespace(**comparing.usual(code))
        assert min(usual.server, usual.backup, usual.wage) > 0, code
    assert comparing.counted(1600, "TWD") == 160_000
    assert comparing.counted(1600, "JPY") == 1600
