"""What we ask Stripe to do. Each says how things shall be, and does nothing where they are so.

Source: reference/billing.md, sections 2 (what moved between API versions) and 7 (Seat rules).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stripe import StripeClient

from billing.providers.base import Doubtful, Wrong
from billing.providers.stripe.client import client
from billing.providers.stripe.reading import id_of

Facts = Mapping[str, Any]
Result = dict[str, Any]
COMMAND = "command_id"
OVER = ("canceled", "incomplete_expired")
TAX_KINDS = {"tw_vat": "tw_vat", "eu_vat": "eu_vat"}


def change(payload: Facts, key: str) -> Result:
    """Have so many seats at this price from a moment on; billed at once, given when paid."""
    api = client()
    now = subscription(api, payload["subscription"])
    if (done := changed(now, payload)) is not None:
        return done
    if schedule := id_of(now.get("schedule")):
        api.v1.subscription_schedules.release(schedule, options={"idempotency_key": f"{key}:free"})
    item = now["items"]["data"][0]
    params: Any = {
        "items": [{"id": item["id"], "price": payload["price"], "quantity": payload["seats"]}],
        "proration_behavior": "always_invoice", "proration_date": payload["at"],
        "payment_behavior": "pending_if_incomplete", "expand": ["latest_invoice"],
    }  # fmt: skip
    interval = item["price"]["recurring"]["interval"]
    if payload.get("is_new_period") and interval == payload["interval"]:
        params["billing_cycle_anchor"] = {"type": "now"}
    if now["collection_method"] == "send_invoice":
        del params["payment_behavior"]
    made = api.v1.subscriptions.update(
        payload["subscription"], params, options={"idempotency_key": key}
    ).to_dict()
    found = changed(made, payload)
    if found is None:
        raise Doubtful("The subscription is not as it was asked for.")
    return found


def changed(now: Facts, payload: Facts) -> Result | None:
    """What came of a change: done, or waiting for its payment; None: it is not there."""
    item = now["items"]["data"][0]
    bill = id_of(now.get("latest_invoice"))
    if (item["quantity"], id_of(item["price"])) == (payload["seats"], payload["price"]):
        return {"is_done": True, "invoice": bill}
    pending = now.get("pending_update") or {}
    for wanted in pending.get("subscription_items") or ():
        if (wanted["quantity"], id_of(wanted["price"])) == (payload["seats"], payload["price"]):
            return {"is_done": False, "invoice": bill}
    return None


def plan(payload: Facts, key: str) -> Result:
    """What the next period shall be: the end, or other seats or another price, or as it is."""
    api = client()
    now = subscription(api, payload["subscription"])
    if now["status"] in OVER:
        return {}
    schedule = id_of(now.get("schedule"))
    item = now["items"]["data"][0]
    wanted = (payload["seats"] or item["quantity"], payload["price"] or id_of(item["price"]))
    is_as_now = wanted == (item["quantity"], id_of(item["price"]))
    if schedule and (payload["ends"] or is_as_now):
        api.v1.subscription_schedules.release(schedule, options={"idempotency_key": f"{key}:free"})
        schedule = ""
    if bool(now["cancel_at_period_end"]) != payload["ends"]:
        api.v1.subscriptions.update(
            payload["subscription"], {"cancel_at_period_end": payload["ends"]},
            options={"idempotency_key": f"{key}:end"},
        )  # fmt: skip
    if payload["ends"] or is_as_now:
        return {"schedule": ""}
    if not schedule:
        schedule = api.v1.subscription_schedules.create(
            {"from_subscription": payload["subscription"]},
            options={"idempotency_key": f"{key}:plan"},
        ).id
    api.v1.subscription_schedules.update(
        schedule,
        {"end_behavior": "release", "proration_behavior": "none", "phases": [
            {"items": [{"price": id_of(item["price"]), "quantity": item["quantity"]}],
             "start_date": item["current_period_start"], "end_date": item["current_period_end"]},
            {"items": [{"price": wanted[1], "quantity": wanted[0]}],
             "start_date": item["current_period_end"], "proration_behavior": "none",
             "duration": {"interval": payload["interval"], "interval_count": 1}},
        ]},
        options={"idempotency_key": f"{key}:phases"},
    )  # fmt: skip
    return {"schedule": schedule}


def buyer(payload: Facts, key: str) -> Result:
    """Who pays, as it stands on the next bills; one tax number."""
    api, customer = client(), payload["customer"]
    api.v1.customers.update(
        customer, customer_facts(payload["buyer"]), options={"idempotency_key": key}
    )
    kind, value = TAX_KINDS.get(payload["buyer"]["tax_id_kind"]), payload["buyer"]["tax_id"]
    has_it = False
    for each in api.v1.customers.tax_ids.list(customer, {"limit": 100}).auto_paging_iter():
        if (each.type, each.value) == (kind, value):
            has_it = True
        else:
            api.v1.customers.tax_ids.delete(customer, each.id)
    if kind and value and not has_it:
        api.v1.customers.tax_ids.create(
            customer, {"type": kind, "value": value}, options={"idempotency_key": f"{key}:tax"}
        )
    return {}


def customer_facts(facts: Facts) -> Any:
    """A buyer as Stripe wants to be told."""
    found: dict[str, Any] = {"name": facts["legal_name"]}
    if facts["email"]:
        found["email"] = facts["email"]
    if facts["country"]:
        found["address"] = {"country": facts["country"], "line1": facts["address"][:200]}
    return found


def credit(payload: Facts, key: str) -> Result:
    """Take back a part of a bill: what is paid of it goes to the customer's balance."""
    api = client()
    bill = api.v1.invoices.retrieve(payload["invoice"]).to_dict()
    params: Any = {
        "invoice": payload["invoice"], "amount": payload["amount"], "memo": payload["reason"],
        "metadata": {COMMAND: payload[COMMAND]},
    }  # fmt: skip
    if bill["status"] == "paid":
        params["credit_amount"] = payload["amount"]
    made = api.v1.credit_notes.create(params, options={"idempotency_key": key})
    return {"id": made.id, "number": made.number}


