"""What changes in the middle of a period cost: to the second, exactly, and as previewed."""

from fractions import Fraction

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stripe_peer.clock import after, period_at
from tests.stripe_peer.lines import rounded
from tests.stripe_peer.shop import DAY, Shop, items, period

ANY_FIXTURE = [HealthCheck.function_scoped_fixture]


def test_more_seats_are_charged_now_as_previewed(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(5000), 5)
    peer.advance(days=10, seconds=1)
    how = {"proration_behavior": "always_invoice", "proration_date": peer.now()}
    preview = shop.preview(subscription, 7, **how)
    peer.advance(seconds=90)  # the confirm comes later, with the same date
    invoice = shop.seats(subscription, 7, **how).latest_invoice
    assert invoice.amount_paid == preview.amount_due > 0
    told = [(each.description, each.amount) for each in invoice.lines.data]
    assert told == [(each.description, each.amount) for each in preview.lines.data]
    assert told[0][0] == "Unused time on 5 × Standard after 30 Nov 2026"
    assert told[1][0] == "Remaining time on 7 × Standard after 30 Nov 2026"
    assert all(each.parent.subscription_item_details.proration for each in invoice.lines.data)


def test_a_preview_changes_nothing(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(), 5)
    before, events = peer.object(subscription.id), shop.events()
    shop.preview(subscription, 9, proration_behavior="always_invoice")
    shop.preview(subscription, 9)
    assert (peer.object(subscription.id), shop.events()) == (before, events)
    assert len(shop.api.v1.invoices.list({"subscription": subscription.id}).data) == 1


def test_fewer_seats_become_credit_and_nothing_is_paid_out(peer, shop):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(3000), 4)
    peer.advance(days=15)
    invoice = shop.seats(subscription, 2, proration_behavior="always_invoice").latest_invoice
    assert (invoice.total, invoice.amount_due, invoice.status) == (-3000, 0, "paid")
    assert shop.api.v1.customers.retrieve(customer.id).balance == -3000


def test_prorations_wait_for_the_renewal_by_default(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(3000), 1)
    first = subscription.latest_invoice.id
    peer.advance(days=15)
    assert shop.seats(subscription, 3).latest_invoice.id == first
    seen = shop.api.v1.invoices.create_preview({"subscription": subscription.id})
    peer.advance(days=15, seconds=3600)
    renewal = shop.subscription(subscription.id).latest_invoice
    assert [each.amount for each in renewal.lines.data] == [-1500, 4500, 9000]
    assert renewal.amount_paid == seen.amount_due == 12000


def test_without_proration_the_new_number_counts_from_the_renewal(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(3000), 1)
    peer.advance(days=15)
    shop.seats(subscription, 3, proration_behavior="none")
    peer.advance(days=15, seconds=3600)
    renewal = shop.subscription(subscription.id).latest_invoice
    assert [each.amount for each in renewal.lines.data] == [9000]


def test_another_interval_begins_a_period_now_and_gives_back_the_old(peer, shop):
    customer, month = shop.customer(), shop.price(3000)
    subscription = shop.subscribe(customer, month)
    year = shop.api.v1.prices.create(
        {"product": month.product, "currency": "usd", "unit_amount": 30000,
         "recurring": {"interval": "year"}}
    )  # fmt: skip
    peer.advance(days=10)
    change = {"items": [{"id": items(subscription)[0].id, "price": year.id}]}
    seen = shop.api.v1.invoices.create_preview(
        {"subscription": subscription.id, "subscription_details": change}
    )
    changed = shop.api.v1.subscriptions.update(
        subscription.id, {**change, "expand": ["latest_invoice"]}
    )
    assert [each.amount for each in changed.latest_invoice.lines.data] == [-2000, 30000]
    assert changed.latest_invoice.amount_paid == seen.amount_due == 28000
    assert period(changed) == (peer.now(), after(peer.now(), "year", 1))
    assert items(changed)[0].id == items(subscription)[0].id


def test_an_anchor_of_now_begins_a_period_now(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(3000))
    peer.advance(days=10)
    changed = shop.api.v1.subscriptions.update(
        subscription.id, {"billing_cycle_anchor": {"type": "now"}, "expand": ["latest_invoice"]}
    )
    assert changed.billing_cycle_anchor == peer.now() == period(changed)[0]
    assert changed.latest_invoice.amount_paid == 1000


def test_a_proration_date_outside_the_period_is_refused(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(), 2)
    for date in (period(subscription)[0] - 1, period(subscription)[1] + 1):
        with pytest.raises(stripe.InvalidRequestError, match="outside of the current billing"):
            shop.seats(subscription, 3, proration_date=date)
    assert items(shop.subscription(subscription.id))[0].quantity == 2


def test_a_percentage_off_counts_in_prorations_too(peer, shop):
    coupon = shop.api.v1.coupons.create({"percent_off": 20, "duration": "forever"})
    subscription = shop.subscribe(
        shop.customer(), shop.price(3000), 2, discounts=[{"coupon": coupon.id}]
    )
    assert subscription.latest_invoice.amount_paid == 4800
    peer.advance(days=15)
    invoice = shop.seats(subscription, 4, proration_behavior="always_invoice").latest_invoice
    assert invoice.amount_paid == 2400


@settings(max_examples=25, deadline=None, suppress_health_check=ANY_FIXTURE)
@given(
    amount=st.integers(1, 999_999), before=st.integers(1, 400), now=st.integers(1, 400),
    second=st.integers(0, 30 * DAY), currency=st.sampled_from(["usd", "twd", "jpy"]),
)  # fmt: skip
def test_any_change_is_charged_as_previewed_and_exactly(
    peer_process, amount, before, now, second, currency
):
    peer_process.reset()
    shop = Shop(peer_process.stripe())
    subscription = shop.subscribe(shop.customer(), shop.price(amount, currency=currency), before)
    start, end = period(subscription)
    peer_process.advance(to=start + second)
    if start + second >= end:
        return
    how = {"proration_behavior": "always_invoice", "proration_date": start + second}
    seen = shop.preview(subscription, now, **how)
    changed = shop.seats(subscription, now, **how)
    left = Fraction(end - start - second, end - start)
    expected = [-rounded(amount * before * left), rounded(amount * now * left)]
    if before == now:
        expected = []
    else:
        assert changed.latest_invoice.total == seen.total == sum(expected)
        assert changed.latest_invoice.amount_due == seen.amount_due == max(sum(expected), 0)
        assert [each.amount for each in changed.latest_invoice.lines.data] == expected
    assert [each.amount for each in seen.lines.data][: len(expected)] == expected
    assert not peer_process.violations()


@given(st.integers(0, 4_000_000_000), st.sampled_from(["day", "week", "month", "year"]),
       st.integers(1, 12), st.integers(0, 400_000_000))  # fmt: skip
def test_periods_follow_one_another_without_gap(anchor, interval, count, later):
    start, end = period_at(anchor, interval, count, anchor + later)
    assert start <= anchor + later < end
    assert period_at(anchor, interval, count, end)[0] == end
    if start > anchor:
        assert period_at(anchor, interval, count, start - 1)[1] == start


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_halves_are_rounded_away_from_zero(amount, parts):
    found = rounded(Fraction(amount, parts))
    off = abs(Fraction(amount, parts)) - abs(found)
    assert -Fraction(1, 2) <= off < Fraction(1, 2)
