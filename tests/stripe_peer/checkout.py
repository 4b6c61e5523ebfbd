"""Checkout sessions: made by the API, finished by a person on the hosted page."""

from tests.stripe_peer import customers, errors, lines, payments, subscriptions
from tests.stripe_peer.clock import DAY, HOUR
from tests.stripe_peer.store import random_word
from tests.stripe_peer.world import (
    PAGING,
    World,
    action,
    demand,
    included,
    route,
    set_fields,
    set_metadata,
)

PATH = "/v1/checkout/sessions"
SUBSCRIPTION_TAKES = {"metadata", "trial_end", "trial_period_days", "description",
                      "billing_cycle_anchor", "proration_behavior", "trial_settings",
                      "billing_mode"}  # fmt: skip


@route("post", PATH, "mode", "line_items", "customer", "customer_email", "client_reference_id",
       "success_url", "cancel_url", "subscription_data", "setup_intent_data", "metadata",
       "discounts", "allow_promotion_codes", "currency", "expires_at", "locale", "ui_mode",
       "payment_method_collection", "billing_address_collection", "customer_update",
       "submit_type")  # fmt: skip
def create(world: World, params):
    mode = params.get("mode", "payment")
    if mode == "payment":
        raise NotImplementedError("mode=payment")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise NotImplementedError(f"ui_mode={params['ui_mode']}")
    demand(params, "success_url")
    customer = None
    if "customer" in params:
        customer = customers.live(world, params["customer"])
        if "customer_email" in params:
            raise errors.invalid(
                "You may only specify one of these parameters: customer, customer_email."
            )
    at = world.now(customer and customer["id"])
    until = params.get("expires_at", at + DAY)
    if not at + HOUR // 2 <= until <= at + DAY:
        raise errors.invalid(
            "The `expires_at` timestamp must be 30 minutes to 24 hours from Checkout Session "
            "creation.", "expires_at",
        )  # fmt: skip
    made = world.draft(
        "checkout.session", "cs_test", mode=mode, status="open", customer=params.get("customer"),
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        expires_at=until, metadata={}, ui_mode="hosted_page", payment_method_types=["card"],
        payment_method_collection="always" if mode == "subscription" else None,
        created=at, customer_creation="always" if mode == "subscription" else None,
    )  # fmt: skip
    (_subscribe if mode == "subscription" else _set_up)(world, made, params)
    world.store.put(made)
    made["url"] = f"{world.url}/checkout/{made['id']}"
    set_fields(made, params, "client_reference_id", "success_url", "cancel_url", "locale",
               "customer_email", "allow_promotion_codes", "submit_type",
               "billing_address_collection")  # fmt: skip
    set_metadata(made, params)
    world.store.hidden[made["id"]]["params"] = params
    world.plan(until, expire_then, made)
    return made


def _subscribe(world: World, made: dict, params: dict) -> None:
    demand(params, "line_items")
    other = sorted(set(params.get("subscription_data", {})) - SUBSCRIPTION_TAKES)
    if other:
        raise NotImplementedError(f"subscription_data[{other[0]}]")
    rows = []
    for place, each in enumerate(params["line_items"]):
        price = world.store.find("price", each.get("price", ""), f"line_items[{place}][price]")
        if price["recurring"] is None:
            raise NotImplementedError("line_items with one-time prices")
        demand(each, "quantity")
        amount = price["unit_amount"] * each["quantity"]
        product = world.store.find("product", price["product"])
        rows.append(world.draft(
            "item", "li", amount_subtotal=amount, amount_total=amount, currency=price["currency"],
            description=product["name"], price=price, quantity=each["quantity"], discounts=[],
            taxes=[],
        ))  # fmt: skip
    for each in params.get("discounts", ()):
        if "coupon" in each:
            world.store.find("coupon", each["coupon"], "discounts[0][coupon]")
        else:
            world.store.find("promotion_code", each.get("promotion_code", ""), "discounts[0]")
    world.store.hidden[made["id"]]["line_items"] = rows
    whole = sum(each["amount_total"] for each in rows)
    if {"trial_end", "trial_period_days"} & set(params.get("subscription_data", {})):
        whole = 0
    off = _taken_off(world, params, whole)
    made.update(
        currency=rows[0]["currency"], amount_subtotal=whole, amount_total=whole - off,
        total_details=world.part(
            "checkout.session", "TotalDetails", amount_discount=off, amount_shipping=0
        ),
    )  # fmt: skip


