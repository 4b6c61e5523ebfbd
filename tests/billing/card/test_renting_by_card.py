"""Renting by card: at the peer's pages as a person would, and what stands here afterwards."""

import datetime as dt

import pytest

from billing import outbox, renting
from billing.models import Command
from billing.seats import services as seats
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid
from tests.billing.card.conftest import (
    ASKS,
    BACK,
    DECLINED,
    FAILS_LATER,
    PAYS,
    account_of,
    bills_of,
    fill_in,
    hear,
    live_of,
    pass_days,
    read,
    rent_by_card,
)
from tests.billing.conftest import BUYER, make_trial, price, state_of
from tests.conftest import NOON

SECOND = dt.timedelta(seconds=1)
LATER = NOON + dt.timedelta(days=10)


def seats_of(scope) -> int | None:
    with tenancy.unit_of_work(scope):
        return seats.standing(at=NOON).purchased


def test_card_is_given_there_and_the_company_works(card, company):
    assert rent_by_card(company) == f"{BACK}?paid=1"
    live = live_of(company)
    assert (live.seats, live.provider_status, live.price.unit_amount) == (5, "active", 5000)
    assert (state_of(company), seats_of(company)) == ("active", 5)
    (bill,) = bills_of(company)
    assert (bill.total, bill.paid, bill.state, bill.currency) == (25_000, 25_000, "paid", "USD")
    account = account_of(company)
    assert account.card["last4"] == "4242"
    assert account.provider == "stripe"


def test_declined_card_begins_nothing(card, company):
    assert "declined" in rent_by_card(company, number=DECLINED)
    assert (live_of(company), bills_of(company), state_of(company)) == (None, [], "trial")


def test_two_open_pages_are_paid_once(card, company):
    given = {"company_id": company.id, "price_id": price(), "seats": 2, "buyer": BUYER,
             "by": "Ann", "provider": "stripe", "back": BACK}  # fmt: skip
    first = renting.start(**given, at=NOON)
    second = renting.start(**given, at=NOON + SECOND)
    assert "closed" in read(first)
    fill_in(second, number=PAYS, email="a@example.com")
    with pytest.raises(Conflict, match="rents already"):
        renting.start(**given, at=NOON + 2 * SECOND)
    assert len(card.objects("subscription")) == 1


def test_demand_07_preview_is_what_is_charged(card, company, say):
    """Seats up, up again, and by the year: each charge is to the unit what was shown."""
    rent_by_card(company, seats=3)
    shown, charged = [], []
    for days, count in ((3.3, 4), (11.17, 9), (25.001, 10)):
        at = pass_days(card, days)
        quote, sealed = renting.quote_seats(company_id=company.id, seats=count, at=at)
        found = renting.accept(company_id=company.id, quote=sealed, by="Ann", at=at + 90 * SECOND)
        shown.append(quote.due_now.total)
        charged.append(found.invoice.total)
        assert (live_of(company).seats, seats_of(company)) == (count, count)
    yearly = price(interval="year")
    quote, sealed = renting.quote_price(company_id=company.id, price_id=yearly, at=at)
    found = renting.accept(company_id=company.id, quote=sealed, by="Ann", at=at)
    shown.append(quote.due_now.total)
    charged.append(found.invoice.total)
    say(f"previews: shown={shown}, charged={charged}")
    assert shown == charged
    assert all(amount > 0 for amount in charged)
    assert live_of(company).price.interval == "year"
    with pytest.raises(Conflict, match="Something changed"):
        renting.accept(company_id=company.id, quote=sealed, by="Ann", at=at)


def test_seats_come_when_they_are_paid(card, company):
    rent_by_card(company, seats=2)
    card.decline(account_of(company).provider_id)
    quote, sealed = renting.quote_seats(company_id=company.id, seats=6, at=NOON)
    found = renting.accept(company_id=company.id, quote=sealed, by="Ann", at=NOON)
    assert found.pay_at.startswith(card.url)
    assert (live_of(company).seats, seats_of(company), state_of(company)) == (2, 2, "active")
    card.decline(account_of(company).provider_id, None)
    fill_in(found.pay_at, number=PAYS)
    hear(card, at=NOON)
    assert (live_of(company).seats, seats_of(company)) == (6, 6)
    assert bills_of(company)[-1].total == quote.due_now.total


def test_seats_that_were_not_paid_within_a_day_do_not_come(card, company):
    rent_by_card(company, seats=2)
    card.decline(account_of(company).provider_id)
    _quote, sealed = renting.quote_seats(company_id=company.id, seats=6, at=NOON)
    renting.accept(company_id=company.id, quote=sealed, by="Ann", at=NOON)
    pass_days(card, 1.1)
    assert live_of(company).seats == 2
    assert bills_of(company)[-1].state == "void"
    assert state_of(company) == "active"


def test_card_that_asks_its_owner(card, company):
    page = rent_by_card(company, seats=1, number=ASKS)
    assert "confirm" in page


