"""Subscriptions as Stripe's documents say they begin, change and end."""

import pytest
import stripe

from tests.stripe_peer.shop import DAY, items, period


def test_a_subscription_is_paid_at_once_and_its_period_stands_on_the_items(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(5000), 5)
    assert subscription.status == "active"
    assert period(subscription) == (peer.now(), peer.now() + 30 * DAY)
    assert not hasattr(subscription, "current_period_end")
    invoice = subscription.latest_invoice
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == (
        "paid", 25000, "subscription_create",
    )  # fmt: skip
    assert invoice.parent.subscription_details.subscription == subscription.id
    line = invoice.lines.data[0]
    assert line.pricing.price_details.price == items(subscription)[0].price.id
    assert line.parent.subscription_item_details.subscription_item == items(subscription)[0].id


def test_payments_of_an_invoice_lead_to_the_card(shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    (payment,) = shop.api.v1.invoice_payments.list(
        {"invoice": subscription.latest_invoice.id,
         "expand": ["data.payment.payment_intent.payment_method"]}
    ).data  # fmt: skip
    assert (payment.status, payment.amount_paid) == ("paid", 5000)
    assert payment.payment.payment_intent.payment_method.card.last4 == "4242"


def test_without_a_card_nothing_begins(shop):
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        shop.subscribe(shop.customer(card=None), shop.price())
    assert shop.api.v1.subscriptions.list().data == []


def test_a_card_that_fails_leaves_the_subscription_incomplete_for_23_hours(peer, shop):
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer, shop.price())
    assert (subscription.status, subscription.latest_invoice.status) == ("incomplete", "open")
    peer.advance(seconds=23 * 3600 - 1)
    assert shop.subscription(subscription.id).status == "incomplete"
    peer.advance(seconds=1)
    ended = shop.subscription(subscription.id)
    assert (ended.status, ended.latest_invoice.status) == ("incomplete_expired", "void")


def test_an_incomplete_subscription_begins_when_its_invoice_is_paid(shop):
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer, shop.price())
    good = shop.give_card(customer.id, "pm_card_visa")
    shop.api.v1.invoices.pay(subscription.latest_invoice.id, {"payment_method": good.id})
    assert shop.subscription(subscription.id).status == "active"


def test_default_incomplete_waits_for_the_customer(shop):
    subscription = shop.subscribe(
        shop.customer(), shop.price(), payment_behavior="default_incomplete",
        expand=["latest_invoice.confirmation_secret"],
    )  # fmt: skip
    assert subscription.status == "incomplete"
    assert subscription.latest_invoice.confirmation_secret.client_secret
    assert subscription.latest_invoice.attempt_count == 0


