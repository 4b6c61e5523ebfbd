"""Webhooks: signed as the SDK checks them, sent again, held, mixed up; every event we listen to."""

import json

import pytest
import stripe

from tests.stripe_peer.endpoint import Endpoint
from tests.stripe_peer.shop import Shop
from tests.stripe_peer.test_pages import send
from tests.stripe_peer.test_renewals import schedule_seats

LISTENED = {
    "checkout.session.completed", "checkout.session.expired",
    *(f"customer.subscription.{each}" for each in (
        "created", "updated", "deleted", "paused", "resumed", "trial_will_end",
        "pending_update_applied", "pending_update_expired")),
    *(f"invoice.{each}" for each in (
        "created", "finalized", "finalization_failed", "paid", "payment_failed",
        "payment_action_required", "overdue", "upcoming", "voided", "marked_uncollectible")),
    *(f"subscription_schedule.{each}" for each in ("updated", "released", "canceled")),
    "customer.updated", "customer.deleted", "customer.tax_id.updated", "charge.refunded",
    "charge.dispute.created", "price.updated", "product.updated",
}  # fmt: skip
"""What the service asks Stripe to tell it. Source: reference/billing.md, section 7 (Webhooks)."""


@pytest.fixture
def endpoint():
    made = Endpoint()
    yield made
    made.stop()


def listen(shop, url, *kinds) -> str:
    """Register an endpoint; its secret."""
    made = shop.api.v1.webhook_endpoints.create(
        {"url": url, "enabled_events": list(kinds) or ["*"], "api_version": stripe.api_version}
    )
    return made.secret


