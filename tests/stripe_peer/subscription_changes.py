"""Updating, cancelling and resuming subscriptions."""

from tests.stripe_peer import changes, errors, invoice_api, invoices, lines, payments, renewals
from tests.stripe_peer.renewals import OVER, UPDATED
from tests.stripe_peer.subscriptions import (
    PATH,
    SETTINGS,
    redeem,
    set_cancellation,
    unpayable,
)
from tests.stripe_peer.world import World, route, set_fields, set_metadata

WITH_PENDING = {"expand", "payment_behavior", "proration_behavior", "proration_date",
                "billing_cycle_anchor", "items", "trial_end"}  # fmt: skip
"""What an update may carry that waits for its payment.

Source: Stripe, "Pending updates reference" (supported attributes); metadata is not among them.
"""
ITEM_WITH_PENDING = {"id", "price", "quantity", "deleted"}
STILL_TAKES = {"metadata", "cancellation_details", "expand"}
MOVES_MONEY = {"items", "billing_cycle_anchor", "trial_end"}


@route("post", PATH + "/{}", "items", "default_payment_method", "collection_method",
       "days_until_due", "trial_end", "metadata", "discounts", "payment_behavior",
       "proration_behavior", "proration_date", "billing_cycle_anchor", "cancel_at",
       "cancel_at_period_end", "cancellation_details", "pause_collection", *SETTINGS)  # fmt: skip
def update(world: World, params, ident):
    found = world.store.find("subscription", ident)
    customer = world.store.find("customer", found["customer"])
    behavior = params.get("payment_behavior", "allow_incomplete")
    _demand_sound(world, found, params, behavior)
    if params.get("trial_end") == "now" and found["status"] == "trialing":
        found["trial_end"] = world.now(customer["id"])
        if not renewals.goes_on_after_trial(world, found):
            return found
    change = changes.plan(world, found, params) if MOVES_MONEY & set(params) else None
    if change and change.at_once:
        _demand_payable(world, found, customer, change, behavior)
        renewals.void_pending(world, found)
    waits = change is not None and change.at_once and _waits(
        world, found, customer, change, behavior
    )  # fmt: skip
    with world.changing(found, UPDATED):
        if not waits:
            _settings(world, found, customer, params)
            if change:
                changes.apply(world, found, change)
        if change:
            _bill(world, found, customer, change, params, behavior, waits=waits)
    if change and change.period and not waits:
        renewals.watch(world, found)
    return found