def _taken_off(world: World, params: dict, whole: int) -> int:
    off = 0
    for each in params.get("discounts", ()):
        ident = each.get("coupon")
        if ident is None:
            code = world.store.find("promotion_code", each["promotion_code"], "discounts[0]")
            ident = code["promotion"]["coupon"]
        coupon = world.store.find("coupon", ident, "discounts[0][coupon]")
        rest = whole - off
        if coupon["percent_off"] is not None:
            off += lines.percent_of(rest, coupon)
        else:
            off += min(coupon["amount_off"], rest)
    return off


def _set_up(world: World, made: dict, params: dict) -> None:
    demand(params, "currency")
    intent = world.make(
        "setup_intent", "seti", customer=params.get("customer"), usage="off_session",
        status="requires_payment_method", payment_method_types=["card"],
        metadata=params.get("setup_intent_data", {}).get("metadata", {}),
    )  # fmt: skip
    intent["client_secret"] = f"{intent['id']}_secret_{random_word(24)}"
    made.update(setup_intent=intent["id"], currency=params["currency"])


@route("get", PATH + "/{}")
def retrieve(world: World, params, ident):
    return world.store.find("checkout.session", ident)


@route("get", PATH, "customer", "subscription", "status", *PAGING)
def list_all(world: World, params):
    wanted = {
        name: params[name] for name in ("customer", "subscription", "status") if name in params
    }
    return world.store.page(world.store.all("checkout.session", **wanted), params, PATH)


@included("checkout.session", "line_items")
def line_items_of(world: World, found):
    rows = world.store.hidden[found["id"]].get("line_items", [])
    return {"object": "list", "data": rows, "has_more": False,
            "url": f"{PATH}/{found['id']}/line_items"}  # fmt: skip


@route("get", PATH + "/{}/line_items", *PAGING)
def list_line_items(world: World, params, ident):
    return line_items_of(world, world.store.find("checkout.session", ident))


@route("post", PATH + "/{}/expire")
def expire(world: World, params, ident):
    found = world.store.find("checkout.session", ident)
    if found["status"] != "open":
        raise errors.invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {found['status']}."
        )
    _expire(world, found)
    return found


@action
def expire_then(world: World, found: dict, when: int) -> None:
    if found["status"] == "open":
        _expire(world, found)


def _expire(world: World, found: dict) -> None:
    found.update(status="expired", url=None)
    world.emit("checkout.session.expired", found)


# -- what the person on the page does ------------------------------------------------------------


def complete(world: World, session: dict, card: dict, *, email: str, confirmed: bool) -> str:
    """Use a card (a payment method of nobody); the outcome, as `payments.outcome` names it.

    Nothing is kept of a try that fails.
    """
    known = world.store.hidden[card["id"]]
    does = known["card"].does
    asks = does in {payments.ASKS, payments.ASKS_ALWAYS}
    if asks and not confirmed:
        return payments.ACTION
    refused = {payments.DECLINED}
    if session["amount_total"]:
        refused.add(payments.CHARGE_FAILS)
    customer = world.store.get(session["customer"])
    told = customer and world.store.hidden[customer["id"]].get("decline")
    if does in refused or (told and session["amount_total"]):
        return payments.FAILED
    if customer is None and session["mode"] == "subscription":
        customer = customers.create(world, {"email": session["customer_email"] or email})
    known.update(set_up=True, present=True)
    session["customer"] = customer and customer["id"]
    if customer:
        payments.attach(world, {"customer": customer["id"]}, card["id"])
        card["allow_redisplay"] = "limited"
    if session["mode"] == "subscription":
        _begin(world, session, customer, card)
    else:
        intent = world.store.find("setup_intent", session["setup_intent"])
        intent.update(status="succeeded", payment_method=card["id"])
        world.emit("setup_intent.succeeded", intent)
    known["present"] = False
    details = world.part(
        "checkout.session", "CustomerDetails", tax_exempt="none", tax_ids=[],
        email=customer["email"] if customer else email, name=customer and customer["name"],
    )  # fmt: skip
    session.update(status="complete", url=None, customer_details=details)
    world.emit("checkout.session.completed", session)
    return payments.SUCCEEDED


def _begin(world: World, session: dict, customer: dict, card: dict) -> None:
    params = world.store.hidden[session["id"]]["params"]
    made = subscriptions.begin(world, customer, {
        **params.get("subscription_data", {}), "default_payment_method": card["id"],
        "items": [
            {"price": each["price"], "quantity": each["quantity"]}
            for each in params["line_items"]
        ],
        "discounts": params.get("discounts"), "payment_behavior": "allow_incomplete",
    })  # fmt: skip
    session.update(
        subscription=made["id"], invoice=made["latest_invoice"],
        payment_status="paid" if session["amount_total"] else "no_payment_required",
    )  # fmt: skip
