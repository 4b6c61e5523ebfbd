"""What can be asked about subscriptions."""

from tests.stripe_peer import changes, errors, invoices, lines, payments, renewals
from tests.stripe_peer.clock import DAY, after
from tests.stripe_peer.renewals import OVER, end
from tests.stripe_peer.store import in_range, random_word
from tests.stripe_peer.world import PAGING, World, demand, route, set_fields, set_metadata

PATH = "/v1/subscriptions"
SETTINGS = ("description", "payment_settings", "trial_settings", "off_session")
__all__ = ["OVER", "begin", "end"]


@route("post", PATH, "customer", "items", "default_payment_method", "collection_method",
       "days_until_due", "trial_end", "trial_period_days", "metadata", "discounts",
       "payment_behavior", "proration_behavior", "billing_cycle_anchor", "cancel_at",
       "cancel_at_period_end", "billing_mode", "currency", *SETTINGS)  # fmt: skip
def create(world: World, params):
    from tests.stripe_peer import customers

    demand(params, "customer", "items")
    return begin(world, customers.live(world, params["customer"]), params)


def begin(world: World, customer: dict, params: dict) -> dict:
    """A subscription with its first invoice, paid at once where it is to be."""
    at = world.now(customer["id"])
    made = _draft(world, customer, params, at)
    trial_end = _trial_end(params, at)
    anchor = trial_end or params.get("billing_cycle_anchor") or at
    if anchor < at:
        raise errors.invalid("billing_cycle_anchor cannot be in the past.", "billing_cycle_anchor")
    items = changes.items_of(made)
    period, share = changes.first_period(world, items, anchor, at)
    if trial_end:
        period = (at, trial_end)
        made.update(trial_start=at, trial_end=trial_end)
    elif params.get("proration_behavior") == "none" and share != 1:
        share = share * 0
    made["billing_cycle_anchor"] = anchor
    for each in items:
        each.update(current_period_start=period[0], current_period_end=period[1])
    free = trial_end is not None
    owed = not free and share and any(each["price"]["unit_amount"] for each in items)
    behavior = params.get("payment_behavior", "allow_incomplete")
    if owed and made["collection_method"] == "charge_automatically":
        _demand_payable(world, made, customer, behavior)
    made["discounts"] = redeem(world, params.get("discounts"), customer, made)
    world.store.put(made)
    rows = [
        lines.full(world, made, each, period, free=free, share=share) for each in items
    ]  # fmt: skip
    _first_invoice(world, made, customer, rows, behavior, period)
    set_cancellation(world, made, params)
    world.emit("customer.subscription.created", made)
    renewals.watch(world, made)
    return made


def _collection_method(customer: dict, params: dict) -> str:
    method = params.get("collection_method", "charge_automatically")
    if method == "send_invoice":
        demand(params, "days_until_due")
        if not customer["email"]:
            raise errors.invalid("Missing email. In order to create invoices that are sent to the "
                                 "customer, the customer must have a valid email.")  # fmt: skip
    elif "days_until_due" in params:
        raise errors.invalid(
            "`days_until_due` is only valid with collection_method send_invoice.",
            "days_until_due",
        )
    return method


def _draft(world: World, customer: dict, params: dict, at: int) -> dict:
    method = _collection_method(customer, params)
    if "default_payment_method" in params:
        payments.demand_attached(world, params["default_payment_method"], customer["id"])
    made = world.draft(
        "subscription", "sub", customer=customer["id"], status="active", collection_method=method,
        start_date=at, metadata={}, test_clock=customer["test_clock"],
        cancellation_details=world.part("subscription", "CancellationDetails"),
        billing_mode=world.part("subscription", "BillingMode", type="flexible"),
        automatic_tax={"enabled": False, "liability": None, "disabled_reason": None},
        default_payment_method=params.get("default_payment_method"),
        days_until_due=params.get("days_until_due"),
        payment_settings=world.part(
            "subscription", "PaymentSettings", save_default_payment_method="off"
        ),
    )  # fmt: skip
    made["id"] = f"sub_{random_word(24)}"
    made["invoice_settings"]["issuer"] = {"account": None, "type": "self"}
    _settings(world, made, params)
    items = [
        changes.new_item(world, made["id"], each, f"items[{place}]")
        for place, each in enumerate(params["items"])
    ]  # fmt: skip
    made["currency"] = items[0]["price"]["currency"] if items else "usd"
    changes.demand_sound(made["currency"], items)
    if customer["currency"] not in (None, made["currency"]):
        raise errors.invalid(
            f"You cannot combine currencies on a single customer. This customer has `"
            f"{customer['currency']}`."
        )
    made["items"] = {"object": "list", "data": items, "has_more": False,
                     "url": f"/v1/subscription_items?subscription={made['id']}"}  # fmt: skip
    return made


