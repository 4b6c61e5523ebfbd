"""The same story by bank transfer and by card: what a company has afterwards is the same."""

import datetime as dt
from dataclasses import dataclass

import pytest

from billing import clock, paying, renting
from billing.models import Command, Invoice, PendingChange
from billing.providers import has_stripe
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tests.billing.card.conftest import (
    account_of,
    bills_of,
    live_of,
    pass_days,
    rent_by_card,
)
from tests.billing.conftest import make_trial, price, rent, state_of
from tests.conftest import NOON

DAY = dt.timedelta(days=1)


@dataclass
class Way:
    """How companies pay in this run of the story."""

    card: object
    is_card: bool

    def rent(self, scope, **what) -> None:
        rent_by_card(scope, **what) if self.is_card else rent(scope, **what)

    def days_later(self, days: float, *, pays: bool = True):
        """Time passes, and what is due is paid, or not."""
        at = NOON + days * DAY
        if self.is_card:
            return pass_days(self.card, days)
        clock.run(at=at)
        if pays:
            with tenancy.unit_of_work(tenancy.PLATFORM):
                rows = Invoice.objects.filter(state="open", issued_at__lte=at)
                owed = [(b.account_id, b.pk, b.total - b.paid) for b in rows]
            for account, bill, amount in owed:
                paying.record_transfer(
                    account_id=account, amount=amount, received_on=at.date(), at=at, by="Olga",
                    reference=f"T{bill}-{days}", invoice_id=bill,
                )  # fmt: skip
        return at


@pytest.fixture(params=["manual", "stripe"])
def way(request, card):
    return Way(card, request.param == "stripe")


def test_demand_11_a_year_of_renting(way, say):
    scope = make_trial()
    way.rent(scope, seats=3)
    story = [(live_of(scope).seats, state_of(scope))]
    at = way.days_later(10)
    quote, sealed = renting.quote_seats(company_id=scope.id, seats=5, at=at)
    found = renting.accept(company_id=scope.id, quote=sealed, by="Ann", at=at)
    assert found.invoice.total == quote.due_now.total
    story.append((live_of(scope).seats, quote.added, quote.next_net))
    renting.reduce_seats(company_id=scope.id, seats=4, used=1, by="Ann", at=at)
    at = way.days_later(31)
    story.append((live_of(scope).seats, bills_of(scope)[-1].total, state_of(scope)))
    yearly = price(interval="year")
    _quote, sealed = renting.quote_price(company_id=scope.id, price_id=yearly, at=at)
    renting.accept(company_id=scope.id, quote=sealed, by="Ann", at=at)
    story.append((live_of(scope).price.interval, live_of(scope).seats))
    renting.cancel(company_id=scope.id, reason="x", by="Ann", at=at)
    renting.resume(company_id=scope.id, by="Ann", at=at)
    renting.cancel(company_id=scope.id, reason="x", by="Ann", at=at)
    way.days_later(31 + 366)
    story.append((live_of(scope), state_of(scope)))
    say(f"a year {'by card' if way.is_card else 'by transfer'}: {story}")
    assert story == [
        (3, "active"), (5, 2, 25_000), (4, 20_000, "active"), ("year", 4), (None, "read_only")
    ]  # fmt: skip


def test_demand_11_refusals(way):
    scope = make_trial()
    with pytest.raises(NotFound, match="rents nothing"):
        renting.cancel(company_id=scope.id, reason="", by="A", at=NOON)
    way.rent(scope, seats=2)
    with pytest.raises(Conflict, match="rents already"):
        way.rent(scope, seats=2)
    refused = [
        (Invalid, "higher number", lambda: renting.quote_seats(
            company_id=scope.id, seats=1, at=NOON)),
        (Invalid, "in use", lambda: renting.reduce_seats(
            company_id=scope.id, seats=1, used=2, by="A", at=NOON)),
        (Invalid, "lower number", lambda: renting.reduce_seats(
            company_id=scope.id, seats=2, used=1, by="A", at=NOON)),
        (NotFound, "not offered", lambda: renting.quote_price(
            company_id=scope.id, price_id=0, at=NOON)),
        (NotFound, "no such change", lambda: renting.take_back(
            company_id=scope.id, change_id=0, by="A", at=NOON)),
        (Conflict, "not cancelled", lambda: renting.resume(
            company_id=scope.id, by="A", at=NOON)),
        (Invalid, "Something changed", lambda: renting.accept(
            company_id=scope.id, quote="forged", by="A", at=NOON)),
    ]  # fmt: skip
    for kind, words, act in refused:
        with pytest.raises(kind, match=words):
            act()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not PendingChange.objects.filter(
            subscription__account__company_id=scope.id, settled_at=None
        ).exists()
    assert live_of(scope).seats == 2


def test_demand_11_unpaid_is_late_and_paid_is_full(way):
    scope = make_trial()
    way.rent(scope, seats=1)
    way.days_later(1)
    if way.is_card:
        way.card.settings(after_retries="past_due")
        way.card.decline(account_of(scope).provider_id)
    way.days_later(31, pays=False)
    way.days_later(31 + 15, pays=False)
    assert state_of(scope) == "past_due"
    if way.is_card:
        way.card.decline(account_of(scope).provider_id, None)
        bill = bills_of(scope)[-1]
        way.card.stripe().v1.invoices.pay(bill.provider_id)
        pass_days(way.card, 47)
    else:
        way.days_later(47)
    assert state_of(scope) == "active"


def test_demand_11_without_a_key_everybody_pays_by_transfer(database, settings):
    settings.STRIPE = {**settings.STRIPE, "key": ""}
    assert not has_stripe()
    scope = make_trial()
    rent(scope)
    assert account_of(scope).provider == "manual"


def test_key_that_is_gone_is_an_outage_for_who_paid_by_card_and_for_nobody_else(card, settings):
    scope, other = make_trial(), make_trial()
    rent_by_card(scope, seats=2)
    rent(other)
    settings.STRIPE = {**settings.STRIPE, "key": ""}

    with pytest.raises(Conflict, match="does not answer"):
        renting.quote_seats(company_id=scope.id, seats=3, at=NOON)
    renting.cancel(company_id=scope.id, reason="x", by="Ann", at=NOON)
    clock.run(at=NOON + 31 * DAY)

    with tenancy.unit_of_work(tenancy.PLATFORM):
        waiting = Command.objects.filter(account__company_id=scope.id, state="waiting").get()
    assert "need its key" in waiting.error
    assert len(bills_of(other)) == 2, "the clock stopped at another company's account"
