"""What time does: renewals, tries again, trials; on the peer's clock and on test clocks."""

import datetime as dt

import pytest
import stripe

from tests.stripe_peer.shop import DAY, items, period


def moment(year, month, day, hour=12) -> int:
    return int(dt.datetime(year, month, day, hour, tzinfo=dt.UTC).timestamp())


def test_a_renewal_is_billed_and_paid_an_hour_later(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(5000), 2)
    end = period(subscription)[1]
    peer.advance(to=end)
    draft = shop.subscription(subscription.id).latest_invoice
    assert (draft.status, draft.billing_reason) == ("draft", "subscription_cycle")
    assert draft.automatically_finalizes_at == end + 3600
    peer.advance(seconds=3600)
    renewed = shop.subscription(subscription.id)
    assert (renewed.latest_invoice.status, renewed.latest_invoice.amount_paid) == ("paid", 10000)
    assert period(renewed)[0] == end


def test_a_month_is_counted_from_the_anchor(peer, shop):
    peer.reset(at=moment(2027, 1, 31))
    subscription = shop.subscribe(shop.customer(), shop.price())
    ends = []
    for _ in range(4):
        ends.append(period(shop.subscription(subscription.id))[1])
        peer.advance(to=ends[-1])
    assert ends == [
        moment(2027, 2, 28), moment(2027, 3, 31), moment(2027, 4, 30), moment(2027, 5, 31),
    ]  # fmt: skip


def test_a_year_from_29_february_keeps_to_the_end_of_february(peer, shop):
    peer.reset(at=moment(2028, 2, 29))
    subscription = shop.subscribe(shop.customer(), shop.price(interval="year"))
    assert period(subscription)[1] == moment(2029, 2, 28)
    peer.advance(to=moment(2031, 3, 1))
    assert period(shop.subscription(subscription.id))[1] == moment(2032, 2, 29)


def test_years_of_months_pass_in_one_step(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(1000))
    peer.advance(days=3 * 365 + 2)
    found = shop.api.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data
    assert [each.total for each in found] == [1000] * 37
    numbers = [each.number.rpartition("-")[2] for each in found]
    assert numbers == [f"{number:04}" for number in range(37, 0, -1)]


@pytest.mark.parametrize("last", ["unpaid", "canceled", "past_due"])
def test_a_declined_renewal_is_tried_again_and_then_the_settings_decide(peer, shop, last):
    peer.settings(retry_days=[3, 5, 7], after_retries=last)
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    peer.decline(customer.id)
    peer.advance(to=period(subscription)[1] + 3600)
    late = shop.subscription(subscription.id)
    assert (late.status, late.latest_invoice.attempt_count) == ("past_due", 1)
    assert late.latest_invoice.next_payment_attempt == peer.now() + 3 * DAY
    peer.advance(days=15 - 1)
    assert shop.subscription(subscription.id).status == "past_due"
    peer.advance(days=1)
    ended = shop.subscription(subscription.id)
    assert (ended.status, ended.latest_invoice.attempt_count) == (last, 4)
    assert shop.events("invoice.payment_failed") == ["invoice.payment_failed"] * 4


def test_a_try_again_that_succeeds_makes_it_active(peer, shop):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    peer.decline(customer.id, "insufficient_funds")
    peer.advance(to=period(subscription)[1] + 3600)
    (intent,) = shop.api.v1.invoice_payments.list(
        {"invoice": shop.subscription(subscription.id).latest_invoice.id,
         "expand": ["data.payment.payment_intent"]}
    ).data  # fmt: skip
    failed = intent.payment.payment_intent.last_payment_error
    assert (failed.code, failed.decline_code) == ("card_declined", "insufficient_funds")
    peer.decline(customer.id, None)
    peer.advance(days=3)
    found = shop.subscription(subscription.id)
    assert (found.status, found.latest_invoice.status) == ("active", "paid")


def test_an_unpaid_subscription_is_billed_on_but_not_charged(peer, shop):
    peer.settings(retry_days=[])
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    peer.decline(customer.id)
    peer.advance(days=31)
    assert shop.subscription(subscription.id).status == "unpaid"
    peer.decline(customer.id, None)
    peer.advance(days=31)
    assert shop.subscription(subscription.id).latest_invoice.status == "draft"
    (late,) = shop.api.v1.invoices.list({"customer": customer.id, "status": "open"}).data
    shop.api.v1.invoices.pay(late.id)
    assert shop.subscription(subscription.id).status == "active"


