"""Stripe's objects in our words. Source of the field names: the SDK's own type files.

Since "basil" a subscription's period stands on its items, an invoice's subscription under `parent`
and a line's price under `pricing` (reference/billing.md, section 2).
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from billing.models import InvoiceLine
from billing.proration import Period
from billing.providers.base import RemoteInvoice, RemoteLine, RemoteSubscription

Kind = InvoiceLine.Kind
Facts = Mapping[str, Any]
STATES = {"open": "open", "paid": "paid", "void": "void", "uncollectible": "open"}
WHOLE = ("subscription_create", "subscription_cycle")
"""Bills for a whole period; others are for what was added meanwhile."""


def moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _or_none(seconds: int | None) -> dt.datetime | None:
    return moment(seconds) if seconds else None


def id_of(value: Any) -> str:
    """The id of something that may have been sent whole."""
    return str(value["id"] if isinstance(value, Mapping) else value or "")


def subscription_of(facts: Facts) -> RemoteSubscription:
    items = facts["items"]["data"]
    ends = facts.get("cancel_at")
    return RemoteSubscription(
        id=facts["id"], customer=id_of(facts["customer"]), status=facts["status"],
        price=id_of(items[0]["price"]), seats=int(items[0].get("quantity") or 0),
        anchor=moment(facts["billing_cycle_anchor"]), created_at=moment(facts["created"]),
        period=Period(
            moment(max(item["current_period_start"] for item in items)),
            moment(max(item["current_period_end"] for item in items)),
        ),
        ends_at=_or_none(ends) or (
            moment(max(item["current_period_end"] for item in items))
            if facts.get("cancel_at_period_end") else None
        ),
        ended_at=_or_none(facts.get("ended_at")),
        is_waiting_for_payment=bool(facts.get("pending_update")),
    )  # fmt: skip


def subscription_id_of(invoice: Facts) -> str:
    parent = invoice.get("parent") or {}
    return id_of((parent.get("subscription_details") or {}).get("subscription"))


def line_of(facts: Facts, *, is_whole: bool) -> RemoteLine:
    """A line; `is_whole` says that its bill is for a whole period."""
    pricing = facts.get("pricing") or {}
    details = (facts.get("parent") or {}).get("subscription_item_details") or {}
    item = (facts.get("parent") or {}).get("invoice_item_details") or {}
    is_part = bool(details.get("proration") or item.get("proration"))
    price = (pricing.get("price_details") or {}).get("price")
    amount = int(facts["amount"])
    kind = Kind.CREDIT if amount < 0 else Kind.SEATS if is_whole and not is_part else Kind.ADDED
    interval = "month"
    if isinstance(price, Mapping):
        interval = (price.get("recurring") or {}).get("interval") or interval
    period = Period(moment(facts["period"]["start"]), moment(facts["period"]["end"]))
    if not isinstance(price, Mapping) and period.seconds > 60 * 86_400:
        interval = "year"
    return RemoteLine(
        kind=kind, quantity=int(facts.get("quantity") or 0) * (-1 if amount < 0 else 1),
        unit_amount=int(pricing.get("unit_amount_decimal") or 0), interval=interval,
        period=period, amount=amount,
    )  # fmt: skip


def taxes_of(invoice: Facts) -> int:
    return sum(int(tax["amount"]) for tax in invoice.get("total_taxes") or ())


def invoice_of(facts: Facts) -> RemoteInvoice | None:
    """A finalized bill; None while it is a draft, which binds nobody."""
    state = STATES.get(str(facts.get("status")))
    if state is None or not facts.get("number"):
        return None
    steps = facts["status_transitions"]
    issued = moment(steps.get("finalized_at") or facts["created"])
    due = facts.get("due_date")
    is_whole = facts.get("billing_reason") in WHOLE
    before = int(facts.get("pre_payment_credit_notes_amount") or 0)
    credited = before + int(facts.get("post_payment_credit_notes_amount") or 0)
    tax = taxes_of(facts)
    # What a balance paid is not in `amount_paid`; what still has to be paid is the truth.
    paid = max(int(facts["total"]) - before - int(facts["amount_remaining"]), 0)
    return RemoteInvoice(
        id=facts["id"], subscription=subscription_id_of(facts), number=facts["number"],
        state=state, currency=str(facts["currency"]).upper(), net=int(facts["total"]) - tax,
        tax=tax, total=int(facts["total"]), paid=paid, credited=credited,
        issued_at=issued, due_at=moment(due) if due else issued,
        settled_at=_or_none(steps.get("paid_at") or steps.get("voided_at")),
        lines=tuple(line_of(line, is_whole=is_whole) for line in facts["lines"]["data"]),
    )  # fmt: skip


def card_of(methods: Iterable[Facts]) -> dict[str, Any]:
    """What may be kept of the card: enough to know which one it is."""
    for method in methods:
        if card := method.get("card"):
            return {"brand": card["brand"], "last4": card["last4"], "month": card["exp_month"],
                    "year": card["exp_year"]}  # fmt: skip
        return {"brand": str(method.get("type", "")), "last4": ""}
    return {}
