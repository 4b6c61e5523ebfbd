"""The nightly comparison: few calls, drift is mended, what needs a person is left standing."""

import datetime as dt

from billing import reconciling
from billing.models import Account, Comparison, Difference, Invoice, Subscription
from crm_platform.kernel import tenancy
from tenants.models import Company
from tests.billing.card.conftest import account_of, live_of, rent_by_card
from tests.billing.conftest import make_trial
from tests.conftest import NOON

LATER = NOON + dt.timedelta(hours=1)


def compare() -> list[tuple[str, bool]]:
    """Compare now: what differed, and whether that was mended."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        # Other tests' accounts are nobody to this test's peer.
        Account.objects.filter(provider="stripe").exclude(
            provider_id__in=[c["id"] for c in PEER[0].objects("customer")]
        ).update(provider="manual")
    made = reconciling.compare(at=LATER)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Difference.objects.filter(comparison=made)
        return sorted((d.kind, d.mended_at is not None) for d in rows)


PEER: list = []


def test_demand_13_comparison_finds_and_mends(card, company, say):
    PEER[:] = [card]
    rent_by_card(company, seats=2)
    assert compare() == []
    api = card.stripe().v1
    (there,) = card.objects("subscription")
    item = there["items"]["data"][0]["id"]
    api.subscriptions.update(there["id"], {"items": [{"id": item, "quantity": 6}],
                                           "proration_behavior": "none"})  # fmt: skip
    assert compare() == [("seats", True)]
    assert live_of(company).seats == 6
    api.customers.create({"name": "Nobody"})
    assert compare() == [("stranger", False)]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Invoice.objects.filter(account__company_id=company.id).update(state="open")
    assert compare() == [("bills", True), ("stranger", False)]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Invoice.objects.get(account__company_id=company.id).state == "paid"
        newest = Comparison.objects.first()
    say(f"comparison: accounts={newest.accounts}, calls={newest.calls}")
    assert newest.calls <= 3
    assert newest.ended_at is not None


def test_second_subscription_and_a_lost_one_are_told(card, company):
    PEER[:] = [card]
    rent_by_card(company, seats=2)
    account = account_of(company)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Subscription.objects.filter(account=account).update(provider_id="sub_lost")
    assert ("unknown", True) in compare()
    api = card.stripe().v1
    price = card.objects("price")[0]["id"]
    api.customers.update(account.provider_id, {"email": "a@example.com"})
    api.subscriptions.create(
        {
            "customer": account.provider_id,
            "items": [{"price": price, "quantity": 1}],
            "collection_method": "send_invoice",
            "days_until_due": 30,
        }
    )
    assert ("two", False) in compare()


def test_closed_company_that_is_still_charged_is_told(card, company):
    PEER[:] = [card]
    rent_by_card(company, seats=2)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=company.id).update(state="closed")
    assert ("closed", False) in compare()


def test_provider_away_ends_the_comparison_with_a_word(card, company):
    rent_by_card(company, seats=2)
    card.fault("drop_before", prefix="/v1/", count=10)
    made = reconciling.compare(at=LATER)
    card.no_faults()
    assert made.error
    assert made.ended_at == LATER


def test_nothing_is_compared_without_a_key(database, settings):
    settings.STRIPE = {**settings.STRIPE, "key": ""}
    assert reconciling.compare(at=NOON) is None
    make_trial()