def test_it_is_active_again_only_when_nothing_is_late(peer, shop):
    peer.settings(retry_days=[], after_retries="past_due")
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price())
    peer.decline(customer.id)
    peer.advance(days=62)
    peer.decline(customer.id, None)
    late = shop.api.v1.invoices.list({"customer": customer.id, "status": "open"}).data
    told = []
    for each in late:
        shop.api.v1.invoices.pay(each.id)
        told.append(shop.subscription(subscription.id).status)
    assert told == ["past_due", "active"]


def test_a_trial_is_announced_and_then_charged(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(5000), trial_period_days=14)
    assert (subscription.status, subscription.latest_invoice.total) == ("trialing", 0)
    assert period(subscription)[1] == subscription.trial_end == peer.now() + 14 * DAY
    peer.advance(days=11)
    assert "customer.subscription.trial_will_end" in shop.events()
    peer.advance(days=3, seconds=3600)
    begun = shop.subscription(subscription.id)
    assert (begun.status, begun.latest_invoice.amount_paid) == ("active", 5000)


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")],
)
def test_a_trial_without_a_card_ends_as_its_settings_say(peer, shop, behavior, status):
    subscription = shop.subscribe(
        shop.customer(card=None), shop.price(), trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": behavior}},
    )  # fmt: skip
    peer.advance(days=7, seconds=3600)
    assert shop.subscription(subscription.id).status == status


def test_a_paused_subscription_is_resumed_with_a_new_period(peer, shop):
    customer = shop.customer(card=None)
    subscription = shop.subscribe(
        customer, shop.price(5000), trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )  # fmt: skip
    peer.advance(days=20)
    paused = shop.subscription(subscription.id)
    reason = paused.status_details.paused.subscription.type
    assert reason == "trial_end_without_payment_method"
    shop.give_card(customer.id, "pm_card_visa")
    shop.api.v1.subscriptions.resume(subscription.id)
    resumed = shop.subscription(subscription.id)
    assert (resumed.status, resumed.latest_invoice.amount_paid) == ("active", 5000)
    assert period(resumed)[0] == peer.now()


def test_a_trial_can_end_now(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price(5000), trial_period_days=14)
    peer.advance(days=2)
    begun = shop.api.v1.subscriptions.update(
        subscription.id, {"trial_end": "now", "expand": ["latest_invoice"]}
    )
    assert (begun.status, begun.latest_invoice.amount_paid) == ("active", 5000)
    assert period(begun)[0] == peer.now()


def test_discounts_last_as_long_as_their_coupon_says(peer, shop):
    make = shop.api.v1.coupons.create
    coupons = [
        make({"percent_off": 50, "duration": "once"}),
        make({"amount_off": 500, "currency": "usd", "duration": "repeating",
              "duration_in_months": 2}),
    ]  # fmt: skip
    subscription = shop.subscribe(
        shop.customer(), shop.price(4000), discounts=[{"coupon": each.id} for each in coupons]
    )
    peer.advance(days=95)
    found = shop.api.v1.invoices.list({"subscription": subscription.id}).data
    assert [each.total for each in found][::-1] == [1500, 3500, 4000, 4000]