def test_an_event_is_sent_and_signed_as_the_sdk_checks(peer, shop, endpoint):
    secret = listen(shop, endpoint.url, "customer.created")
    customer = shop.customer()
    assert peer.wait()
    ((body, signature),) = endpoint.got
    event = stripe.Webhook.construct_event(body, signature, secret)
    assert (event.type, event.data.object.id) == ("customer.created", customer.id)
    assert event.api_version == stripe.api_version
    for wrong in ((body + b" ", signature, secret), (body, signature, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(*wrong)


def test_the_secret_is_told_only_once(shop):
    listen(shop, "http://127.0.0.1:9/hook")
    (found,) = shop.api.v1.webhook_endpoints.list().data
    assert not hasattr(found, "secret")


def test_a_disabled_or_deleted_endpoint_gets_nothing(peer, shop, endpoint):
    listen(shop, endpoint.url)
    (found,) = shop.api.v1.webhook_endpoints.list().data
    shop.api.v1.webhook_endpoints.update(found.id, {"disabled": True})
    shop.customer()
    shop.api.v1.webhook_endpoints.delete(found.id)
    shop.customer()
    assert peer.wait()
    assert endpoint.got == []


def test_what_is_not_taken_is_sent_again_when_time_passes(peer, shop, endpoint):
    endpoint.first = 500
    listen(shop, endpoint.url, "product.created")
    shop.price()
    assert peer.wait()
    assert len(endpoint.got) == 1
    peer.advance(seconds=3600)
    assert peer.wait()
    assert len(endpoint.got) == 2
    peer.advance(days=3)
    assert peer.wait()
    assert len(endpoint.got) == 2


def test_or_at_once_if_told_so(peer, shop, endpoint):
    endpoint.status = 503
    peer.webhooks(at_once=True)
    listen(shop, endpoint.url, "product.created")
    shop.price()
    assert peer.wait()
    assert len(endpoint.got) == 3


def test_held_events_are_taken_by_hand(peer, shop):
    secret = listen(shop, "http://rapport.localhost/hook", "customer.created", "product.created")
    peer.webhooks(held=True)
    shop.customer()
    shop.price()
    taken = peer.take()
    assert [each.type for each in taken] == ["customer.created", "product.created"]
    event = stripe.Webhook.construct_event(taken[0].body.encode(), taken[0].signature, secret)
    assert event.id == taken[0].event
    assert peer.take() == []


def test_events_can_be_signed_in_the_peers_own_time(peer, shop):
    secret = listen(shop, "http://rapport.localhost/hook", "customer.created")
    peer.webhooks(held=True, peer_time=True)
    peer.advance(days=400)
    shop.customer()
    (taken,) = peer.take()
    assert taken.signature.startswith(f"t={peer.now()},v1=")
    verify = stripe.WebhookSignature.verify_header
    assert verify(taken.body, taken.signature, secret, None)


def test_held_events_are_sent_by_a_flush(peer, shop, endpoint):
    listen(shop, endpoint.url, "customer.created")
    peer.webhooks(held=True)
    shop.customer()
    assert endpoint.got == []
    assert [(each["type"], each["status"]) for each in peer.flush()] == [("customer.created", 200)]
    assert len(endpoint.got) == 1


def test_events_can_be_mixed_up_doubled_and_lost_as_a_seed_says(peer, shop):
    listen(shop, "http://rapport.localhost/hook", "product.created")

    def run(**mode):
        peer.webhooks(held=True, **mode)
        made = [shop.api.v1.products.create({"name": str(each)}).id for each in range(40)]
        order = {ident: place for place, ident in enumerate(made)}
        return [order[json.loads(each.body)["data"]["object"]["id"]] for each in peer.take()]

    mixed = run(shuffle=True, duplicate=0.3, drop=0.2, seed=7)
    assert mixed == run(shuffle=True, duplicate=0.3, drop=0.2, seed=7)
    assert mixed != sorted(mixed)
    assert len(set(mixed)) < 40 < len(mixed) + 10
    assert len(mixed) > len(set(mixed))
    assert run(shuffle=False, duplicate=0, drop=0) == list(range(40))


def test_late_events_come_when_their_time_has_come(peer, shop):
    listen(shop, "http://rapport.localhost/hook", "product.created")
    peer.webhooks(held=True, delay=600)
    shop.price()
    assert peer.take() == []
    peer.advance(seconds=600)
    assert [each.type for each in peer.take()] == ["product.created"]


def test_an_update_tells_what_was_before(shop):
    customer = shop.customer()
    shop.api.v1.customers.update(customer.id, {"name": "New"})
    (event,) = shop.api.v1.events.list({"type": "customer.updated", "limit": 1}).data
    assert event.data.previous_attributes.to_dict() == {"name": "Firma"}
    assert event.data.object.name == "New"
    assert event.request.id.startswith("req_")


def test_events_are_listed_by_type_and_time_for_30_days(peer, shop):
    start = peer.now()
    shop.customer()
    peer.advance(days=29)
    shop.price()
    listing = shop.api.v1.events.list
    assert [each.type for each in listing({"created": {"gt": start}}).data] == [
        "price.created", "product.created",
    ]  # fmt: skip
    assert listing({"types": ["customer.created"]}).data
    peer.advance(days=2)
    assert not listing({"types": ["customer.created"]}).data
    with pytest.raises(stripe.InvalidRequestError):
        listing({"type": "customer.created", "types": ["price.created"]})


def test_every_event_the_service_listens_to_can_be_caused(peer, shop):
    _cause_all(peer, shop)
    caused = {each["type"] for each in peer.objects("event")}
    assert sorted(LISTENED - caused) == []


def _cause_all(peer, shop: Shop):
    """One customer's life, and three others for what that one does not meet."""
    price, customer = shop.price(3000), shop.customer()
    subscription = shop.subscribe(customer, price, 5)
    _cause_of_the_catalogue(peer, shop, price, customer)
    _cause_of_payments(peer, shop, subscription)
    _cause_of_pending_updates(peer, shop, subscription)
    _cause_of_schedules(shop, subscription, price)
    bill = {"collection_method": "send_invoice", "days_until_due": 7}
    sent = shop.subscribe(customer, price, 1, **bill)
    asks = shop.customer("pm_card_authenticationRequired")
    shop.subscribe(asks, price)
    pauses = shop.customer(card=None)
    behavior = {"end_behavior": {"missing_payment_method": "pause"}}
    paused = shop.subscribe(pauses, price, trial_period_days=7, trial_settings=behavior)
    shop.api.v1.checkout.sessions.expire(_card_page(shop, customer).id)
    peer.advance(days=9)
    shop.api.v1.invoices.mark_uncollectible(sent.latest_invoice.id)
    shop.give_card(pauses.id, "pm_card_visa")
    shop.api.v1.subscriptions.resume(paused.id)
    peer.fail_finalization(customer.id)
    peer.advance(days=40)
    assert send(_card_page(shop, asks).url, number="4242424242424242").status == 303
    shop.api.v1.customers.delete(customer.id)


def _cause_of_the_catalogue(peer, shop, price, customer) -> None:
    shop.api.v1.prices.update(price.id, {"nickname": "x"})
    shop.api.v1.products.update(price.product, {"name": "Standard plan"})
    tax_ids = shop.api.v1.customers.tax_ids
    made = tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE123456789"})
    peer.verify_tax_id(made.id, "verified")


def _cause_of_payments(peer, shop, subscription) -> None:
    asked = {"invoice": subscription.latest_invoice.id}
    (payment,) = shop.api.v1.invoice_payments.list(asked).data
    intent = payment.payment.payment_intent
    peer.dispute(shop.api.v1.payment_intents.retrieve(intent).latest_charge)
    shop.api.v1.refunds.create({"payment_intent": intent, "amount": 1})


def _cause_of_pending_updates(peer, shop, subscription) -> None:
    how = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    peer.advance(days=1)
    for seats, pays in ((6, True), (7, False)):
        peer.decline(subscription.customer)
        waiting = shop.seats(subscription, seats, **how)
        peer.decline(subscription.customer, None)
        if pays:
            shop.api.v1.invoices.pay(waiting.latest_invoice.id)
        peer.advance(days=1)


def _cause_of_schedules(shop, subscription, price) -> None:
    schedules = shop.api.v1.subscription_schedules
    schedules.release(schedule_seats(shop, subscription, price, 6, 4).id)
    schedules.cancel(schedule_seats(shop, subscription, price, 6, 4).id)


def _card_page(shop, customer):
    return shop.api.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": customer.id,
         "success_url": "http://127.0.0.1/"}
    )  # fmt: skip