def _demand_sound(world: World, found: dict, params: dict, behavior: str) -> None:
    if found["status"] in OVER and set(params) - STILL_TAKES:
        raise errors.invalid(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    if behavior == "pending_if_incomplete":
        _demand_may_wait(found, params)
    if params.get("default_payment_method"):
        payments.demand_attached(world, params["default_payment_method"], found["customer"])


def _demand_may_wait(found: dict, params: dict) -> None:
    other = sorted(set(params) - WITH_PENDING)
    for place, each in enumerate(params.get("items", ())):
        other += [f"items[{place}][{name}]" for name in sorted(set(each) - ITEM_WITH_PENDING)]
    if other:
        raise errors.invalid(
            "When payment_behavior is pending_if_incomplete, only parameters supported by pending "
            f"updates may be passed; these are not: {', '.join(other)}.", other[0],
        )  # fmt: skip
    if found["collection_method"] != "charge_automatically":
        raise errors.invalid(
            "Pending updates need collection_method charge_automatically.", "payment_behavior"
        )


def _settings(world: World, found: dict, customer: dict, params: dict) -> None:
    set_fields(found, params, "description", "default_payment_method", "collection_method",
               "days_until_due", "pause_collection")  # fmt: skip
    set_metadata(found, params)
    for name in ("payment_settings", "trial_settings"):
        if name in params:
            found[name] = {**(found[name] or {}), **params[name]}
    if found["pause_collection"] is not None:
        found["pause_collection"].setdefault("resumes_at", None)
    if found["collection_method"] == "charge_automatically":
        found["days_until_due"] = None
    elif found["days_until_due"] is None:
        raise errors.invalid("You must pass days_until_due with send_invoice.", "days_until_due")
    if params.get("discounts") == "":
        found["discounts"] = []
    elif params.get("discounts"):
        found["discounts"] = redeem(world, params["discounts"], customer, found)
    set_cancellation(world, found, params)


def _owed(world: World, found: dict, customer: dict, change: changes.Change) -> int:
    """What the invoice of a change will ask for, as its preview says."""
    seen = invoices.compose(
        world, customer=customer, subscription=found, rows=change.rows, preview=True,
        reason="subscription_update",
    )  # fmt: skip
    return seen["amount_due"]


def _ends(world: World, found: dict, customer: dict) -> str:
    method = payments.default_method(world, found, customer)
    return payments.outcome(world, customer["id"], method)


def _demand_payable(world, found, customer, change, behavior) -> None:
    if behavior != "error_if_incomplete" or found["collection_method"] == "send_invoice":
        return
    if _owed(world, found, customer, change):
        ended = _ends(world, found, customer)
        if ended != payments.SUCCEEDED:
            raise unpayable(ended)


def _waits(world, found, customer, change, behavior) -> bool:
    return bool(
        behavior == "pending_if_incomplete"
        and _owed(world, found, customer, change)
        and _ends(world, found, customer) != payments.SUCCEEDED
    )


def _bill(world, found, customer, change, params, behavior, *, waits) -> None:
    """Make the invoice of a change, or keep its lines for the next one."""
    if not change.at_once:
        for each in change.rows:
            invoice_api.add_pending(
                world, customer["id"], each, subscription=found["id"], proration=True
            )
        return
    rows = change.rows
    if not waits and change.period:
        rows = invoice_api.pending_lines(world, customer, found) + rows
    invoice = invoices.begin(
        world, customer=customer, subscription=found, rows=rows, reason="subscription_update",
        period=change.period or changes.period_of(found),
        proration_date=params.get("proration_date"),
    )  # fmt: skip
    if len(rows) > len(change.rows):
        invoice_api.bill_pending(world, invoice, customer, found)
    if waits:
        renewals.await_payment(world, found, change, invoice)
    if found["collection_method"] == "send_invoice" and invoice["total"] > 0:
        return  # it stays a draft for an hour
    invoices.finalize(world, invoice)
    if invoice["status"] == invoices.OPEN:
        if behavior == "default_incomplete":
            found["status"] = "past_due"
        else:
            invoices.collect(world, invoice)


# -- ending and resuming -------------------------------------------------------------------------


@route("delete", PATH + "/{}", "invoice_now", "prorate", "cancellation_details")
def cancel(world: World, params, ident):
    found = world.store.find("subscription", ident)
    if found["status"] in OVER:
        raise errors.missing("subscription", ident)
    customer = world.store.find("customer", found["customer"])
    at = world.now(customer["id"])
    if params.get("prorate") and found["status"] != "trialing":
        start, finish = changes.period_of(found)
        for each in changes.items_of(found):
            line = lines.prorated(world, found, each, min(max(at, start), finish), unused=True)
            invoice_api.add_pending(world, customer["id"], line, subscription=ident, proration=True)
    rows = invoice_api.pending_lines(world, customer, found)
    if params.get("invoice_now") and rows:
        invoice = invoices.begin(
            world, customer=customer, subscription=found, rows=rows, reason="subscription_update"
        )
        invoice_api.bill_pending(world, invoice, customer, found)
        invoices.finalize(world, invoice)
        if invoice["status"] == invoices.OPEN:
            invoices.collect(world, invoice)
    for name, value in params.get("cancellation_details", {}).items():
        found["cancellation_details"][name] = value or None
    first = world.store.get(found["latest_invoice"])
    unpaid_first = found["status"] == "incomplete" and first["status"] == invoices.OPEN
    renewals.end(world, found, reason="cancellation_requested")
    if unpaid_first:
        invoices.void(world, first)
    return found


@route("post", PATH + "/{}/resume", "billing_cycle_anchor", "proration_behavior",
       "proration_date", "payment_behavior")  # fmt: skip
def resume(world: World, params, ident):
    """A paused subscription goes on with a new period from now."""
    found = world.store.find("subscription", ident)
    if found["status"] != "paused":
        raise errors.invalid(f"This subscription is {found['status']}, not paused.")
    customer = world.store.find("customer", found["customer"])
    now = world.now(customer["id"])
    items = changes.items_of(found)
    period = changes.next_period(items, now, now)
    for each in items:
        each.update(current_period_start=period[0], current_period_end=period[1])
    found.update(status="active", status_details=None, billing_cycle_anchor=now)
    rows = [lines.full(world, found, each, period) for each in items]
    invoice = invoices.begin(
        world, customer=customer, subscription=found, rows=rows, reason="subscription_update",
        period=period,
    )  # fmt: skip
    invoices.finalize(world, invoice)
    if invoice["status"] == invoices.OPEN:
        invoices.collect(world, invoice)
    world.emit("customer.subscription.resumed", found)
    renewals.watch(world, found)
    return found
