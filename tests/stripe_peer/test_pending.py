"""Changes that are made only if they can be paid."""

import pytest
import stripe

from tests.stripe_peer.shop import items

HOW = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
PENDING = ("customer.subscription.pending_update_applied",
           "customer.subscription.pending_update_expired")  # fmt: skip


@pytest.fixture
def waiting(peer, shop):
    """A subscription of five whose change to seven could not be paid."""
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(3000), 5)
    peer.advance(days=15)
    peer.decline(customer.id)
    return shop.seats(subscription, 7, **HOW)


def test_a_change_that_is_paid_is_made_at_once(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(3000), 5)
    peer.advance(days=15)
    changed = shop.seats(subscription, 7, **HOW)
    assert (items(changed)[0].quantity, changed.pending_update) == (7, None)
    assert changed.latest_invoice.amount_paid == 3000


def test_a_change_that_is_not_paid_waits_23_hours_and_then_is_dropped(peer, shop, waiting):
    assert (waiting.status, items(waiting)[0].quantity) == ("active", 5)
    assert waiting.pending_update.subscription_items[0].quantity == 7
    assert waiting.pending_update.expires_at == peer.now() + 23 * 3600
    assert waiting.latest_invoice.status == "open"
    peer.advance(seconds=23 * 3600)
    dropped = shop.subscription(waiting.id)
    assert (dropped.pending_update, dropped.latest_invoice.status) == (None, "void")
    assert items(dropped)[0].quantity == 5
    assert shop.events(*PENDING) == [PENDING[1]]


def test_paying_the_invoice_makes_the_change(peer, shop, waiting):
    peer.decline(waiting.customer, None)
    shop.api.v1.invoices.pay(waiting.latest_invoice.id)
    changed = shop.subscription(waiting.id)
    assert (items(changed)[0].quantity, changed.pending_update) == (7, None)
    assert shop.events(*PENDING) == [PENDING[0]]
    peer.advance(days=2)
    assert items(shop.subscription(waiting.id))[0].quantity == 7


def test_voiding_the_invoice_drops_the_change(shop, waiting):
    shop.api.v1.invoices.void_invoice(waiting.latest_invoice.id)
    assert shop.subscription(waiting.id).pending_update is None


def test_a_later_change_takes_the_place_of_a_waiting_one(peer, shop, waiting):
    peer.decline(waiting.customer, None)
    changed = shop.seats(waiting, 6, **HOW)
    assert (items(changed)[0].quantity, changed.pending_update) == (6, None)
    assert shop.api.v1.invoices.retrieve(waiting.latest_invoice.id).status == "void"


@pytest.mark.parametrize("extra", [{"metadata": {"a": "b"}}, {"cancel_at_period_end": True}])
def test_what_a_pending_update_cannot_carry_is_refused(shop, extra):
    subscription = shop.subscribe(shop.customer(), shop.price(), 5)
    with pytest.raises(stripe.InvalidRequestError, match="supported by pending updates"):
        shop.seats(subscription, 7, **HOW, **extra)
    assert items(shop.subscription(subscription.id))[0].quantity == 5


def test_invoice_customers_cannot_wait(shop):
    subscription = shop.subscribe(
        shop.customer(), shop.price(), collection_method="send_invoice", days_until_due=7
    )
    with pytest.raises(stripe.InvalidRequestError, match="charge_automatically"):
        shop.seats(subscription, 7, **HOW)


def test_error_if_incomplete_changes_nothing(peer, shop):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(), 5)
    peer.decline(customer.id)
    before = peer.object(subscription.id)
    with pytest.raises(stripe.CardError):
        shop.seats(subscription, 7, proration_behavior="always_invoice",
                   payment_behavior="error_if_incomplete")  # fmt: skip
    assert peer.object(subscription.id) == before
    assert len(peer.objects("invoice")) == 1


def test_allow_incomplete_changes_and_owes(peer, shop):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(3000), 5)
    peer.advance(days=15)
    peer.decline(customer.id)
    changed = shop.seats(subscription, 7, proration_behavior="always_invoice")
    assert (changed.status, items(changed)[0].quantity) == ("past_due", 7)
    bill = changed.latest_invoice
    assert (bill.auto_advance, bill.next_payment_attempt) == (False, None)
    peer.advance(days=5)
    assert shop.api.v1.invoices.retrieve(bill.id).attempt_count == 1


def test_a_card_that_asks_makes_the_change_wait(peer, shop):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(3000), 5)
    shop.give_card(customer.id, "pm_card_authenticationRequired")
    changed = shop.seats(subscription, 7, **HOW)
    assert changed.pending_update.subscription_items[0].quantity == 7
    assert shop.events("invoice.payment_action_required")
