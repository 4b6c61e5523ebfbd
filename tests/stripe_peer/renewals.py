"""What time, and money that comes or does not, do to subscriptions."""

from tests.stripe_peer import changes, invoice_api, invoices, lines, payments
from tests.stripe_peer.clock import DAY, HOUR
from tests.stripe_peer.world import World, action

OVER = {"canceled", "incomplete_expired"}
UPDATED = "customer.subscription.updated"
EXPIRES_AFTER = 23 * HOUR
WARNED = 3 * DAY


def watch(world: World, subscription: dict) -> None:
    """Plan what the end of the running period brings."""
    start, end = changes.period_of(subscription)
    world.plan(end, renew, subscription)
    if subscription["status"] == "trialing":
        world.plan(max(end - WARNED, start), trial_will_end, subscription)
    world.plan(max(end - world.settings.upcoming_days * DAY, start), upcoming, subscription)
    if subscription["cancel_at"] and subscription["cancel_at"] < end:
        world.plan(subscription["cancel_at"], cancel_then, subscription)


@action
def trial_will_end(world: World, subscription: dict, when: int) -> None:
    trial_end = subscription["trial_end"]
    if subscription["status"] == "trialing" and when in {
        trial_end - WARNED, changes.period_of(subscription)[0],
    }:  # fmt: skip
        world.emit("customer.subscription.trial_will_end", subscription)


@action
def upcoming(world: World, subscription: dict, when: int) -> None:
    from tests.stripe_peer import previews

    end = changes.period_of(subscription)[1]
    wanted = end - world.settings.upcoming_days * DAY
    goes_on = not subscription["cancel_at"] or subscription["cancel_at"] > end
    running = subscription["status"] in {"active", "trialing", "past_due"}
    if running and goes_on and when >= wanted:
        world.emit("invoice.upcoming", previews.renewal(world, subscription))


@action
def cancel_then(world: World, subscription: dict, when: int) -> None:
    if subscription["status"] not in OVER and subscription["cancel_at"] == when:
        end(world, subscription, reason="cancellation_requested")


def end(world: World, subscription: dict, *, reason: str) -> None:
    """It is over; nothing is collected any more by itself."""
    void_pending(world, subscription)
    at = world.now(subscription["customer"])
    subscription.update(
        status="canceled", ended_at=at, canceled_at=subscription["canceled_at"] or at,
        pending_update=None,
    )  # fmt: skip
    details = subscription["cancellation_details"]
    details["reason"] = details["reason"] or reason
    for each in invoices.of_subscription(world, subscription):
        if each["status"] in {invoices.OPEN, invoices.DRAFT}:
            each.update(auto_advance=False, next_payment_attempt=None)
    world.emit("customer.subscription.deleted", subscription)
    schedule = world.store.get(subscription["schedule"])
    if schedule:
        from tests.stripe_peer import schedules

        schedules.ended(world, schedule)


# -- a period ends -------------------------------------------------------------------------------


@action
def renew(world: World, subscription: dict, when: int) -> None:
    """The next period begins and is billed, or the subscription ends."""
    from tests.stripe_peer import schedules

    if subscription["status"] in OVER | {"paused", "incomplete"}:
        return
    if changes.period_of(subscription)[1] != when:
        return
    if subscription["cancel_at_period_end"] or (
        subscription["cancel_at"] and subscription["cancel_at"] <= when
    ):
        end(world, subscription, reason="cancellation_requested")
        return
    if subscription["status"] == "trialing" and not goes_on_after_trial(world, subscription):
        return
    with world.changing(subscription, UPDATED):
        if not schedules.begin_phase(world, subscription, when):
            return
        _end_discounts(world, subscription, when)
        items = changes.items_of(subscription)
        period = changes.next_period(items, subscription["billing_cycle_anchor"], when)
        for each in items:
            each.update(current_period_start=period[0], current_period_end=period[1])
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        _bill_period(world, subscription, period)
    watch(world, subscription)


def _end_discounts(world: World, subscription: dict, when: int) -> None:
    kept = []
    for ident in subscription["discounts"]:
        until = world.store.find("discount", ident)["end"]
        if until is None or until > when:
            kept.append(ident)
    subscription["discounts"] = kept


def goes_on_after_trial(world: World, subscription: dict) -> bool:
    """Whether it is billed from now on; without a card it may be cancelled or paused instead."""
    customer = world.store.find("customer", subscription["customer"])
    settings = subscription["trial_settings"] or {"end_behavior": {}}
    behavior = settings["end_behavior"].get("missing_payment_method", "create_invoice")
    asked = subscription["collection_method"] == "charge_automatically"
    if not asked or payments.default_method(world, subscription, customer):
        return True
    if behavior == "cancel":
        end(world, subscription, reason="payment_failed")
    elif behavior == "pause":
        pause(world, subscription, "trial_end_without_payment_method")
    return behavior == "create_invoice"


def pause(world: World, subscription: dict, why: str) -> None:
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {
            "type": "subscription", "subscription": {"type": why},
            "transitioned_at": world.now(subscription["customer"]),
        }
    }  # fmt: skip
    world.emit("customer.subscription.paused", subscription)