def test_collection_can_be_paused(peer, shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    shop.api.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    peer.advance(days=31)
    found = shop.subscription(subscription.id)
    assert (found.status, found.latest_invoice.status) == ("active", "void")


def test_a_test_clock_moves_only_its_own_customers(peer, shop):
    clock = shop.api.v1.test_helpers.test_clocks.create({"frozen_time": moment(2027, 1, 31)})
    inside, outside = shop.customer(test_clock=clock.id), shop.customer()
    price = shop.price()
    moved, still = shop.subscribe(inside, price), shop.subscribe(outside, price)
    assert (moved.created, moved.test_clock) == (moment(2027, 1, 31), clock.id)
    advance = shop.api.v1.test_helpers.test_clocks.advance
    assert advance(clock.id, {"frozen_time": moment(2027, 3, 1)}).status == "advancing"
    assert shop.api.v1.test_helpers.test_clocks.retrieve(clock.id).status == "ready"
    assert period(shop.subscription(moved.id)) == (moment(2027, 2, 28), moment(2027, 3, 31))
    assert period(shop.subscription(still.id)) == period(still)
    assert [each.id for each in shop.api.v1.subscriptions.list().data] == [still.id]
    (found,) = shop.api.v1.subscriptions.list({"test_clock": clock.id}).data
    assert found.id == moved.id
    with pytest.raises(stripe.InvalidRequestError, match="after the current"):
        advance(clock.id, {"frozen_time": moment(2027, 2, 1)})


# -- schedules -----------------------------------------------------------------------------------


def schedule_seats(shop, subscription, price, now: int, later: int):
    """Have the number change at the end of the period."""
    made = shop.api.v1.subscription_schedules.create({"from_subscription": subscription.id})
    running = made.phases[0]
    return shop.api.v1.subscription_schedules.update(
        made.id,
        {"end_behavior": "release", "phases": [
            {"start_date": running.start_date, "end_date": running.end_date,
             "items": [{"price": price.id, "quantity": now}]},
            {"items": [{"price": price.id, "quantity": later}], "proration_behavior": "none"},
        ]},
    )  # fmt: skip


def test_a_scheduled_removal_happens_at_the_renewal(peer, shop):
    price = shop.price(5000)
    subscription = shop.subscribe(shop.customer(), price, 7)
    schedule = schedule_seats(shop, subscription, price, 7, 4)
    assert shop.subscription(subscription.id).schedule == schedule.id
    assert shop.api.v1.invoices.create_preview({"subscription": subscription.id}).total == 20000
    peer.advance(to=period(subscription)[1] + 3600)
    fewer = shop.subscription(subscription.id)
    assert items(fewer)[0].id == items(subscription)[0].id
    assert (items(fewer)[0].quantity, fewer.latest_invoice.amount_paid) == (4, 20000)
    peer.advance(days=31)
    released = shop.api.v1.subscription_schedules.retrieve(schedule.id)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    assert shop.subscription(subscription.id).schedule is None
    assert items(shop.subscription(subscription.id))[0].quantity == 4


def test_a_released_schedule_changes_nothing(peer, shop):
    price = shop.price(5000)
    subscription = shop.subscribe(shop.customer(), price, 7)
    schedule = schedule_seats(shop, subscription, price, 7, 4)
    shop.api.v1.subscription_schedules.release(schedule.id)
    peer.advance(to=period(subscription)[1] + 3600)
    assert items(shop.subscription(subscription.id))[0].quantity == 7
    with pytest.raises(stripe.InvalidRequestError, match="`released` status"):
        shop.api.v1.subscription_schedules.release(schedule.id)


def test_a_subscription_has_one_schedule(shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    make = shop.api.v1.subscription_schedules.create
    make({"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        make({"from_subscription": subscription.id})


def test_the_running_phase_must_be_named(shop):
    price = shop.price()
    subscription = shop.subscribe(shop.customer(), price)
    made = shop.api.v1.subscription_schedules.create({"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError, match="current phase"):
        shop.api.v1.subscription_schedules.update(
            made.id, {"phases": [{"items": [{"price": price.id, "quantity": 2}]}]}
        )


def test_a_schedule_can_move_to_a_yearly_price(peer, shop):
    month, year = shop.price(3000), shop.price(30000, interval="year")
    subscription = shop.subscribe(shop.customer(), month, 2)
    made = shop.api.v1.subscription_schedules.create({"from_subscription": subscription.id})
    running = made.phases[0]
    shop.api.v1.subscription_schedules.update(made.id, {"phases": [
        {"start_date": running.start_date, "end_date": running.end_date,
         "items": [{"price": month.id, "quantity": 2}]},
        {"items": [{"price": year.id, "quantity": 2}]},
    ]})  # fmt: skip
    peer.advance(to=running.end_date + 3600)
    moved = shop.subscription(subscription.id)
    assert moved.latest_invoice.amount_paid == 60000
    assert period(moved)[1] - period(moved)[0] == 365 * DAY


def test_cancelling_a_schedule_ends_its_subscription(shop):
    subscription = shop.subscribe(shop.customer(), shop.price())
    made = shop.api.v1.subscription_schedules.create({"from_subscription": subscription.id})
    assert shop.api.v1.subscription_schedules.cancel(made.id).status == "canceled"
    assert shop.subscription(subscription.id).status == "canceled"


def test_a_phase_that_ends_within_a_period_is_prorated(peer, shop):
    price = shop.price(3000)
    subscription = shop.subscribe(shop.customer(), price, 2)
    made = shop.api.v1.subscription_schedules.create({"from_subscription": subscription.id})
    start = made.phases[0].start_date
    shop.api.v1.subscription_schedules.update(made.id, {"phases": [
        {"start_date": start, "end_date": start + 15 * DAY,
         "items": [{"price": price.id, "quantity": 2}]},
        {"items": [{"price": price.id, "quantity": 4}]},
    ]})  # fmt: skip
    peer.advance(days=30, seconds=3600)
    renewal = shop.subscription(subscription.id).latest_invoice
    assert [each.amount for each in renewal.lines.data] == [-3000, 6000, 12000]
