"""A card that stops paying: grace, read-only, suspended, and full again the moment it is paid."""

import datetime as dt

import pytest

from billing import remote
from tenants import queries
from tenants.lifecycle import clock as lifecycle
from tests.billing.card.conftest import (
    DAY,
    PAYS,
    account_of,
    bills_of,
    fill_in,
    hear,
    live_of,
    pass_days,
    rent_by_card,
)
from tests.billing.conftest import state_of


def run_lifecycle(at) -> None:
    queries.forget_hosts()
    lifecycle.run(at=at)


def pay_now(card, company, *, at) -> None:
    """Pay the newest bill on the provider's page, and hear of it."""
    card.decline(account_of(company).provider_id, None)
    bill = bills_of(company)[-1]
    page = remote.bill_address(company_id=company.id, invoice_id=bill.pk, is_pdf=False)
    fill_in(page, number=PAYS)
    hear(card, at=at)


@pytest.mark.parametrize(("days", "state"), [(1, "past_due"), (16, "read_only"), (50, "suspended")])
def test_demand_06_failing_and_paid_again(card, company, days, state):
    """The states by the days since the bill fell due; paying opens from each of them."""
    card.settings(after_retries="past_due")
    rent_by_card(company)
    card.decline(account_of(company).provider_id)
    due = pass_days(card, 31)
    assert (live_of(company).provider_status, state_of(company)) == ("past_due", "past_due")
    at = due
    for _day in range(days):
        at += DAY
        run_lifecycle(at)
    assert state_of(company) == state
    pay_now(card, company, at=at)
    assert (state_of(company), live_of(company).past_due_since) == ("active", None)


def test_provider_gives_up_and_the_company_is_read_at_once(card, company):
    rent_by_card(company)
    card.decline(account_of(company).provider_id)
    at = pass_days(card, 50)
    assert (live_of(company).provider_status, state_of(company)) == ("unpaid", "read_only")
    pay_now(card, company, at=at)
    assert state_of(company) == "active"


@pytest.mark.parametrize(
    ("start", "ends"),
    [
        (dt.datetime(2027, 1, 31, 12, tzinfo=dt.UTC),
         ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]),
        (dt.datetime(2028, 1, 29, 12, tzinfo=dt.UTC), ["2028-02-29", "2028-03-29"]),
        (dt.datetime(2028, 1, 30, 23, 59, tzinfo=dt.UTC), ["2028-02-29", "2028-03-30"]),
    ],
)  # fmt: skip
def test_demand_06_periods_keep_their_day(card, company, start, ends):
    card.advance(to=int(start.timestamp()))
    rent_by_card(company, at=start)
    found = []
    for _period in ends:
        end = live_of(company).period_end
        found.append(f"{end:%Y-%m-%d}")
        pass_days(card, 0, since=end + dt.timedelta(hours=2))
    assert found == ends
    assert len(bills_of(company)) == len(ends) + 1