def _bill_period(world: World, subscription: dict, period: tuple[int, int]) -> None:
    customer = world.store.find("customer", subscription["customer"])
    rows = invoice_api.pending_lines(world, customer, subscription)
    rows += [
        lines.full(world, subscription, each, period) for each in changes.items_of(subscription)
    ]
    made = invoices.begin(
        world, customer=customer, subscription=subscription, rows=rows,
        reason="subscription_cycle", period=period,
    )  # fmt: skip
    invoice_api.bill_pending(world, made, customer, subscription)
    paused = (subscription["pause_collection"] or {}).get("behavior")
    if subscription["status"] == "unpaid" or paused == "keep_as_draft":
        made["auto_advance"] = False
    elif paused:
        invoices.finalize(world, made)
        if made["status"] == invoices.OPEN:
            (invoices.void if paused == "void" else invoices.give_up)(world, made)


# -- money comes, or does not --------------------------------------------------------------------


def payment_failed(world: World, invoice: dict) -> None:
    """Plan the next try; after the last one the account's settings decide."""
    subscription = invoices.subscription_of(world, invoice)
    if subscription is None or subscription["status"] in OVER | {"incomplete"}:
        return
    if _is_pending_update(world, invoice, subscription):
        return
    days = world.settings.retry_days
    tried = invoice["attempt_count"]
    invoice["next_payment_attempt"] = None
    if tried <= len(days):
        if invoice["auto_advance"]:
            due = world.now(invoice["customer"]) + days[tried - 1] * DAY
            invoice["next_payment_attempt"] = due
            world.plan(due, invoices.retry, invoice)
        _become(world, subscription, "past_due")
    elif world.settings.after_retries == "canceled":
        end(world, subscription, reason="payment_failed")
    else:
        _become(world, subscription, world.settings.after_retries)


def fell_due(world: World, invoice: dict) -> None:
    """A bill that was sent was not paid in time."""
    subscription = invoices.subscription_of(world, invoice)
    if subscription and subscription["status"] in {"active", "trialing"}:
        _become(world, subscription, "past_due")


def _become(world: World, subscription: dict, status: str) -> None:
    with world.changing(subscription, UPDATED):
        subscription["status"] = status


def invoice_paid(world: World, invoice: dict) -> None:
    """What was waiting for the money happens."""
    subscription = invoices.subscription_of(world, invoice)
    if subscription is None or subscription["status"] in OVER:
        return
    if _is_pending_update(world, invoice, subscription):
        apply_pending(world, subscription)
    if subscription["status"] == "incomplete":
        _become(world, subscription, "active")
    elif subscription["status"] in {"past_due", "unpaid"}:
        at = world.now(subscription["customer"])
        late = [
            each for each in invoices.of_subscription(world, subscription)
            if each["status"] == invoices.OPEN
            and (each["attempted"] or (each["due_date"] and each["due_date"] <= at))
        ]  # fmt: skip
        if not late:
            _become(world, subscription, "active")


def invoice_voided(world: World, invoice: dict) -> None:
    subscription = invoices.subscription_of(world, invoice)
    if subscription is None:
        return
    if _is_pending_update(world, invoice, subscription):
        drop_pending(world, subscription)
    elif subscription["status"] == "incomplete":
        expire(world, subscription)
    else:
        invoice_paid(world, invoice)


@action
def expire_first(world: World, subscription: dict, when: int) -> None:
    """The first bill was not paid within 23 hours."""
    if subscription["status"] == "incomplete":
        invoice = world.store.find("invoice", subscription["latest_invoice"])
        expire(world, subscription)
        if invoice["status"] == invoices.OPEN:
            invoices.void(world, invoice)


def expire(world: World, subscription: dict) -> None:
    with world.changing(subscription, UPDATED):
        subscription.update(
            status="incomplete_expired", ended_at=world.now(subscription["customer"])
        )


# -- changes that wait for their payment ---------------------------------------------------------


def _is_pending_update(world: World, invoice: dict, subscription: dict) -> bool:
    waiting = world.store.hidden[subscription["id"]].get("pending")
    return waiting is not None and waiting["invoice"] == invoice["id"]


def await_payment(world: World, subscription: dict, change, invoice: dict) -> None:
    """Keep a change until its invoice is paid, for 23 hours at most."""
    at = world.now(subscription["customer"])
    until = min(at + EXPIRES_AFTER, changes.period_of(subscription)[1])
    world.store.hidden[subscription["id"]]["pending"] = {"invoice": invoice["id"], "change": change}
    start, finish = change.period or changes.period_of(subscription)
    for each in change.items:
        each.update(current_period_start=start, current_period_end=finish)
    subscription["pending_update"] = world.part(
        "subscription", "PendingUpdate", expires_at=until, subscription_items=change.items,
        billing_cycle_anchor=change.anchor, trial_end=change.trial_end,
    )  # fmt: skip
    world.plan(until, expire_pending, subscription)


def apply_pending(world: World, subscription: dict) -> None:
    waiting = world.store.hidden[subscription["id"]].pop("pending")
    with world.changing(subscription, UPDATED):
        changes.apply(world, subscription, waiting["change"])
        subscription["pending_update"] = None
    if waiting["change"].period:
        watch(world, subscription)
    world.emit("customer.subscription.pending_update_applied", subscription)


def drop_pending(world: World, subscription: dict) -> None:
    world.store.hidden[subscription["id"]].pop("pending", None)
    with world.changing(subscription, UPDATED):
        subscription["pending_update"] = None
    world.emit("customer.subscription.pending_update_expired", subscription)


@action
def expire_pending(world: World, subscription: dict, when: int) -> None:
    pending = subscription["pending_update"]
    if pending and pending["expires_at"] == when:
        void_pending(world, subscription)


def void_pending(world: World, subscription: dict) -> None:
    """Give up a waiting change and its invoice."""
    waiting = world.store.hidden[subscription["id"]].get("pending")
    if waiting:
        invoices.void(world, world.store.find("invoice", waiting["invoice"]))
