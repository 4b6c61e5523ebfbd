"""The contract: read from the SDK, tried on Stripe's own files, and kept by the peer."""

import json
from collections import Counter
from urllib.parse import urlencode

import pytest
import stripe

from tests.stripe_peer import forms
from tests.stripe_peer.app import ROUTES
from tests.stripe_peer.contract import Contract

BILLING = (
    "billing_portal.session", "checkout.session", "coupon", "credit_note",
    "credit_note_line_item", "customer", "customer_balance_transaction", "discount", "event",
    "invoice", "invoice_payment", "price", "product", "promotion_code", "subscription",
    "subscription_item", "tax_id", "test_helpers.test_clock",
)  # fmt: skip
OLDER = {
    "invoice": ["invoice[subscription]: not in the contract"],
    "billing_portal.configuration": [
        "billing_portal.configuration[features][subscription_pause]: missing"
    ],
    "subscription_schedule": ["subscription_schedule[pause_schedules]: missing"],
}
"""The fixtures are three months older than the SDK, which knows more; one field of theirs is
legacy.
"""
TAKEN_AWAY = {
    "coupon", "iterations", "payment_method_types",
}  # fmt: skip
"""Parameters that the API took away after Stripe's scripts were written."""
NOT_PUBLIC = ("/v1/payment_pages/", "/test/authorizations")
"""Addresses of Stripe's own pages and simulators, which no SDK has."""
NOT_V1 = "/v2/"
OTHERS = {
    # The scripts of promotion codes give `coupon` where the API now wants `promotion`.
    ("post /v1/promotion_codes", "Missing required param: promotion."),
    # The type of a bank transfer that lost a value with the same change.
    ("post /v1/payment_intents",
     "Invalid payment_method_options[customer_balance][bank_transfer][type]: must be "
     "eu_bank_transfer or gb_bank_transfer or jp_bank_transfer or mx_bank_transfer or "
     "us_bank_transfer"),
}  # fmt: skip


@pytest.fixture(scope="module")
def contract():
    return Contract.installed()


def test_contract_is_that_of_the_installed_sdk(contract):
    assert contract.version == stripe.api_version == "2026-10-28.endive"
    assert (len(contract.operations), len(contract.resources)) == (557, 153)


def test_contract_resolves_every_name_it_uses(contract):
    lost = set()

    def walk(wanted):
        if isinstance(wanted, dict):
            ((kind, inner),) = wanted.items()
            if kind == "ref" and inner not in contract.classes:
                lost.add(inner)
            for each in inner if kind == "union" else [inner] if kind != "lit" else []:
                walk(each)

    for operation in contract.operations:
        walk(operation.params)
        walk(operation.returns)
    for name in contract.resources.values():
        for wanted in contract.classes[name]["fields"].values():
            walk(wanted)
    assert not lost


def test_every_route_of_the_peer_is_an_operation_and_takes_its_parameters(contract):
    known = {(each.method, each.path): each for each in contract.operations}
    for (method, path), route in ROUTES.items():
        operation = known[method, path]
        for name in route.takes - {"expand", "created"}:
            _, findings = contract.read_params(operation, {name: ""})
            assert not [each for each in findings if each.code == "parameter_unknown"], (path, name)


# -- Stripe's own files --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(shared_data):
    return shared_data / "stripe"


@pytest.mark.shared_data
def test_demand_01_stripes_example_objects_are_as_the_contract_says(contract, files, say):
    """These are examples of resources, not recordings of replies; there are none to be had."""
    examples = json.loads((files / "fixtures3.json").read_text())["resources"]
    found = {
        name: contract.check_object(examples[name]) for name in {*BILLING, *OLDER}
    }  # fmt: skip
    assert {name: each for name, each in found.items() if each} == OLDER
    clean = sum(not found[name] for name in BILLING)
    say(
        f"Stripe's fixtures: {clean} of {len(BILLING)} billing types clean, 1 legacy field; "
        "2 more types lack one field each that is newer than they are"
    )
    assert clean == len(BILLING) - 1


@pytest.mark.shared_data
def test_demand_01_stripes_trigger_scripts_are_understood(contract, files, say):
    """Every request that is flagged is flagged for a reason in one of the lists above."""
    count, flagged, unexplained = 0, Counter(), []
    for path in sorted((files / "triggers").glob("*.json")):
        for step in json.loads(path.read_text())["fixtures"]:
            if step["path"].startswith(NOT_V1):
                continue
            count += 1
            reasons = _reasons(contract, step)
            flagged[bool(reasons)] += 1
            unexplained += [(path.name, each) for each in reasons if not _is_explained(each)]
    say(f"Stripe's trigger scripts: {count} requests, {flagged[True]} flagged, "
        f"{len(unexplained)} unexplained")  # fmt: skip
    assert not unexplained
    assert (count, flagged[True]) == (352, FLAGGED)


FLAGGED = 45


def _reasons(contract, step) -> list[tuple[str, str]]:
    path = step["path"].replace("${", "").replace("}", "")
    found = contract.match(step["method"], path)
    if found is None:
        return [("no operation", path)]
    written = forms.parse(urlencode(list(flat(step.get("params", {})))))
    _, findings = contract.read_params(found[0], written)
    return [(found[0].name, each.message) for each in findings]


