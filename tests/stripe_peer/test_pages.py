"""The hosted pages: checkout, portal and a single invoice, as a browser's requests see them."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from tests.stripe_peer.shop import items

OK, DECLINED = "4242 4242 4242 4242", "4000000000000002"
FAILS, ASKS = "4000000000000341", "4000002500003155"


@dataclass(frozen=True)
class Seen:
    status: int
    location: str
    text: str
    kind: str


def send(url: str, **fields: str) -> Seen:
    """Load a page, or post its form."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        if fields:
            connection.request("POST", address.path, urlencode(fields))
        else:
            connection.request("GET", address.path)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        return Seen(answer.status, answer.headers.get("Location", ""), text,
                    answer.headers["Content-Type"])  # fmt: skip
    finally:
        connection.close()


def open_session(shop, **more):
    price = shop.price(5000)
    return shop.api.v1.checkout.sessions.create(
        {"mode": "subscription", "line_items": [{"price": price.id, "quantity": 3}],
         "success_url": "http://127.0.0.1/ok?session={CHECKOUT_SESSION_ID}",
         "cancel_url": "http://127.0.0.1/back", "client_reference_id": "company-1",
         "subscription_data": {"metadata": {"command_id": "7"}}, **more}
    )  # fmt: skip


def test_a_session_shows_what_is_bought_and_begins_the_subscription(shop):
    customer = shop.customer(card=None)
    session = open_session(shop, customer=customer.id)
    assert (session.status, session.payment_status, session.amount_total) == (
        "open", "unpaid", 15000,
    )  # fmt: skip
    page = send(session.url)
    assert "Standard × 3" in page.text
    assert "USD 150.00" in page.text
    assert 'href="http://127.0.0.1/back"' in page.text
    gone = send(session.url, number=OK)
    assert (gone.status, gone.location) == (303, f"http://127.0.0.1/ok?session={session.id}")
    done = shop.api.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.default_payment_method", "line_items"]}
    )
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert (done.client_reference_id, done.customer) == ("company-1", customer.id)
    assert done.subscription.status == "active"
    assert done.subscription.metadata.to_dict() == {"command_id": "7"}
    assert done.subscription.default_payment_method.card.last4 == "4242"
    assert items(done.subscription)[0].quantity == done.line_items.data[0].quantity == 3
    assert "closed" in send(session.url).text
    assert shop.events("checkout.session.completed") == ["checkout.session.completed"]


def test_without_a_customer_one_is_made(shop):
    session = open_session(shop, customer_email="new@example.com")
    assert 'value="new@example.com"' in send(session.url).text
    send(session.url, number=OK, email="new@example.com")
    done = shop.api.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert done.customer.email == done.customer_details.email == "new@example.com"


@pytest.mark.parametrize("number", [DECLINED, FAILS, "4000000000000000", "<script>"])
def test_a_card_that_does_not_pay_leaves_the_session_open(peer, shop, number):
    session = open_session(shop, customer=shop.customer(card=None).id)
    page = send(session.url, number=number)
    assert page.status == 200
    assert 'role="alert"' in page.text
    assert "<script>" not in page.text
    assert shop.api.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert peer.objects("subscription") == []
    assert send(session.url, number=OK).status == 303


def test_a_card_that_asks_is_confirmed_once_and_pays_from_then_on(peer, shop):
    session = open_session(shop, customer=shop.customer(card=None).id)
    asked = send(session.url, number=ASKS)
    assert 'name="confirmed"' in asked.text
    assert "could not confirm" in send(session.url, failed="yes").text
    assert send(session.url, number=ASKS, confirmed="yes").status == 303
    done = shop.api.v1.checkout.sessions.retrieve(session.id)
    peer.advance(days=31)
    found = shop.subscription(done.subscription)
    assert (found.status, found.latest_invoice.status) == ("active", "paid")


def test_a_session_runs_out_after_a_day(peer, shop):
    session = open_session(shop)
    peer.advance(days=1)
    assert shop.api.v1.checkout.sessions.retrieve(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        shop.api.v1.checkout.sessions.expire(session.id)
    assert send(session.url, number=OK).status == 200
    assert peer.objects("subscription") == []


def test_a_trial_asks_for_a_card_and_no_money(shop):
    session = open_session(shop, subscription_data={"trial_period_days": 14})
    assert session.amount_total == 0
    send(session.url, number=OK, email="a@example.com")
    done = shop.api.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.payment_status, done.subscription.status) == ("no_payment_required", "trialing")