def _settings(world: World, found: dict, params: dict) -> None:
    set_fields(found, params, "description")
    set_metadata(found, params)
    if "payment_settings" in params:
        found["payment_settings"].update(params["payment_settings"])
    if "trial_settings" in params:
        found["trial_settings"] = params["trial_settings"]
    if "billing_mode" in params:
        found["billing_mode"].update(type=params["billing_mode"]["type"])


def _trial_end(params: dict, at: int) -> int | None:
    if "trial_period_days" in params:
        days = params["trial_period_days"]
        if "trial_end" in params or not 0 < days <= 730:
            raise errors.invalid("Invalid trial_period_days.", "trial_period_days")
        return at + days * DAY
    until = params.get("trial_end")
    if until in (None, "now"):
        return None
    if until <= at:
        raise errors.invalid("The trial_end must be in the future.", "trial_end")
    return until


def _demand_payable(world: World, made: dict, customer: dict, behavior: str) -> None:
    if behavior == "pending_if_incomplete":
        raise errors.invalid(
            "`pending_if_incomplete` is only for updates of a subscription.", "payment_behavior"
        )
    method = payments.default_method(world, made, customer)
    ended = payments.outcome(world, customer["id"], method)
    if ended == payments.NO_METHOD and behavior != "default_incomplete":
        raise errors.invalid(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.", code="resource_missing",
        )  # fmt: skip
    if behavior == "error_if_incomplete" and ended != payments.SUCCEEDED:
        raise unpayable(ended)


def unpayable(ended: str) -> errors.Refused:
    """The 402 for a change that is only made if it can be paid."""
    if ended == payments.ACTION:
        return errors.declined(
            "Payment for this subscription requires additional user action before it can be "
            "completed successfully.", "subscription_payment_intent_requires_action",
        )  # fmt: skip
    return errors.declined("Your card was declined.", "card_declined", "generic_decline")


def _first_invoice(world, made, customer, rows, behavior, period) -> None:
    invoice = invoices.begin(
        world, customer=customer, subscription=made, rows=rows, reason="subscription_create",
        period=period,
    )  # fmt: skip
    if made["trial_end"]:
        made["status"] = "trialing"
    if made["collection_method"] == "send_invoice" and invoice["total"]:
        return  # it stays a draft for an hour
    due = invoice["total"] + customer["balance"] > 0
    if due and not made["trial_end"]:
        made["status"] = "incomplete"
    invoices.finalize(world, invoice)
    if invoice["status"] == invoices.OPEN and behavior != "default_incomplete":
        invoices.collect(world, invoice, first=True)
    if made["status"] == "incomplete":
        world.plan(invoice["created"] + renewals.EXPIRES_AFTER, renewals.expire_first, made)


# -- discounts -----------------------------------------------------------------------------------


def redeem(world: World, written, customer: dict, subscription: dict | None) -> list[str]:
    """The ids of new discounts (or kept ones) for what a request names."""
    return [
        _redeem(world, each, customer, subscription, f"discounts[{place}]")
        for place, each in enumerate(written or [])
    ]


