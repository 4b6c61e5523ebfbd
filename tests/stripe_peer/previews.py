"""Invoices as they would be: of a change, of the next renewal, of a new subscription."""

from fractions import Fraction

from tests.stripe_peer import changes, errors, invoice_api, invoices, lines
from tests.stripe_peer.renewals import OVER
from tests.stripe_peer.store import copied, random_word
from tests.stripe_peer.world import World, demand, route

SPOKEN = {"items", "proration_behavior", "proration_date", "billing_cycle_anchor", "trial_end",
          "cancel_at_period_end", "cancel_now", "start_date", "metadata"}  # fmt: skip


@route("post", "/v1/invoices/create_preview", "customer", "subscription", "subscription_details",
       "discounts", "preview_mode", "currency")  # fmt: skip
def create_preview(world: World, params):
    details = params.get("subscription_details", {})
    other = sorted(set(details) - SPOKEN)
    if other:
        raise NotImplementedError(f"subscription_details[{other[0]}]")
    if "subscription" in params:
        return _of_existing(world, params, details)
    return _of_new(world, params, details)


def _of_existing(world: World, params: dict, details: dict) -> dict:
    found = world.store.find("subscription", params["subscription"], "subscription")
    if found["status"] in OVER:
        raise errors.invalid("No upcoming invoices for customer", code="invoice_upcoming_none")
    customer = world.store.find("customer", found["customer"])
    if params.get("customer", customer["id"]) != customer["id"]:
        raise errors.invalid("The subscription is another customer's.", "customer")
    discounts = _discounts(world, params, found, customer)
    if details.get("cancel_now"):
        at = details.get("proration_date", world.now(customer["id"]))
        rows = [
            lines.prorated(world, found, each, at, unused=True)
            for each in changes.items_of(found)
            if details.get("proration_behavior") != "none"
        ]  # fmt: skip
        return _shown(world, found, customer, rows, details, discounts)
    if not {"items", "billing_cycle_anchor", "trial_end"} & set(details):
        ends = details.get("cancel_at_period_end", found["cancel_at_period_end"])
        if ends and not invoice_api.pending(world, customer, found):
            raise errors.invalid("No upcoming invoices for customer", code="invoice_upcoming_none")
        return renewal(world, found, discounts=discounts)
    change = changes.plan(world, found, details)
    if params.get("preview_mode") == "recurring":
        return renewal(world, found, items=change.items, discounts=discounts, alone=True)
    if change.at_once:
        return _shown(world, found, customer, change.rows, details, discounts, change.period)
    return renewal(world, found, items=change.items, rows=change.rows, discounts=discounts)


def _discounts(world: World, params: dict, found: dict | None, customer: dict) -> list[str]:
    """The discounts of the preview; a coupon is tried on without being redeemed."""
    written = params.get("discounts")
    if written == "":
        return []
    if not written:
        return found["discounts"] if found else []
    return [_tried(world, each, customer) for each in written]


def _tried(world: World, written: dict, customer: dict) -> str:
    if "discount" in written:
        return world.store.find("discount", written["discount"], "discounts")["id"]
    ident = written.get("coupon", "")
    if "promotion_code" in written:
        code = world.store.find("promotion_code", written["promotion_code"], "discounts")
        ident = code["promotion"]["coupon"]
    coupon = world.store.find("coupon", ident, "discounts")
    made = world.make(
        "discount", "di", customer=customer["id"], start=world.now(customer["id"]),
        source={"type": "coupon", "coupon": ident},
    )  # fmt: skip
    world.store.hidden[made["id"]]["coupon"] = coupon
    return made["id"]


def _shown(world, found, customer, rows, details, discounts, period=None) -> dict:
    return invoices.compose(
        world, customer=customer, subscription=found, rows=rows, preview=True,
        reason="subscription_update", period=period or changes.period_of(found),
        discounts=discounts, proration_date=details.get("proration_date"),
    )  # fmt: skip


def renewal(world: World, found: dict, *, items: list[dict] | None = None,
            rows: list[dict] | None = None, discounts: list[str] | None = None,
            alone: bool = False) -> dict:  # fmt: skip
    """The invoice of the next period: what waits for it, `rows`, then the items as they will
    be; without what waits if `alone`.
    """
    from tests.stripe_peer import schedules

    customer = world.store.find("customer", found["customer"])
    end = changes.period_of(found)[1]
    items = items or schedules.items_at(world, found, end) or changes.items_of(found)
    period = changes.next_period(items, found["billing_cycle_anchor"], end)
    waiting = [] if alone else invoice_api.pending_lines(world, customer, found)
    made = [lines.full(world, found, each, period) for each in items]
    shown = [copied(each) for each in waiting] + (rows or [])
    return invoices.compose(
        world, customer=customer, subscription=found, rows=shown + made, preview=True,
        reason="upcoming", period=period, discounts=discounts,
    )  # fmt: skip


def _of_new(world: World, params: dict, details: dict) -> dict:
    """The first invoice of a subscription that is not made."""
    from tests.stripe_peer import customers

    demand(params, "customer")
    customer = customers.live(world, params["customer"])
    at = details.get("start_date", world.now(customer["id"]))
    ident = f"sub_{random_word(24)}"
    items = [
        changes.new_item(world, ident, each, f"subscription_details[items][{place}]")
        for place, each in enumerate(details.get("items", ()))
    ]  # fmt: skip
    if not items:
        raise errors.invalid("No upcoming invoices for customer", code="invoice_upcoming_none")
    currency = items[0]["price"]["currency"]
    changes.demand_sound(currency, items)
    trial_end = details.get("trial_end")
    period, share = changes.next_period(items, at, at), Fraction(1)
    if isinstance(trial_end, int):
        period = (at, trial_end)
    seen = {"id": ident, "metadata": {}, "discounts": [], "currency": currency,
            "collection_method": "charge_automatically"}  # fmt: skip
    rows = [
        lines.full(world, seen, each, period, free=isinstance(trial_end, int), share=share)
        for each in items
    ]
    return invoices.compose(
        world, customer=customer, subscription=seen, rows=rows, preview=True, reason="upcoming",
        period=period, discounts=_discounts(world, params, None, customer),
    )  # fmt: skip
