"""Cards, payment intents, charges and refunds. No card exists: the test numbers decide."""

from dataclasses import dataclass

from tests.stripe_peer import errors
from tests.stripe_peer.store import random_word
from tests.stripe_peer.world import PAGING, World, demand, route, set_metadata

PAYS, DECLINED, CHARGE_FAILS, ASKS, ASKS_ALWAYS = "pays", "declined", "fails", "asks", "asks_always"
SUCCEEDED, FAILED, ACTION, NO_METHOD = "succeeded", "failed", "requires_action", "no_method"


@dataclass(frozen=True)
class Card:
    """What a test number does. Source: Stripe, "Testing" (test cards)."""

    number: str
    does: str = PAYS
    brand: str = "visa"
    decline_code: str = "generic_decline"


CARDS = {
    each.number: each
    for each in (
        Card("4242424242424242"), Card("5555555555554444", brand="mastercard"),
        Card("4000000000000002", DECLINED), Card("4000000000000341", CHARGE_FAILS),
        Card("4000000000009995", DECLINED, decline_code="insufficient_funds"),
        Card("4000002500003155", ASKS), Card("4000002760003184", ASKS_ALWAYS),
    )
}  # fmt: skip
TOKENS = {
    "pm_card_visa": "4242424242424242", "tok_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444", "tok_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002", "tok_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "tok_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_threeDSecure2Required": "4000002760003184",
}  # fmt: skip


# -- cards ---------------------------------------------------------------------------------------


def of_number(world: World, number: str, *, month: int = 12, year: int = 2034) -> dict:
    """A payment method not yet of a customer; a declining card is one all the same."""
    card = CARDS.get(number)
    if card is None:
        raise errors.declined("Your card number is incorrect.", "incorrect_number")
    made = world.make(
        "payment_method", "pm", type="card", metadata={}, allow_redisplay="unspecified",
        card=world.part(
            "payment_method", "Card", brand=card.brand, display_brand=card.brand, exp_month=month,
            exp_year=year, funding="credit", last4=number[-4:], country="US",
            fingerprint=random_word(16),
        ),
    )  # fmt: skip
    world.store.hidden[made["id"]]["card"] = card
    return made


def of_token(world: World, token: str) -> dict:
    if token not in TOKENS:
        raise errors.missing("token", token, "source")
    return of_number(world, TOKENS[token])


@route("post", "/v1/payment_methods", "type", "card", "metadata", "billing_details")
def create_method(world: World, params):
    card = params.get("card")
    if params.get("type", "card") != "card" or not card:
        raise errors.invalid("This peer knows cards only.", "type")
    if "token" in card:
        made = of_token(world, card["token"])
    else:
        made = of_number(
            world, card.get("number", ""), month=card.get("exp_month", 12),
            year=card.get("exp_year", 2034),
        )  # fmt: skip
    made["billing_details"].update(params.get("billing_details", {}))
    set_metadata(made, params)
    return made


@route("post", "/v1/payment_methods/{}/attach", "customer")
def attach(world: World, params, ident):
    from tests.stripe_peer import customers

    demand(params, "customer")
    customers.live(world, params["customer"])
    if ident in TOKENS:
        ident = of_token(world, ident)["id"]
    found = world.store.find("payment_method", ident)
    card = world.store.hidden[ident]["card"]
    if card.does == DECLINED:
        raise errors.declined("Your card was declined.", "card_declined", card.decline_code)
    if found["customer"] not in (None, params["customer"]):
        raise errors.invalid(
            "The payment method you provided has already been attached to a customer.",
            "payment_method",
        )
    found["customer"] = params["customer"]
    world.emit("payment_method.attached", found)
    return found


@route("post", "/v1/payment_methods/{}/detach")
def detach(world: World, params, ident):
    found = world.store.find("payment_method", ident)
    customer = world.store.get(found["customer"])
    found["customer"] = None
    if customer and customer["invoice_settings"]["default_payment_method"] == ident:
        with world.changing(customer, "customer.updated"):
            customer["invoice_settings"]["default_payment_method"] = None
    world.emit("payment_method.detached", found)
    return found