def grant(payload: Facts, key: str) -> Result:
    """Give a customer something towards their next bills."""
    made = client().v1.customers.balance_transactions.create(
        payload["customer"],
        {"amount": -payload["amount"], "currency": payload["currency"].lower(),
         "description": payload["reason"], "metadata": {COMMAND: payload[COMMAND]}},
        options={"idempotency_key": key},
    )  # fmt: skip
    return {"id": made.id}


def settle(payload: Facts, key: str) -> Result:
    """Mark a bill paid that was paid by transfer."""
    api = client()
    if api.v1.invoices.retrieve(payload["invoice"]).status == "paid":
        return {}
    api.v1.invoices.pay(
        payload["invoice"], {"paid_out_of_band": True}, options={"idempotency_key": key}
    )
    return {}


def end(payload: Facts, key: str) -> Result:
    """End a subscription now, without a bill: the company is closed."""
    api = client()
    if subscription(api, payload["subscription"])["status"] not in OVER:
        api.v1.subscriptions.cancel(
            payload["subscription"], {"invoice_now": False, "prorate": False},
            options={"idempotency_key": key},
        )  # fmt: skip
    return {}


ACTS: dict[str, Callable[[Facts, str], Result]] = {
    "change": change, "plan": plan, "buyer": buyer, "credit": credit, "grant": grant,
    "settle": settle, "end": end,
}  # fmt: skip


def subscription(api: StripeClient, key: str) -> Facts:
    """The subscription as it is now."""
    found: Facts = api.v1.subscriptions.retrieve(key).to_dict()
    return found


# -- what may have been done ---------------------------------------------------------------------


def adopted(kind: str, payload: Facts) -> Result | None:
    """What came of a command that may have been done; None: it was not.

    Acts that say how things shall be look for themselves; what adds something is found by the
    command's id, with which it was marked.
    """
    api = client()
    if kind == "credit":
        notes: Iterator[Any] = api.v1.credit_notes.list(
            {"invoice": payload["invoice"], "limit": 100}
        ).auto_paging_iter()
        return _marked(notes, payload)
    if kind == "grant":
        grants: Iterator[Any] = api.v1.customers.balance_transactions.list(
            payload["customer"], {"limit": 100}
        ).auto_paging_iter()
        return _marked(grants, payload)
    if kind == "change":
        return changed(subscription(api, payload["subscription"]), payload)
    if kind in ACTS:
        return None
    raise Wrong(f"Nobody knows the command {kind}.")


def _marked(rows: Iterator[Any], payload: Facts) -> Result | None:
    for row in rows:
        facts = row.to_dict()
        if (facts.get("metadata") or {}).get(COMMAND) == payload[COMMAND]:
            return {"id": facts["id"], "number": facts.get("number") or ""}
    return None