def _redeem(world, written, customer, subscription, param) -> str:
    if "discount" in written:
        return world.store.find("discount", written["discount"], f"{param}[discount]")["id"]
    code = None
    ident = written.get("coupon", "")
    if "promotion_code" in written:
        code = world.store.find("promotion_code", written["promotion_code"], param)
        ident = code["promotion"]["coupon"]
        _demand_redeemable(world, code, customer, param)
    coupon = world.store.find("coupon", ident, f"{param}[coupon]")
    at = world.now(customer["id"])
    if not coupon["valid"] or (coupon["redeem_by"] and coupon["redeem_by"] < at):
        raise errors.invalid(f"Coupon expired: {ident}", f"{param}[coupon]", "coupon_expired")
    for each in filter(None, (coupon, code)):
        each["times_redeemed"] += 1
        most = each["max_redemptions"]
        if most and each["times_redeemed"] >= most:
            each["valid" if each is coupon else "active"] = False
    until = None
    if coupon["duration"] == "repeating":
        until = after(at, "month", coupon["duration_in_months"])
    made = world.make(
        "discount", "di", customer=customer["id"], start=at, end=until,
        source={"type": "coupon", "coupon": ident}, promotion_code=code and code["id"],
        subscription=subscription and subscription["id"],
    )  # fmt: skip
    world.store.hidden[made["id"]]["coupon"] = coupon  # which may be deleted later
    world.emit("customer.discount.created", made)
    return made["id"]


def _demand_redeemable(world, code, customer, param) -> None:
    late = code["expires_at"] and code["expires_at"] <= world.now(customer["id"])
    if not code["active"] or late or code["customer"] not in (None, customer["id"]):
        raise errors.invalid(
            "This promotion code cannot be redeemed.", f"{param}[promotion_code]",
            "promotion_code_expired" if late else None,
        )  # fmt: skip


# -- reading -------------------------------------------------------------------------------------


@route("get", PATH + "/{}")
def retrieve(world: World, params, ident):
    return world.store.find("subscription", ident)


@route("get", PATH, "customer", "price", "status", "collection_method", "test_clock",
       "current_period_end", "current_period_start", *PAGING)  # fmt: skip
def list_all(world: World, params):
    rows = world.store.all("subscription")
    for name in ("customer", "collection_method", "test_clock"):
        if name in params:
            rows = [each for each in rows if each[name] == params[name]]
    if not {"customer", "test_clock"} & set(params):
        rows = [each for each in rows if each["test_clock"] is None]
    if not {"customer", "test_clock"} & set(params):
        rows = [each for each in rows if each["test_clock"] is None]
    if "price" in params:
        rows = [
            each for each in rows
            if any(item["price"]["id"] == params["price"] for item in changes.items_of(each))
        ]  # fmt: skip
    for place, name in enumerate(("current_period_start", "current_period_end")):
        if name in params:
            wanted = params[name]
            rows = [each for each in rows if in_range(changes.period_of(each)[place], wanted)]
    status = params.get("status")
    if status == "ended":
        rows = [each for each in rows if each["status"] in OVER]
    elif status != "all":
        rows = [
            each for each in rows
            if (each["status"] == status if status else each["status"] != "canceled")
        ]  # fmt: skip
    return world.store.page(rows, params, PATH)


@route("get", "/v1/subscription_items", "subscription", *PAGING)
def list_items(world: World, params):
    found = world.store.find("subscription", params["subscription"], "subscription")
    return world.store.page(changes.items_of(found), params, "/v1/subscription_items")


def set_cancellation(world: World, found: dict, params: dict) -> None:
    """cancel_at_period_end, cancel_at and the reason given."""
    at = world.now(found["customer"])
    period_end = changes.period_of(found)[1]
    if "cancel_at_period_end" in params:
        wanted = params["cancel_at_period_end"]
        found["cancel_at_period_end"] = wanted
        found["cancel_at"] = period_end if wanted else None
        found["canceled_at"] = at if wanted else None
        found["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None
    if "cancel_at" in params:
        when = params["cancel_at"] or None
        if isinstance(when, str):
            when = period_end
        if when is not None and when <= at:
            raise errors.invalid("cancel_at must be in the future.", "cancel_at")
        found.update(cancel_at=when, canceled_at=at if when else None, cancel_at_period_end=False)
        if when:
            world.plan(when, renewals.cancel_then, found)
    for name, value in params.get("cancellation_details", {}).items():
        found["cancellation_details"][name] = value or None