@route("get", "/v1/payment_methods/{}")
def get_method(world: World, params, ident):
    return world.store.find("payment_method", ident)


@route("get", "/v1/payment_methods", "customer", "type", *PAGING)
def list_methods(world: World, params):
    rows = world.store.all("payment_method", customer=params.get("customer"))
    return world.store.page(rows, params, "/v1/payment_methods")


def demand_attached(world: World, ident: str, customer: str) -> None:
    """Refuse a payment method that is not the customer's."""
    found = world.store.find("payment_method", ident, "default_payment_method")
    if found["customer"] != customer:
        raise errors.invalid(
            f"The customer does not have a payment method with the ID {ident}. The payment method "
            "must be attached to the customer.", "default_payment_method",
            "resource_missing",
        )  # fmt: skip


def default_method(world: World, subscription: dict | None, customer: dict) -> str | None:
    """What is charged: the subscription's card, else the customer's."""
    own = subscription and subscription["default_payment_method"]
    return own or customer["invoice_settings"]["default_payment_method"]


# -- paying --------------------------------------------------------------------------------------


def outcome(world: World, customer: str, method: str | None, *, confirmed: bool = False) -> str:
    """How a charge would end, without making it."""
    if method is None:
        return NO_METHOD
    if world.store.hidden[customer].get("decline"):
        return FAILED
    known = world.store.hidden[method]
    does = known["card"].does
    asks = does == ASKS_ALWAYS or (does == ASKS and not known.get("set_up"))
    if asks and not (confirmed or known.get("present")):
        return ACTION
    return FAILED if does in {DECLINED, CHARGE_FAILS} else SUCCEEDED


def open_intent(world: World, invoice: dict) -> dict:
    """The one intent by which an invoice is paid, and its link to the invoice."""
    made = world.make(
        "payment_intent", "pi", amount=invoice["amount_remaining"], currency=invoice["currency"],
        customer=invoice["customer"], capture_method="automatic", confirmation_method="automatic",
        status="requires_payment_method", payment_method_types=["card"],
        setup_future_usage="off_session", description="Subscription",
    )  # fmt: skip
    made["client_secret"] = f"{made['id']}_secret_{random_word(24)}"
    link(world, invoice, payment_intent=made["id"])
    world.store.hidden[invoice["id"]]["payment_intent"] = made["id"]
    world.store.hidden[made["id"]]["invoice"] = invoice["id"]
    world.emit("payment_intent.created", made)
    return made


def link(world: World, invoice: dict, **payment) -> dict:
    """An invoice payment; `payment`: payment_intent=… or nothing for money paid elsewhere."""
    kind = "payment_intent" if payment else "payment_record"
    return world.make(
        "invoice_payment", "inpay", invoice=invoice["id"], currency=invoice["currency"],
        amount_requested=invoice["amount_remaining"], is_default=True, status="open",
        payment=world.part("invoice_payment", "Payment", type=kind, **payment),
        created=world.now(invoice["customer"]),
    )  # fmt: skip


def attempt(world: World, intent: dict, method: str | None, *, confirmed: bool = False) -> str:
    """Try to charge; the intent and its events tell how it went."""
    ended = outcome(world, intent["customer"], method, confirmed=confirmed)
    intent["payment_method"] = method
    intent["next_action"] = None
    if ended == NO_METHOD:
        intent["status"] = "requires_payment_method"
        return ended
    if ended == ACTION:
        intent["status"] = "requires_action"
        intent["next_action"] = world.part(
            "payment_intent", "NextAction", type="use_stripe_sdk", use_stripe_sdk={}
        )
        world.emit("payment_intent.requires_action", intent)
        return ended
    charge = _charge(world, intent, method, paid=ended == SUCCEEDED)
    intent["latest_charge"] = charge["id"]
    if ended == FAILED:
        intent["status"] = "requires_payment_method"
        intent["last_payment_error"] = world.part(
            "payment_intent", "LastPaymentError", type="card_error", code="card_declined",
            decline_code=charge["failure_code"] and _decline_code(world, intent, method),
            message="Your card was declined.", charge=charge["id"],
        )  # fmt: skip
        world.emit("payment_intent.payment_failed", intent)
        return ended
    intent.update(status="succeeded", amount_received=intent["amount"], last_payment_error=None)
    world.emit("payment_intent.succeeded", intent)
    return ended