def test_error_if_incomplete_makes_nothing(shop):
    customer = shop.customer("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError) as refused:
        shop.subscribe(customer, shop.price(), payment_behavior="error_if_incomplete")
    assert refused.value.http_status == 402
    assert shop.api.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    assert shop.api.v1.invoices.list({"customer": customer.id}).data == []


def test_a_card_that_asks_leaves_the_subscription_incomplete(shop):
    customer = shop.customer("pm_card_authenticationRequired")
    subscription = shop.subscribe(customer, shop.price())
    assert subscription.status == "incomplete"
    assert "invoice.payment_action_required" in shop.events()
    with pytest.raises(stripe.CardError) as refused:
        shop.api.v1.invoices.pay(subscription.latest_invoice.id)
    assert refused.value.code == "invoice_payment_intent_requires_action"


def test_an_invoice_customer_is_active_and_gets_a_bill_with_a_due_date(peer, shop):
    subscription = shop.subscribe(
        shop.customer(card=None), shop.price(), 3, collection_method="send_invoice",
        days_until_due=30,
    )  # fmt: skip
    assert (subscription.status, subscription.latest_invoice.status) == ("active", "draft")
    peer.advance(seconds=3600)
    invoice = shop.subscription(subscription.id).latest_invoice
    assert (invoice.status, invoice.amount_due) == ("open", 15000)
    assert invoice.due_date == peer.now() + 30 * DAY
    assert invoice.number.endswith("-0001")
    peer.advance(days=30)
    assert shop.subscription(subscription.id).status == "past_due"
    assert "invoice.overdue" in shop.events()
    shop.api.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert shop.api.v1.invoices.retrieve(invoice.id).status == "paid"


def test_a_send_invoice_subscription_needs_days_and_an_address(shop):
    with pytest.raises(stripe.InvalidRequestError, match="days_until_due"):
        shop.subscribe(shop.customer(), shop.price(), collection_method="send_invoice")
    nowhere = shop.api.v1.customers.create({"name": "No mail"})
    with pytest.raises(stripe.InvalidRequestError, match="valid email"):
        shop.subscribe(nowhere, shop.price(), collection_method="send_invoice", days_until_due=7)


def test_an_anchor_shortens_the_first_period_and_its_price(peer, shop):
    anchor = peer.now() + 10 * DAY
    subscription = shop.subscribe(shop.customer(), shop.price(3000), billing_cycle_anchor=anchor)
    # The period that ends on the anchor, 30 Oct to 30 Nov, has 31 days; 10 of them are left.
    assert period(subscription) == (peer.now(), anchor)
    assert subscription.latest_invoice.amount_paid == 968


def test_cancelling_at_the_end_of_the_period_can_be_taken_back(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    update = shop.api.v1.subscriptions.update
    leaving = update(subscription.id, {"cancel_at_period_end": True})
    assert (leaving.status, leaving.cancel_at) == ("active", period(subscription)[1])
    assert leaving.cancellation_details.reason == "cancellation_requested"
    staying = update(subscription.id, {"cancel_at_period_end": False})
    assert (staying.cancel_at, staying.canceled_at) == (None, None)
    update(subscription.id, {"cancel_at_period_end": True})
    peer.advance(to=period(subscription)[1])
    assert shop.subscription(subscription.id).status == "canceled"
    assert shop.events()[-1] == "customer.subscription.deleted"


def test_cancelling_now_gives_back_unused_time_only_if_asked(peer, shop):
    customer, price = shop.customer(), shop.price(3000)
    first, second = shop.subscribe(customer, price), shop.subscribe(customer, price)
    peer.advance(days=15)
    shop.api.v1.subscriptions.cancel(first.id)
    assert shop.api.v1.invoice_items.list({"customer": customer.id}).data == []
    shop.api.v1.subscriptions.cancel(second.id, {"prorate": True, "invoice_now": True})
    credit = shop.subscription(second.id).latest_invoice
    assert (credit.total, credit.amount_due, credit.status) == (-1500, 0, "paid")
    assert shop.api.v1.customers.retrieve(customer.id).balance == -1500
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        shop.api.v1.subscriptions.cancel(second.id)


def test_credit_pays_the_next_bill_first(shop):
    customer = shop.customer(balance=-2000)
    invoice = shop.subscribe(customer, shop.price(5000)).latest_invoice
    assert (invoice.total, invoice.starting_balance, invoice.amount_due) == (5000, -2000, 3000)
    (entry,) = shop.api.v1.customers.balance_transactions.list(customer.id).data
    assert (entry.amount, entry.ending_balance, entry.type) == (2000, 0, "applied_to_invoice")


def test_currencies_of_one_customer_do_not_mix(shop):
    customer = shop.customer()
    shop.subscribe(customer, shop.price())
    with pytest.raises(stripe.InvalidRequestError, match="combine currencies"):
        shop.subscribe(customer, shop.price(160000, currency="twd"))


def test_lists_filter_by_status_and_price_and_go_page_by_page(shop):
    customer, price = shop.customer(), shop.price()
    made = [shop.subscribe(customer, price).id for _ in range(5)]
    shop.api.v1.subscriptions.cancel(made[0])
    listing = shop.api.v1.subscriptions.list
    assert [each.id for each in listing({"price": price.id}).data] == made[:0:-1]
    assert [each.id for each in listing({"status": "canceled"}).data] == made[:1]
    every = listing({"customer": customer.id, "status": "all", "limit": 2})
    assert [each.id for each in every.auto_paging_iter()] == made[::-1]
    after = listing({"status": "all", "starting_after": made[3], "limit": 2})
    assert [each.id for each in after.data] == [made[2], made[1]]
    before = listing({"status": "all", "ending_before": made[0], "limit": 2})
    assert [each.id for each in before.data] == [made[2], made[1]]
    assert before.has_more
    end = period(shop.subscription(made[1]))[1]
    assert len(listing({"current_period_end": {"lte": end}}).data) == 4
    assert listing({"current_period_end": {"lt": end}}).data == []


def test_metadata_merges_and_unsets(shop):
    subscription = shop.subscribe(shop.customer(), shop.price(), metadata={"a": "1", "b": "2"})
    update = shop.api.v1.subscriptions.update
    changed = update(subscription.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    assert update(subscription.id, {"metadata": ""}).metadata.to_dict() == {}


def test_deleting_a_customer_ends_its_subscriptions(shop):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    assert shop.api.v1.customers.delete(customer.id).deleted
    assert shop.subscription(subscription.id).status == "canceled"
    assert shop.api.v1.customers.retrieve(customer.id).deleted
    with pytest.raises(stripe.InvalidRequestError) as missing:
        shop.api.v1.customers.update(customer.id, {"name": "x"})
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
