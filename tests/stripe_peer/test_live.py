"""Scenarios that hold on Stripe's test mode as on the peer.

With RAPPORT_STRIPE_TEST_KEY set they run there as well; without it that half is skipped, saying so.
They use a test clock, so that time passes on either side.
"""

import os
import time

import pytest
import stripe

from tests.stripe_peer.shop import DAY, Shop, items, period

KEY = "RAPPORT_STRIPE_TEST_KEY"
START = 1_811_851_200  # 1 Jun 2027, noon


@pytest.fixture(params=["peer", pytest.param("stripe", marks=pytest.mark.live)])
def either(request):
    """A shop on the peer, then one on Stripe itself."""
    if request.param == "peer":
        return Shop(request.getfixturevalue("peer").stripe())
    key = os.environ.get(KEY, "")
    if not key:
        pytest.skip(f"{KEY} is not set, so Stripe itself was not asked")
    assert key.startswith(("sk_test_", "rk_test_")), f"{KEY} must be a test key"
    return Shop(stripe.StripeClient(key, stripe_version=stripe.api_version))


@pytest.fixture
def clock(either):
    clocks = either.api.v1.test_helpers.test_clocks
    made = clocks.create({"frozen_time": START})
    yield made.id
    clocks.delete(made.id)


def pass_time(shop, clock: str, to: int) -> None:
    """Advance the clock and wait until it is ready."""
    clocks = shop.api.v1.test_helpers.test_clocks
    clocks.advance(clock, {"frozen_time": to})
    until = time.monotonic() + 120
    while clocks.retrieve(clock).status != "ready":
        assert time.monotonic() < until, "the test clock did not get ready"
        time.sleep(1)


def test_live_seats_are_charged_as_previewed(either, clock):
    subscription = either.subscribe(either.customer(test_clock=clock), either.price(5000), 5)
    assert (subscription.status, subscription.latest_invoice.amount_paid) == ("active", 25000)
    pass_time(either, clock, START + 10 * DAY)
    how = {"proration_behavior": "always_invoice", "proration_date": START + 10 * DAY}
    preview = either.preview(subscription, 7, **how)
    changed = either.seats(subscription, 7, payment_behavior="pending_if_incomplete", **how)
    assert changed.latest_invoice.amount_paid == preview.amount_due == 6666
    assert sorted(each.amount for each in changed.latest_invoice.lines.data) == [-16667, 23333]


def test_live_a_renewal_is_paid(either, clock):
    subscription = either.subscribe(either.customer(test_clock=clock), either.price(5000), 2)
    end = period(subscription)[1]
    pass_time(either, clock, end + 2 * 3600)
    renewed = either.subscription(subscription.id)
    assert (renewed.status, renewed.latest_invoice.amount_paid) == ("active", 10000)
    assert period(renewed)[0] == end


def test_live_a_removal_waits_for_the_renewal(either, clock):
    price = either.price(5000)
    subscription = either.subscribe(either.customer(test_clock=clock), price, 7)
    schedules = either.api.v1.subscription_schedules
    made = schedules.create({"from_subscription": subscription.id})
    running = made.phases[0]
    schedules.update(made.id, {"end_behavior": "release", "phases": [
        {"start_date": running.start_date, "end_date": running.end_date,
         "items": [{"price": price.id, "quantity": 7}]},
        {"items": [{"price": price.id, "quantity": 4}], "proration_behavior": "none",
         "duration": {"interval": "month"}},
    ]})  # fmt: skip
    assert items(either.subscription(subscription.id))[0].quantity == 7
    pass_time(either, clock, running.end_date + 2 * 3600)
    fewer = either.subscription(subscription.id)
    assert (items(fewer)[0].quantity, fewer.latest_invoice.total) == (4, 20000)


def test_live_a_change_that_is_not_paid_waits(either, clock):
    customer = either.customer(test_clock=clock)
    subscription = either.subscribe(customer, either.price(5000), 5)
    either.give_card(customer.id, "pm_card_chargeCustomerFail")
    pass_time(either, clock, START + 10 * DAY)
    waiting = either.seats(subscription, 7, payment_behavior="pending_if_incomplete",
                           proration_behavior="always_invoice")  # fmt: skip
    assert items(waiting)[0].quantity == 5
    assert waiting.pending_update.subscription_items[0].quantity == 7
    assert waiting.latest_invoice.status == "open"


def test_live_the_same_key_makes_one_customer(either):
    key = f"rapport-live-{time.time_ns()}"
    made = [
        either.api.v1.customers.create({"name": "Firma"}, {"idempotency_key": key})
        for _ in range(2)
    ]
    assert made[0].id == made[1].id
    with pytest.raises(stripe.IdempotencyError):
        either.api.v1.customers.create({"name": "Other"}, {"idempotency_key": key})


def test_live_a_bank_transfer_pays_a_bill(either, clock):
    subscription = either.subscribe(
        either.customer(card=None, test_clock=clock), either.price(5000), 2,
        collection_method="send_invoice", days_until_due=30,
    )  # fmt: skip
    invoice = either.api.v1.invoices.finalize_invoice(subscription.latest_invoice.id)
    assert (invoice.status, invoice.amount_due) == ("open", 10000)
    paid = either.api.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
