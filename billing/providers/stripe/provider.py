"""Stripe behind the interface of `providers.base`."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings

from billing.models import InvoiceLine
from billing.providers.base import (
    Remote,
    RemoteEvent,
    RemotePreview,
    RemoteSubscription,
    Wrong,
)
from billing.providers.stripe import acts, events, reading
from billing.providers.stripe.client import client, failures, is_missing

BILLS_SHOWN = 60
PORTAL = "1"
"""Counted up when what people may do on the provider's page changes."""
Kind = InvoiceLine.Kind


class Stripe:
    """One account of Stripe, with the key of the settings."""

    # -- before renting --------------------------------------------------------------------------

    def ensure_customer(
        self, *, account_id: int, company_id: str, buyer: Mapping[str, str], key: str
    ) -> str:
        with failures():
            facts = acts.customer_facts(buyer)
            facts["metadata"] = {"account": str(account_id), "company": company_id}
            made = client().v1.customers.create(facts, options={"idempotency_key": key})
        return made.id

    def ensure_price(self, facts: Mapping[str, Any]) -> str:
        api, lookup = client(), f"rapport_{facts['price']}"
        with failures():
            for known in api.v1.prices.list({"lookup_keys": [lookup]}).data:
                return known.id
            product = f"rapport_{facts['plan']}"
            try:
                with failures():
                    api.v1.products.retrieve(product)
            except Wrong as error:
                if not is_missing(error):
                    raise
                api.v1.products.create(
                    {"id": product, "name": facts["name"]},
                    options={"idempotency_key": f"product:{product}"},
                )
            made = api.v1.prices.create(
                {"product": product, "currency": facts["currency"].lower(),
                 "unit_amount": facts["unit_amount"], "lookup_key": lookup,
                 "recurring": {"interval": facts["interval"]}},
                options={"idempotency_key": f"price:{lookup}"},
            )  # fmt: skip
        return made.id

    def checkout(self, *, customer: str, price: str, seats: int, key: str, back: str) -> str:
        api = client()
        with failures():
            # Two open pages could be paid twice.
            for other in api.v1.checkout.sessions.list(
                {"customer": customer, "status": "open", "limit": 100}
            ).data:
                api.v1.checkout.sessions.expire(other.id)
            params: Any = {
                "mode": "subscription", "customer": customer,
                "line_items": [{"price": price, "quantity": seats}],
                "success_url": f"{back}?paid=1", "cancel_url": back,
            }  # fmt: skip
            if settings.STRIPE["automatic_tax"]:
                params["automatic_tax"] = {"enabled": True}
            made = api.v1.checkout.sessions.create(params, options={"idempotency_key": key})
        return made.url or ""

    # -- while renting ---------------------------------------------------------------------------

    def preview(
        self, *, subscription: str, price: str, seats: int, at: dt.datetime, is_new_period: bool
    ) -> RemotePreview:
        api = client()
        with failures():
            now = acts.subscription(api, subscription)
            item = now["items"]["data"][0]
            wanted = api.v1.prices.retrieve(price)
            details: Any = {
                "items": [{"id": item["id"], "price": price, "quantity": seats}],
                "proration_behavior": "always_invoice", "proration_date": int(at.timestamp()),
            }  # fmt: skip
            same = (
                wanted.recurring
                and wanted.recurring.interval == (item["price"]["recurring"]["interval"])
            )
            if is_new_period and same:
                details["billing_cycle_anchor"] = {"type": "now"}
            asked: Any = {"subscription": subscription, "subscription_details": details}
            found = api.v1.invoices.create_preview(asked).to_dict()
        lines = tuple(
            reading.line_of(line, is_whole=is_new_period) for line in found["lines"]["data"]
        )
        tax = reading.taxes_of(found)
        return RemotePreview(
            at=at, lines=lines, net=int(found["total"]) - tax, tax=tax, total=int(found["total"])
        )

    def send(self, kind: str, payload: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        with failures():
            return acts.ACTS[kind](payload, key)

    def adopt(self, kind: str, payload: Mapping[str, Any], *, key: str) -> dict[str, Any] | None:
        with failures():
            return acts.adopted(kind, payload)

    # -- how things stand ------------------------------------------------------------------------

    def fetch(self, customer: str) -> Remote:
        api = client()
        with failures():
            facts = api.v1.customers.retrieve(customer).to_dict()
            if facts.get("deleted"):
                return Remote(customer=customer, is_deleted=True)
            rows = api.v1.subscriptions.list({"customer": customer, "status": "all", "limit": 100})
            bills = api.v1.invoices.list({"customer": customer, "limit": BILLS_SHOWN})
            methods = api.v1.customers.payment_methods.list(customer, {"limit": 10})
            known = (reading.invoice_of(bill.to_dict()) for bill in bills.data)
            chosen = reading.id_of(
                (facts.get("invoice_settings") or {}).get("default_payment_method")
            )
            cards = sorted(
                (method.to_dict() for method in methods.data),
                key=lambda method: method["id"] != chosen,
            )
            return Remote(
                customer=customer, card=reading.card_of(cards),
                subscriptions=tuple(
                    reading.subscription_of(row.to_dict()) for row in rows.auto_paging_iter()
                ),
                invoices=tuple(bill for bill in known if bill is not None),
            )  # fmt: skip

    def pay_address(self, invoice: str) -> str:
        with failures():
            return client().v1.invoices.retrieve(invoice).hosted_invoice_url or ""

    def pdf_address(self, invoice: str) -> str:
        with failures():
            return client().v1.invoices.retrieve(invoice).invoice_pdf or ""

    def card_address(self, *, customer: str, back: str) -> str:
        with failures():
            made = client().v1.billing_portal.sessions.create(
                {"customer": customer, "return_url": back, "configuration": _portal()}
            )
        return made.url

    # -- what we are told ------------------------------------------------------------------------

    def read_event(self, body: bytes, signature: str, *, at: dt.datetime) -> RemoteEvent:
        return events.read(body, signature, at=at)

    def events_since(self, moment: dt.datetime) -> Iterator[RemoteEvent]:
        with failures():
            rows = client().v1.events.list(
                {"created": {"gte": int(moment.timestamp())}, "limit": 100}
            )
            for row in rows.auto_paging_iter():
                yield events.event_of(row.to_dict(for_json=True))

    def everything(
        self,
    ) -> tuple[Sequence[RemoteSubscription], frozenset[str], Mapping[str, str], int]:
        api, calls = client(), 0
        with failures():
            found: list[list[dict[str, Any]]] = []
            for listing, more in (
                (api.v1.subscriptions.list, {"status": "all"}),
                (api.v1.customers.list, {}),
                (api.v1.invoices.list, {"status": "open"}),
            ):
                rows, after = [], ""
                while True:
                    calls += 1
                    params: Any = {"limit": 100, **more}
                    if after:
                        params["starting_after"] = after
                    page: Any = listing(params)
                    rows += [each.to_dict() for each in page.data]
                    if not page.has_more:
                        break
                    after = page.data[-1].id
                found.append(rows)
        subscriptions, customers, bills = found
        return (
            [reading.subscription_of(each) for each in subscriptions],
            frozenset(each["id"] for each in customers),
            {each["id"]: reading.id_of(each["customer"]) for each in bills},
            calls,
        )


def _portal() -> str:
    """What people may do on the provider's page: their card and their bills.

    Seats and prices are changed with us, where the rules about them are.
    """
    known = client().v1.billing_portal.configurations
    for each in known.list({"active": True, "limit": 100}).auto_paging_iter():
        if (each.to_dict().get("metadata") or {}).get("rapport") == PORTAL:
            return each.id
    made = known.create(
        {"features": {"payment_method_update": {"enabled": True},
                      "invoice_history": {"enabled": True}},
         "metadata": {"rapport": PORTAL}},
        options={"idempotency_key": f"portal:{PORTAL}"},
    )  # fmt: skip
    return made.id
