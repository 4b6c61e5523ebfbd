"""Products, prices, customers and tax numbers; the form of requests and answers."""

import http.client
import json
from urllib.parse import urlsplit

import pytest
import stripe


def test_a_product_has_the_id_it_was_given(shop):
    made = shop.api.v1.products.create({"id": "standard_v1", "name": "Standard"})
    assert (made.id, made.active) == ("standard_v1", True)
    with pytest.raises(stripe.InvalidRequestError) as again:
        shop.api.v1.products.create({"id": "standard_v1", "name": "Standard"})
    assert again.value.code == "resource_already_exists"
    assert shop.api.v1.products.update(made.id, {"active": False}).active is False
    assert shop.api.v1.products.list({"active": True}).data == []
    assert [each.id for each in shop.api.v1.products.list({"ids": [made.id]}).data] == [made.id]


def test_a_price_is_found_by_its_key_and_its_amount_never_changes(peer, shop):
    price = shop.price(160000, currency="twd", lookup_key="standard_twd_month")
    (found,) = shop.api.v1.prices.list({"lookup_keys": ["standard_twd_month"]}).data
    assert (found.id, found.unit_amount, found.currency) == (price.id, 160000, "twd")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.v1.prices.update(price.id, {"unit_amount": 1})
    assert refused.value.code == "parameter_unknown"
    assert peer.violations(forget=True)


def test_a_lookup_key_is_taken_over_only_if_asked(shop):
    first = shop.price(lookup_key="standard")
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        shop.price(6000, lookup_key="standard")
    second = shop.price(6000, lookup_key="standard", transfer_lookup_key=True)
    assert shop.api.v1.prices.retrieve(first.id).lookup_key is None
    (found,) = shop.api.v1.prices.list({"lookup_keys": ["standard"]}).data
    assert found.id == second.id


def test_an_inactive_price_cannot_be_rented(shop):
    price = shop.price()
    shop.api.v1.prices.update(price.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.subscribe(shop.customer(), price)


def test_customers_are_found_by_address(shop):
    shop.customer()
    ann = shop.customer(email="ann@example.com")
    assert [each.id for each in shop.api.v1.customers.list({"email": ann.email}).data] == [ann.id]


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [("tw_vat", "22099131", True), ("tw_vat", "2209913", False), ("eu_vat", "DE123456789", True),
     ("eu_vat", "123456789", False)],
)  # fmt: skip
def test_tax_numbers_are_checked_for_their_form(shop, kind, value, good):
    customer = shop.customer()
    tax_ids = shop.api.v1.customers.tax_ids
    if not good:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            tax_ids.create(customer.id, {"type": kind, "value": value})
        assert refused.value.code == "tax_id_invalid"
        return
    made = tax_ids.create(customer.id, {"type": kind, "value": value})
    assert [each.value for each in tax_ids.list(customer.id).data] == [value]
    invoice = shop.subscribe(customer, shop.price()).latest_invoice
    assert [(each.type, each.value) for each in invoice.customer_tax_ids] == [(kind, value)]
    assert tax_ids.delete(customer.id, made.id).deleted
    assert tax_ids.list(customer.id).data == []


def test_the_balance_is_a_list_of_what_changed_it(shop):
    customer = shop.customer()
    entries = shop.api.v1.customers.balance_transactions
    entries.create(customer.id, {"amount": -5000, "currency": "usd", "description": "partner"})
    entries.create(customer.id, {"amount": 2000, "currency": "usd"})
    assert [each.ending_balance for each in entries.list(customer.id).data] == [-3000, -5000]
    with pytest.raises(stripe.InvalidRequestError, match="currency"):
        entries.create(customer.id, {"amount": 1, "currency": "twd"})


def test_cards_belong_to_one_customer(shop):
    one, other = shop.customer(), shop.customer()
    (card,) = shop.api.v1.customers.payment_methods.list(one.id).data
    assert (card.card.brand, card.card.last4) == ("visa", "4242")
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        shop.api.v1.customers.update(
            other.id, {"invoice_settings": {"default_payment_method": card.id}}
        )
    shop.api.v1.payment_methods.detach(card.id)
    assert shop.api.v1.customers.payment_methods.list(one.id).data == []
    with pytest.raises(stripe.CardError) as refused:
        shop.give_card(one.id, "pm_card_chargeDeclined")
    assert refused.value.code == "card_declined"


def test_what_is_not_there_is_404_with_its_parameter(shop):
    with pytest.raises(stripe.InvalidRequestError) as missing:
        shop.api.v1.customers.retrieve("cus_nobody")
    error = missing.value
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "id")
    assert error.request_id.startswith("req_")


def test_expansion_reaches_into_lists_and_refuses_what_is_not_there(shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    (found,) = shop.api.v1.subscriptions.list(
        {"expand": ["data.customer.subscriptions", "data.items.data.price"]}
    ).data
    assert found.customer.subscriptions.data[0].id == subscription.id
    whole = shop.api.v1.subscriptions.retrieve(
        subscription.id, {"expand": ["items.data.price.product"]}
    )
    assert whole["items"].data[0].price.product.name == "Standard"
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        shop.api.v1.subscriptions.list({"expand": ["data.items.data.price.product"]})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.api.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_charge"]})


@pytest.mark.parametrize("limit", ["0", "101"])
def test_a_page_has_one_to_a_hundred(shop, limit):
    with pytest.raises(stripe.InvalidRequestError, match="between 1 and 100"):
        shop.api.v1.customers.list({"limit": limit})


def test_a_request_that_is_cut_off_is_not_acted_on(peer):
    address = urlsplit(peer.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.putrequest("POST", "/v1/customers")
    connection.putheader("Authorization", "Bearer sk_test_peer")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b"name=Half+a+name")
    connection.close()
    assert peer.objects("customer") == []


def test_a_wrong_control_is_told(peer):
    with pytest.raises(ValueError, match="weather"):
        peer.ask("weather")
    with pytest.raises(ValueError, match="rain"):
        peer.fault("rain")
    with pytest.raises(ValueError, match="sunshine"):
        peer.settings(sunshine=1)


def test_the_answer_is_plain_json_with_stripes_headers(peer):
    address = urlsplit(peer.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request("GET", "/v1/prices", headers={"Authorization": "Bearer sk_test_peer"})
    answer = connection.getresponse()
    told = {"object": "list", "url": "/v1/prices", "has_more": False, "data": []}
    assert json.loads(answer.read()) == told
    assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    connection.close()
