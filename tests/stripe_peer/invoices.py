"""The life of an invoice: drafted, made final, paid or not."""

from tests.stripe_peer import errors, lines, payments
from tests.stripe_peer.clock import DAY
from tests.stripe_peer.world import World, action, included

OPEN, PAID, DRAFT = "open", "paid", "draft"


def subscription_of(world: World, invoice: dict) -> dict | None:
    """The subscription for which an invoice is."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return world.store.get(details["subscription"]) if details else None


def of_subscription(world: World, subscription: dict) -> list[dict]:
    """Its invoices, oldest first."""
    return [
        each for each in world.store.all("invoice", customer=subscription["customer"])
        if subscription_of(world, each) is subscription
    ]  # fmt: skip


def _goes_on_by_itself(collection_method: str, reason: str) -> bool:
    """Whether it is made final, sent or tried again by itself.

    Source: Stripe, "Subscription invoices": what the making or changing of a subscription bills at
    once is charged in the same request, and not again.
    """
    at_once = reason in {"subscription_create", "subscription_update"}
    return collection_method == "send_invoice" or not at_once


def compose(
    world: World,
    *,
    customer: dict,
    subscription: dict | None,
    rows: list[dict],
    reason: str,
    preview: bool = False,
    period: tuple[int, int] | None = None,
    discounts: list[str] | None = None,
    proration_date: int | None = None,
) -> dict:
    """A draft with its lines, not stored if it is a preview."""
    at = world.now(customer["id"])
    whose = subscription or {"collection_method": "charge_automatically", "metadata": {}}
    currency = rows[0]["currency"] if rows else whose.get("currency", "usd")
    start, end = period or (at, at)
    made = world.draft(
        "invoice", "upcoming_in" if preview else "in", customer=customer["id"], status=DRAFT,
        collection_method=whose["collection_method"], currency=currency, billing_reason=reason,
        period_start=start, period_end=end, metadata={}, account_name="Stripe peer",
        account_country="US", customer_email=customer["email"], customer_name=customer["name"],
        customer_address=customer["address"], customer_tax_exempt="none", attempted=False,
        customer_tax_ids=[
            {"type": each["type"], "value": each["value"]}
            for each in world.store.all("tax_id", customer=customer["id"])
        ],
        issuer={"account": None, "type": "self"}, test_clock=customer["test_clock"],
        default_payment_method=None, created=at,
        auto_advance=_goes_on_by_itself(whose["collection_method"], reason),
        starting_balance=customer["balance"] if preview else 0,
    )  # fmt: skip
    if subscription:
        details = world.part(
            "invoice", "Parent.SubscriptionDetails", subscription=subscription["id"],
            metadata=dict(subscription["metadata"]),
            subscription_proration_date=proration_date,
        )  # fmt: skip
        made["parent"] = world.part(
            "invoice", "Parent", type="subscription_details", subscription_details=details
        )
    given = subscription["discounts"] if subscription and discounts is None else discounts
    lines.total_up(world, made, rows, given or [])
    if preview:
        del world.store.hidden[made["id"]]
    return made


def begin(world: World, **facts) -> dict:
    """A stored draft, as `compose`; it becomes final by itself after an hour."""
    made = world.store.put(compose(world, **facts))
    subscription = subscription_of(world, made)
    if subscription:
        subscription["latest_invoice"] = made["id"]
        world.store.hidden[made["id"]]["days_until_due"] = subscription["days_until_due"]
    made["automatically_finalizes_at"] = made["created"] + world.settings.finalize_after
    world.plan(made["automatically_finalizes_at"], finalize_draft, made)
    world.emit("invoice.created", made)
    return made


@action
def finalize_draft(world: World, invoice: dict, when: int) -> None:
    """What Stripe does with a draft after an hour."""
    if invoice["status"] != DRAFT or not invoice["auto_advance"]:
        return
    finalize(world, invoice)
    if invoice["status"] != OPEN:
        return
    if invoice["collection_method"] == "send_invoice":
        world.emit("invoice.sent", invoice)
    else:
        collect(world, invoice)


def finalize(world: World, invoice: dict) -> None:
    """Give it its number and its amount due; what is nothing is paid."""
    customer = world.store.find("customer", invoice["customer"])
    at = world.now(customer["id"])
    if world.store.hidden[customer["id"]].get("cannot_finalize"):
        _fail_finalization(world, invoice)
        return
    with world.changing(customer, "customer.updated"):
        sequence = customer["next_invoice_sequence"]
        customer["next_invoice_sequence"] = sequence + 1
        customer["currency"] = customer["currency"] or invoice["currency"]
        _settle_balance(world, invoice, customer)
    invoice.update(
        number=f"{customer['invoice_prefix']}-{sequence:04}", status=OPEN, effective_at=at,
        hosted_invoice_url=f"{world.url}/pay/{invoice['id']}",
        invoice_pdf=f"{world.url}/pay/{invoice['id']}/pdf", automatically_finalizes_at=None,
    )  # fmt: skip
    invoice["status_transitions"]["finalized_at"] = at
    if invoice["collection_method"] == "send_invoice":
        days = world.store.hidden[invoice["id"]].get("days_until_due")
        invoice["due_date"] = at + (30 if days is None else days) * DAY
        world.plan(invoice["due_date"], overdue, invoice)
    _use_up_discounts(world, invoice)
    world.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        mark_paid(world, invoice)
    else:
        payments.open_intent(world, invoice)


def _fail_finalization(world: World, invoice: dict) -> None:
    """As when the tax of a customer without a usable address cannot be worked out."""
    invoice["last_finalization_error"] = world.part(
        "invoice", "LastFinalizationError", type="invalid_request_error",
        code="customer_tax_location_invalid", message="The customer's location isn't recognized.",
    )  # fmt: skip
    world.emit("invoice.finalization_failed", invoice)


def _settle_balance(world: World, invoice: dict, customer: dict) -> None:
    from tests.stripe_peer import customers

    before, total = customer["balance"], invoice["total"]
    change = total  # what is too much becomes the customer's credit, which is negative
    if total > 0:
        change = min(total, -before) if before < 0 else -before
    due = total - change
    if change:
        customers.change_balance(
            world, customer, change, "applied_to_invoice", invoice=invoice["id"],
            currency=invoice["currency"],
        )  # fmt: skip
    invoice.update(
        starting_balance=before, ending_balance=customer["balance"], amount_due=due,
        amount_remaining=due,
    )  # fmt: skip


def _use_up_discounts(world: World, invoice: dict) -> None:
    subscription = subscription_of(world, invoice)
    for ident, coupon in lines.coupons(world, invoice["discounts"]):
        if coupon["duration"] == "once" and subscription and ident in subscription["discounts"]:
            with world.changing(subscription, "customer.subscription.updated"):
                subscription["discounts"] = [
                    each for each in subscription["discounts"] if each != ident
                ]


@action
def overdue(world: World, invoice: dict, when: int) -> None:
    from tests.stripe_peer import renewals

    if invoice["status"] == OPEN and invoice["due_date"] == when:
        world.emit("invoice.overdue", invoice)
        renewals.fell_due(world, invoice)


# -- paying --------------------------------------------------------------------------------------


def intent_of(world: World, invoice: dict) -> dict | None:
    return world.store.get(world.store.hidden[invoice["id"]].get("payment_intent"))


def collect(
    world: World,
    invoice: dict,
    method: str | None = None,
    *,
    confirmed: bool = False,
    first: bool = False,
    by_hand: bool = False,
) -> str:
    """Charge the card.

    `first`: the subscription is only being made. `by_hand`: somebody asked for it, which does not
    count as one of the automatic tries unless it is the first of all.
    """
    from tests.stripe_peer import renewals

    customer = world.store.find("customer", invoice["customer"])
    method = method or payments.default_method(world, subscription_of(world, invoice), customer)
    intent = intent_of(world, invoice)
    ended = payments.attempt(world, intent, method, confirmed=confirmed)
    invoice["attempted"] = True
    counts = not by_hand or invoice["attempt_count"] == 0
    invoice["attempt_count"] += counts
    if ended == payments.SUCCEEDED:
        _keep_method(world, invoice, method)
        mark_paid(world, invoice)
        return ended
    if counts and not first:
        renewals.payment_failed(world, invoice)
    failed = "action_required" if ended == payments.ACTION else "failed"
    world.emit(f"invoice.payment_{failed}", invoice)
    return ended


def _keep_method(world: World, invoice: dict, method: str) -> None:
    subscription = subscription_of(world, invoice)
    settings = (subscription or {}).get("payment_settings") or {}
    if settings.get("save_default_payment_method") == "on_subscription":
        with world.changing(subscription, "customer.subscription.updated"):
            subscription["default_payment_method"] = method


@action
def retry(world: World, invoice: dict, when: int) -> None:
    if invoice["status"] == OPEN and invoice["next_payment_attempt"] == when:
        collect(world, invoice)


def mark_paid(world: World, invoice: dict, *, elsewhere: bool = False) -> None:
    """Settle the whole amount; `elsewhere`: the money did not pass through Stripe."""
    from tests.stripe_peer import renewals

    at = world.now(invoice["customer"])
    if elsewhere:
        payments.link(world, invoice)
        intent = intent_of(world, invoice)
        if intent:
            intent.update(status="canceled", canceled_at=at)
    for each in world.store.all("invoice_payment", invoice=invoice["id"]):
        stopped = elsewhere and each["payment"]["type"] == "payment_intent"
        each["status"] = "canceled" if stopped else "paid"
        each["status_transitions"]["canceled_at" if stopped else "paid_at"] = at
        each["amount_paid"] = None if stopped else each["amount_requested"]
        if each["status"] == "paid":
            world.emit("invoice_payment.paid", each)
    invoice.update(
        status=PAID, amount_paid=invoice["amount_due"], amount_remaining=0, attempted=True,
        next_payment_attempt=None, auto_advance=False,
        amount_paid_off_stripe=invoice["amount_due"] if elsewhere else 0,
    )  # fmt: skip
    invoice["status_transitions"]["paid_at"] = at
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    renewals.invoice_paid(world, invoice)


def void(world: World, invoice: dict) -> None:
    from tests.stripe_peer import renewals

    _close(world, invoice, "void", "voided_at")
    world.emit("invoice.voided", invoice)
    renewals.invoice_voided(world, invoice)


def give_up(world: World, invoice: dict) -> None:
    _close(world, invoice, "uncollectible", "marked_uncollectible_at")
    world.emit("invoice.marked_uncollectible", invoice)


def _close(world: World, invoice: dict, status: str, moment: str) -> None:
    if invoice["status"] not in {OPEN, "uncollectible"}:
        raise errors.invalid(
            f"You can only pass in open invoices. This invoice isn't open: {invoice['status']}.",
            code="invoice_not_editable",
        )
    at = world.now(invoice["customer"])
    invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"][moment] = at
    intent = intent_of(world, invoice)
    if intent and status == "void":
        intent.update(status="canceled", canceled_at=at)


@included("invoice", "payments")
def payments_of(world: World, invoice):
    rows = world.store.all("invoice_payment", invoice=invoice["id"])
    return world.store.page(rows, {}, "/v1/invoice_payments")


@included("invoice", "confirmation_secret")
def secret_of(world: World, invoice):
    intent = intent_of(world, invoice)
    if intent is None:
        return None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}