def test_a_discount_is_taken_off(shop):
    coupon = shop.api.v1.coupons.create({"percent_off": 10, "duration": "once"})
    session = open_session(shop, discounts=[{"coupon": coupon.id}])
    assert (session.amount_total, session.total_details.amount_discount) == (13500, 1500)
    send(session.url, number=OK, email="a@example.com")
    done = shop.api.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
    assert done.invoice.amount_paid == 13500


def test_a_setup_session_saves_a_card_that_fails_only_when_charged(shop):
    customer = shop.customer(card=None)
    session = shop.api.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": customer.id,
         "success_url": "http://127.0.0.1/ok"}
    )  # fmt: skip
    assert send(session.url, number=DECLINED).status == 200
    assert send(session.url, number=FAILS).status == 303
    done = shop.api.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["setup_intent.payment_method"]}
    )
    method = done.setup_intent.payment_method
    assert (done.setup_intent.status, method.card.last4) == ("succeeded", "0341")
    started = shop.subscribe(customer, shop.price(), default_payment_method=method.id)
    assert started.status == "incomplete"


# -- the portal ----------------------------------------------------------------------------------


@pytest.fixture
def configuration(shop):
    return shop.api.v1.billing_portal.configurations.create(
        {"features": {
            "payment_method_update": {"enabled": True}, "invoice_history": {"enabled": True},
            "subscription_update": {"enabled": False},
            "subscription_cancel": {"enabled": False},
        }}
    )  # fmt: skip


def test_the_portal_changes_the_card_that_is_charged(shop, configuration):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    session = shop.api.v1.billing_portal.sessions.create(
        {"customer": customer.id, "configuration": configuration.id,
         "return_url": "http://127.0.0.1/settings/billing"}
    )  # fmt: skip
    page = send(session.url)
    assert subscription.latest_invoice.number in page.text
    assert 'href="http://127.0.0.1/settings/billing"' in page.text
    assert "Your card was declined." in send(session.url, number=DECLINED).text
    assert "4444" in send(session.url, number="5555555555554444").text
    found = shop.api.v1.customers.retrieve(
        customer.id, {"expand": ["invoice_settings.default_payment_method"]}
    )
    assert found.invoice_settings.default_payment_method.card.last4 == "4444"


def test_the_portal_shows_only_what_its_configuration_allows(shop):
    made = shop.api.v1.billing_portal.configurations.create(
        {"features": {"invoice_history": {"enabled": True}}}
    )
    assert made.is_default
    session = shop.api.v1.billing_portal.sessions.create({"customer": shop.customer().id})
    assert "Card number" not in send(session.url).text


def test_without_a_configuration_there_is_no_portal(shop):
    with pytest.raises(stripe.InvalidRequestError, match="No configuration provided"):
        shop.api.v1.billing_portal.sessions.create({"customer": shop.customer().id})


# -- one invoice ---------------------------------------------------------------------------------


def test_an_invoice_is_paid_on_its_page(shop):
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer, shop.price())
    url = subscription.latest_invoice.hosted_invoice_url
    assert "USD 50.00" in send(url).text
    assert "declined" in send(url, number=DECLINED).text
    assert ", paid" in send(url, number=OK).text
    assert shop.subscription(subscription.id).status == "active"


def test_a_payment_that_asks_is_confirmed_on_the_invoices_page(shop):
    customer = shop.customer("pm_card_authenticationRequired")
    subscription = shop.subscribe(customer, shop.price())
    url = subscription.latest_invoice.hosted_invoice_url
    assert "Confirm the payment" in send(url).text
    assert ", paid" in send(url, confirmed="yes").text
    assert shop.subscription(subscription.id).status == "active"


def test_an_invoice_has_a_pdf(shop):
    invoice = shop.subscribe(shop.customer(), shop.price()).latest_invoice
    page = send(invoice.invoice_pdf)
    assert (page.status, page.kind, page.text[:5]) == (200, "application/pdf", "%PDF-")


def test_what_is_no_page_is_404(peer):
    for path in ("/", "/checkout/cs_none", "/portal/none", "/pay/in_none", "/pay/in_none/pdf"):
        assert send(peer.url + path).status == 404