def _decline_code(world: World, intent: dict, method: str) -> str:
    told = world.store.hidden[intent["customer"]].get("decline")
    return told or world.store.hidden[method]["card"].decline_code


def _charge(world: World, intent: dict, method: str, *, paid: bool) -> dict:
    made = world.make(
        "charge", "ch", amount=intent["amount"], currency=intent["currency"], paid=paid,
        captured=paid, amount_captured=intent["amount"] if paid else 0,
        customer=intent["customer"], payment_intent=intent["id"], payment_method=method,
        status="succeeded" if paid else "failed",
        failure_code=None if paid else "card_declined",
        failure_message=None if paid else "Your card was declined.",
    )  # fmt: skip
    world.emit("charge.succeeded" if paid else "charge.failed", made)
    return made


def refusal(world: World, intent: dict) -> errors.Refused:
    """The 402 for an intent that did not succeed."""
    shown = world.store.shown(intent)
    if intent["status"] == "requires_action":
        return errors.declined(
            "This payment requires additional user action before it can be completed "
            "successfully.", "invoice_payment_intent_requires_action", payment_intent=shown,
        )  # fmt: skip
    failed = intent["last_payment_error"]
    if failed is None:
        return errors.invalid(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.", code="resource_missing",
        )  # fmt: skip
    return errors.declined(
        failed["message"], failed["code"], failed["decline_code"], charge=failed["charge"],
        payment_intent=shown,
    )  # fmt: skip


@route("get", "/v1/payment_intents/{}")
def get_intent(world: World, params, ident):
    return world.store.find("payment_intent", ident)


@route("get", "/v1/charges/{}")
def get_charge(world: World, params, ident):
    return world.store.find("charge", ident)


@route("get", "/v1/setup_intents/{}")
def get_setup_intent(world: World, params, ident):
    return world.store.find("setup_intent", ident)


# -- refunds -------------------------------------------------------------------------------------


@route("post", "/v1/refunds", "amount", "charge", "payment_intent", "reason", "metadata")
def create_refund(world: World, params):
    ident = params.get("charge")
    if "payment_intent" in params:
        intent = world.store.find("payment_intent", params["payment_intent"], "payment_intent")
        ident = intent["latest_charge"]
    charge = world.store.find("charge", ident or "", "charge")
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if left == 0:
        raise errors.invalid(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if not 0 < amount <= left:
        raise errors.invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            "amount",
        )
    made = world.make(
        "refund", "re", amount=amount, charge=charge["id"], currency=charge["currency"],
        payment_intent=charge["payment_intent"], reason=params.get("reason"), status="succeeded",
        metadata=params.get("metadata") or {}, created=world.now(charge["customer"]),
    )  # fmt: skip
    with world.changing(charge, "charge.refunded"):
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    world.emit("refund.created", made)
    return made


@route("get", "/v1/refunds/{}")
def get_refund(world: World, params, ident):
    return world.store.find("refund", ident)


@route("get", "/v1/refunds", "charge", "payment_intent", *PAGING)
def list_refunds(world: World, params):
    rows = [
        each for each in world.store.all("refund")
        if all(params.get(name, each[name]) == each[name] for name in ("charge", "payment_intent"))
    ]  # fmt: skip
    return world.store.page(rows, params, "/v1/refunds")
