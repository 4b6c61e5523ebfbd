"""What most tests of the peer begin with, made through the SDK; works on Stripe's test mode too."""

from dataclasses import dataclass
from typing import Any

import stripe

DAY = 86_400


@dataclass(frozen=True)
class Shop:
    """An SDK client, and short ways to what is sold and who buys it."""

    api: stripe.StripeClient

    def price(self, amount=5000, *, currency="usd", interval="month", **more):
        product = self.api.v1.products.create({"name": "Standard"})
        return self.api.v1.prices.create(
            {"product": product.id, "currency": currency, "unit_amount": amount,
             "recurring": {"interval": interval}, **more}
        )  # fmt: skip

    def customer(self, card: str | None = "pm_card_visa", **more):
        """A customer who is charged to the card, if one is given."""
        made = self.api.v1.customers.create({"email": "buyer@example.com", "name": "Firma", **more})
        if card:
            self.give_card(made.id, card)
        return made

    def give_card(self, customer: str, card: str):
        method = self.api.v1.payment_methods.attach(card, {"customer": customer})
        chosen: Any = {"default_payment_method": method.id}
        self.api.v1.customers.update(customer, {"invoice_settings": chosen})
        return method

    def subscribe(self, customer, price, quantity=1, **more):
        return self.api.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": price.id, "quantity": quantity}],
             "expand": ["latest_invoice"], **more}
        )  # fmt: skip

    def subscription(self, ident: str):
        return self.api.v1.subscriptions.retrieve(ident, {"expand": ["latest_invoice"]})

    def seats(self, subscription, quantity: int, **more):
        """Change the number of the one item."""
        item = items(subscription)[0]
        return self.api.v1.subscriptions.update(
            subscription.id,
            {"items": [{"id": item.id, "quantity": quantity}], "expand": ["latest_invoice"],
             **more},
        )  # fmt: skip

    def preview(self, subscription, quantity: int, **more):
        item = items(subscription)[0]
        return self.api.v1.invoices.create_preview(
            {"subscription": subscription.id,
             "subscription_details": {"items": [{"id": item.id, "quantity": quantity}], **more}}
        )  # fmt: skip

    def events(self, *kinds: str) -> list[str]:
        """The types of the events so far, oldest first."""
        wanted: Any = {"types": list(kinds)} if kinds else {}
        found = self.api.v1.events.list({"limit": 100, **wanted})
        return [each.type for each in found.auto_paging_iter()][::-1]


def items(subscription) -> list:
    """A subscription's items; `items` of the SDK's objects is the field, not a method."""
    return subscription["items"].data


def period(subscription) -> tuple[int, int]:
    """Since 2025 the period stands on the items only."""
    item = items(subscription)[0]
    return item.current_period_start, item.current_period_end