def _is_explained(reason: tuple[str, str]) -> bool:
    where, what = reason
    if where == "no operation":
        return any(each in what for each in NOT_PUBLIC)
    last = what.rpartition(" ")[2].rpartition("[")[2].rstrip("]")
    return reason in OTHERS or (
        what.startswith("Received unknown parameter") and last in TAKEN_AWAY
    )


def flat(value, name=""):
    """Nested parameters as a form has them; the scripts write some names with brackets."""
    if isinstance(value, dict):
        for key, each in value.items():
            first, bracket, rest = str(key).partition("[")
            yield from flat(each, f"{name}[{first}]{bracket}{rest}" if name else str(key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from flat(each, f"{name}[{place}]")
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


# -- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "form", "param", "code"),
    [
        ("/v1/subscriptions/sub_1", "coupon=SALE", "coupon", "parameter_unknown"),
        ("/v1/subscriptions", "customer=cus_1&items[0][price]=p&items[0][quantity]=five",
         "items[0][quantity]", "parameter_invalid_integer"),
        ("/v1/subscriptions/sub_1", "billing_cycle_anchor=now", "billing_cycle_anchor", None),
        ("/v1/subscriptions/sub_1", "proration_behavior=sometimes", "proration_behavior", None),
        ("/v1/subscriptions/sub_1", "cancel_at_period_end=yes", "cancel_at_period_end", None),
        ("/v1/subscription_schedules/s", "phases[0][iterations]=1", "phases[0][iterations]",
         "parameter_unknown"),
        ("/v1/prices", "product=p", "currency", "parameter_missing"),
        ("/v1/promotion_codes", "coupon=SALE", "coupon", "parameter_unknown"),
        ("/v1/checkout/sessions", "mode=subscription&payment_method_types[0]=card",
         "payment_method_types", "parameter_unknown"),
    ],
)  # fmt: skip
def test_demand_01_mistakes_of_a_client_are_found(contract, path, form, param, code):
    operation, _ = contract.match("post", path)
    _, findings = contract.read_params(operation, forms.parse(form))
    assert (param, code) in [(each.param, each.code) for each in findings]


def test_demand_01_an_operation_that_was_taken_away_is_found(contract):
    assert contract.match("get", "/v1/invoices/upcoming/lines") is None
    assert contract.match("get", "/v1/invoices/upcoming") is None
    assert contract.match("post", "/v1/invoices/create_preview")[1] == ()


def test_demand_01_the_peer_refuses_a_mistake_with_stripes_words_and_records_it(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.v1.subscriptions.update(subscription.id, {"coupon": "SALE"})
    assert refused.value.code == "parameter_unknown"
    assert refused.value.param == "coupon"
    (violation,) = peer.violations(forget=True)
    assert violation["kind"] == "request"
    assert violation["finding"] == "coupon: Received unknown parameter: coupon"


def test_demand_01_a_parameter_the_peer_does_not_speak_is_never_ignored(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    with pytest.raises(stripe.InvalidRequestError, match="does not speak"):
        shop.api.v1.subscriptions.update(subscription.id, {"automatic_tax": {"enabled": True}})
    with pytest.raises(stripe.InvalidRequestError, match="does not speak"):
        shop.api.v1.tax_rates.list()
    assert [each["kind"] for each in peer.violations(forget=True)] == ["unspoken", "unspoken"]


def test_demand_01_a_wrong_reply_of_the_peers_own_is_recorded(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    peer.set(subscription.id, status="sleeping")
    assert shop.api.v1.subscriptions.retrieve(subscription.id).status == "sleeping"
    (violation,) = peer.violations(forget=True)
    assert violation["kind"] == "reply"
    assert violation["finding"].startswith("status: 'sleeping' is none of")


def test_demand_01_a_wrong_event_of_the_peers_own_is_recorded(peer, shop):
    customer = shop.customer()
    peer.set(customer.id, balance="much")
    shop.api.v1.customers.update(customer.id, {"name": "New"})
    kinds = {each["kind"] for each in peer.violations(forget=True)}
    assert kinds == {"reply", "event"}


def test_demand_01_another_version_of_the_api_is_refused(peer):
    older = peer.stripe(stripe_version="2024-06-20")
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version"):
        older.v1.products.list()
    assert [each["kind"] for each in peer.violations(forget=True)] == ["version"]


def test_demand_01_a_live_key_is_refused(peer):
    with pytest.raises(stripe.AuthenticationError):
        peer.stripe("sk_live_1").v1.products.list()


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"status": "sleeping"}, "subscription[status]: 'sleeping' is none of"),
        ({"currency": None}, "subscription[currency]: None is no str"),
        ({"current_period_end": 1}, "subscription[current_period_end]: not in the contract"),
        ({"items": {"object": "list"}}, "subscription[items].data: None is no list"),
        ({"created": "today"}, "subscription[created]: 'today' is no int"),
    ],
)
def test_demand_01_a_wrong_reply_would_be_found(contract, peer, shop, change, finding):
    good = peer.object(shop.subscribe(shop.customer(), shop.price()).id)
    assert contract.check_object(good) == []
    assert any(each.startswith(finding) for each in contract.check_object({**good, **change}))
    del good["customer"]
    assert contract.check_object(good) == ["subscription[customer]: missing"]
