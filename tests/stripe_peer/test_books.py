"""Whatever is done to a subscription, in whatever order, the books of the peer add up."""

import random
from collections import Counter

import pytest
import stripe

from tests.stripe_peer.clock import period_at
from tests.stripe_peer.shop import DAY, Shop, items

STEPS = 60
CLOSED = {"canceled", "incomplete_expired"}


class Customer:
    """Somebody who changes their mind: each step is one request or some days."""

    def __init__(self, peer, shop: Shop, seed: int) -> None:
        self.peer, self.shop, self.chance = peer, shop, random.Random(seed)  # noqa: S311  to repeat it
        self.prices = [shop.price(3333), shop.price(29_900, interval="year")]
        self.customer = shop.customer()
        self.refused: Counter = Counter()
        self.begin()

    def begin(self) -> None:
        self.peer.decline(self.customer.id, None)
        more = self.chance.choice([{}, {"trial_period_days": 5}])
        self.subscription = self.shop.subscribe(
            self.customer, self.chance.choice(self.prices), self.chance.randint(1, 9), **more
        )

    def step(self) -> None:
        act = self.chance.choice(
            [self.change] * 3 + [self.pass_time] * 3 + [self.decline] * 2
            + [self.pay, self.schedule, self.release, self.leave, self.stay, self.credit,
               self.cancel, self.another_price, self.void]
        )  # fmt: skip
        try:
            act()
        except stripe.StripeError as error:
            if error.http_status not in {400, 402, 404}:
                raise
            self.refused[act.__name__] += 1
        self.subscription = self.shop.subscription(self.subscription.id)
        if self.subscription.status in CLOSED and self.chance.random() < 0.5:
            self.begin()

    def change(self) -> None:
        how = {
            "proration_behavior": self.chance.choice(
                ["always_invoice", "create_prorations", "none"]
            ),
            "payment_behavior": self.chance.choice(
                ["pending_if_incomplete", "allow_incomplete", "error_if_incomplete"]
            ),
        }
        self.shop.seats(self.subscription, self.chance.randint(1, 9), **how)

    def another_price(self) -> None:
        self.shop.api.v1.subscriptions.update(self.subscription.id, {"items": [
            {"id": items(self.subscription)[0].id, "price": self.chance.choice(self.prices).id},
        ]})  # fmt: skip

    def pass_time(self) -> None:
        self.peer.advance(
            days=self.chance.choice([0, 1, 6, 40]), seconds=self.chance.randint(0, DAY)
        )

    def pay(self) -> None:
        if self.chance.random() < 0.5:
            self.peer.decline(self.customer.id, None)
        for each in self._open():
            self.shop.api.v1.invoices.pay(each.id)

    def void(self) -> None:
        for each in self._open()[:1]:
            self.shop.api.v1.invoices.void_invoice(each.id)

    def _open(self) -> list:
        asked = {"customer": self.customer.id, "status": "open"}
        return self.shop.api.v1.invoices.list(asked).data

    def decline(self) -> None:
        self.peer.decline(self.customer.id)

    def schedule(self) -> None:
        api = self.shop.api.v1.subscription_schedules
        made = api.create({"from_subscription": self.subscription.id})
        running = made.phases[0]
        item = items(self.subscription)[0]
        api.update(made.id, {"phases": [
            {"start_date": running.start_date, "end_date": running.end_date,
             "items": [{"price": item.price.id, "quantity": item.quantity}]},
            {"items": [{"price": item.price.id, "quantity": self.chance.randint(1, 9)}],
             "proration_behavior": "none"},
        ]})  # fmt: skip

    def release(self) -> None:
        if self.subscription.schedule:
            self.shop.api.v1.subscription_schedules.release(self.subscription.schedule)

    def leave(self) -> None:
        self._update({"cancel_at_period_end": True})

    def stay(self) -> None:
        self._update({"cancel_at_period_end": False})

    def _update(self, params) -> None:
        self.shop.api.v1.subscriptions.update(self.subscription.id, params)

    def credit(self) -> None:
        self.shop.api.v1.customers.balance_transactions.create(
            self.customer.id, {"amount": -self.chance.randint(1, 9000), "currency": "usd"}
        )

    def cancel(self) -> None:
        if self.chance.random() < 0.3:
            self.shop.api.v1.subscriptions.cancel(
                self.subscription.id, {"prorate": True, "invoice_now": True}
            )


@pytest.mark.parametrize("seed", range(8))
def test_the_books_add_up(peer, shop, seed):
    customer = Customer(peer, shop, seed)
    for _ in range(STEPS):
        customer.step()
    _invoices_add_up(peer)
    _balances_add_up(peer)
    _subscriptions_make_sense(peer)


def _invoices_add_up(peer) -> None:
    charged = Counter()
    for each in peer.objects("charge"):
        if each["paid"]:
            charged[each["payment_intent"]] += each["amount"]
    paid = Counter()
    for each in peer.objects("invoice_payment"):
        if each["status"] == "paid" and each["payment"]["payment_intent"]:
            paid[each["invoice"]] += charged[each["payment"]["payment_intent"]]
    numbers = []
    for each in peer.objects("invoice"):
        if not each["lines"]["has_more"]:
            assert each["subtotal"] == sum(line["amount"] for line in each["lines"]["data"])
        off = sum(one["amount"] for one in each["total_discount_amounts"])
        assert each["total"] == each["subtotal"] - off
        if each["number"]:
            numbers.append(each["number"])
            used = (each["ending_balance"] or 0) - each["starting_balance"]
            assert each["amount_due"] == max(each["total"] - used, 0)
        if each["status"] == "paid":
            assert (each["amount_remaining"], each["amount_paid"]) == (0, each["amount_due"])
            assert paid[each["id"]] == each["amount_paid"]
        else:
            assert paid[each["id"]] == 0
    assert len(numbers) == len(set(numbers))
    assert numbers


def _balances_add_up(peer) -> None:
    moved = Counter()
    for each in peer.objects("customer_balance_transaction"):
        moved[each["customer"]] += each["amount"]
        assert each["ending_balance"] == moved[each["customer"]]
    for each in peer.objects("customer"):
        assert each["balance"] == moved[each["id"]]


def _subscriptions_make_sense(peer) -> None:
    for each in peer.objects("subscription"):
        (item,) = each["items"]["data"]
        start, end = item["current_period_start"], item["current_period_end"]
        recurring = item["price"]["recurring"]
        if each["status"] in {"active", "past_due", "unpaid"}:
            assert start <= peer.now() < end
            every = recurring["interval"], recurring["interval_count"]
            assert period_at(each["billing_cycle_anchor"], *every, start) == (start, end)
        if each["pending_update"]:
            invoice = peer.object(each["latest_invoice"])
            assert each["pending_update"]["expires_at"] > peer.now()
            assert invoice["status"] in {"open", "draft"}