def test_fewer_seats_come_with_the_next_period_even_if_we_are_away(card, company):
    rent_by_card(company, seats=5)
    renting.reduce_seats(company_id=company.id, seats=3, used=1, by="Ann", at=NOON)
    change = renting.reduce_seats(company_id=company.id, seats=2, used=1, by="Ann", at=NOON)
    assert live_of(company).seats == 5
    renting.take_back(company_id=company.id, change_id=change.pk, by="Ann", at=NOON)
    assert card.objects("subscription")[0]["schedule"] is None
    renting.reduce_seats(company_id=company.id, seats=4, used=1, by="Ann", at=NOON)
    pass_days(card, 31)
    assert (live_of(company).seats, bills_of(company)[-1].total) == (4, 20_000)


def test_cheaper_interval_comes_with_the_next_period(card, company):
    rent_by_card(company, seats=2, interval="year")
    renting.plan_price(company_id=company.id, price_id=price(), by="Ann", at=NOON)
    pass_days(card, 366)
    live = live_of(company)
    assert (live.price.interval, live.seats) == ("month", 2)


def test_stop_go_on_and_stop(card, company):
    rent_by_card(company, seats=2)
    renting.reduce_seats(company_id=company.id, seats=1, used=1, by="Ann", at=NOON)
    renting.cancel(company_id=company.id, reason="x", by="Ann", at=NOON)
    assert card.objects("subscription")[0]["cancel_at_period_end"] is True
    renting.resume(company_id=company.id, by="Ann", at=NOON)
    there = card.objects("subscription")[0]
    assert (there["cancel_at_period_end"], bool(there["schedule"])) == (False, True)
    renting.cancel(company_id=company.id, reason="x", by="Ann", at=NOON)
    pass_days(card, 31)
    assert (live_of(company), state_of(company)) == (None, "read_only")
    assert seats_of(company) is None


def test_buyer_and_tax_number_stand_there_too(card, company):
    rent_by_card(company, seats=1)
    taiwan = type(BUYER)(legal_name="台北科技", country="TW", tax_id_kind="tw_vat",
                         tax_id="04595257", email="bill@example.tw", address="信義區")  # fmt: skip
    renting.change_buyer(company_id=company.id, buyer=taiwan, by="Ann", at=NOON)
    (customer,) = card.objects("customer")
    assert (customer["name"], customer["email"]) == ("台北科技", "bill@example.tw")
    known = [(each["type"], each["value"]) for each in card.objects("tax_id")]
    assert ("tw_vat", "04595257") in known
    assert ("eu_vat", "DE123456789") not in known


def test_provider_away_changes_nothing_and_says_so(card, company):
    rent_by_card(company, seats=2)
    card.fault("drop_before", prefix="/v1/", count=50)
    with pytest.raises(Conflict, match="does not answer"):
        renting.quote_seats(company_id=company.id, seats=3, at=NOON)
    renting.cancel(company_id=company.id, reason="x", by="Ann", at=NOON)
    card.no_faults()
    assert card.objects("subscription")[0]["cancel_at_period_end"] is False
    outbox.send_due(at=NOON + dt.timedelta(minutes=1))
    assert card.objects("subscription")[0]["cancel_at_period_end"] is True
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ours = Command.objects.filter(account__company_id=company.id)
        assert not ours.filter(state="waiting").exists()


def test_what_the_provider_refuses_is_no_outage(card, company):
    rent_by_card(company, seats=2)
    over = NOON + dt.timedelta(days=60)  # the period there is another one than here
    with pytest.raises(Conflict, match="refused this change"):
        renting.quote_seats(company_id=company.id, seats=3, at=over)
    card.violations(forget=True)


def test_refusals_are_the_same_as_with_our_own_books(card, company):
    rent_by_card(company, seats=2)
    with pytest.raises(Invalid, match="higher number"):
        renting.quote_seats(company_id=company.id, seats=2, at=NOON)
    with pytest.raises(Invalid, match="price already"):
        renting.quote_price(company_id=company.id, price_id=price(), at=NOON)
    with pytest.raises(Invalid, match="currency"):
        renting.quote_price(company_id=company.id, price_id=price(currency="TWD"), at=NOON)
    _quote, sealed = renting.quote_seats(company_id=company.id, seats=3, at=NOON)
    with pytest.raises(Conflict, match="Something changed"):
        renting.accept(company_id=company.id, quote=sealed, by="A", at=NOON + 31 * 60 * SECOND)
    other = make_trial()
    rent_by_card(other, seats=2)
    with pytest.raises(Conflict, match="Something changed"):
        renting.accept(company_id=other.id, quote=sealed, by="A", at=NOON)


def test_card_that_pays_nothing_begins_nothing(card, company):
    assert "declined" in rent_by_card(company, seats=1, number=FAILS_LATER)
    assert live_of(company) is None
