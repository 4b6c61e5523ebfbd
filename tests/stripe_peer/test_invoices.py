"""Invoices, credit notes, refunds and what is on them."""

import pytest
import stripe

BILL = {"collection_method": "send_invoice", "days_until_due": 30}


@pytest.fixture
def bill(peer, shop):
    """An open bill of 100.00, not to be charged to a card."""
    subscription = shop.subscribe(shop.customer(), shop.price(5000), 2, **BILL)
    peer.advance(seconds=3600)
    return shop.subscription(subscription.id).latest_invoice


def test_a_draft_is_made_final_and_sent_by_hand(shop):
    draft = shop.subscribe(shop.customer(), shop.price(5000), 2, **BILL).latest_invoice
    assert (draft.status, draft.number) == ("draft", None)
    final = shop.api.v1.invoices.finalize_invoice(draft.id)
    assert (final.status, final.amount_due) == ("open", 10000)
    assert final.hosted_invoice_url
    shop.api.v1.invoices.send_invoice(draft.id)
    assert "invoice.sent" in shop.events()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.v1.invoices.finalize_invoice(draft.id)
    assert refused.value.code == "invoice_not_editable"


def test_a_bank_transfer_pays_out_of_band(shop, bill):
    paid = shop.api.v1.invoices.pay(bill.id, {"paid_out_of_band": True, "expand": ["payments"]})
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 10000, 0)
    kinds = {each.payment.type: each.status for each in paid.payments.data}
    assert kinds == {"payment_record": "paid", "payment_intent": "canceled"}
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        shop.api.v1.invoices.pay(bill.id)


def test_an_open_invoice_is_voided_once(shop, bill):
    assert shop.api.v1.invoices.void_invoice(bill.id).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="isn't open"):
        shop.api.v1.invoices.void_invoice(bill.id)


def test_an_uncollectible_invoice_can_still_be_paid(shop, bill):
    assert shop.api.v1.invoices.mark_uncollectible(bill.id).status == "uncollectible"
    assert shop.api.v1.invoices.pay(bill.id).status == "paid"


def test_invoices_are_found_by_customer_subscription_and_status(shop, bill):
    other = shop.subscribe(shop.customer(), shop.price()).latest_invoice
    listing = shop.api.v1.invoices.list
    assert [each.id for each in listing().data] == [other.id, bill.id]
    assert [each.id for each in listing({"status": "open"}).data] == [bill.id]
    assert [each.id for each in listing({"customer": bill.customer}).data] == [bill.id]
    whose = bill.parent.subscription_details.subscription
    assert [each.id for each in listing({"subscription": whose}).data] == [bill.id]
    assert listing({"created": {"gte": bill.created + 7200}}).data == []
    assert [each.amount for each in shop.api.v1.invoices.line_items.list(bill.id).data] == [10000]


def test_one_time_items_wait_for_an_invoice(shop):
    customer = shop.customer()
    shop.api.v1.invoice_items.create({"customer": customer.id, "amount": 700, "currency": "usd"})
    made = shop.api.v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    )
    assert (made.status, made.total) == ("draft", 700)
    assert shop.api.v1.invoices.pay(made.id).status == "paid"
    assert shop.api.v1.invoice_items.list({"pending": True}).data == []


# -- credit notes and refunds --------------------------------------------------------------------


def test_a_credit_note_lessens_what_is_open(shop, bill):
    note = shop.api.v1.credit_notes.create({"invoice": bill.id, "amount": 2500, "memo": "sorry"})
    assert (note.type, note.total, note.number) == ("pre_payment", 2500, f"{bill.number}-CN-01")
    left = shop.api.v1.invoices.retrieve(bill.id)
    assert (left.amount_remaining, left.pre_payment_credit_notes_amount) == (7500, 2500)
    shop.api.v1.credit_notes.create({"invoice": bill.id, "amount": 7500})
    assert shop.api.v1.invoices.retrieve(bill.id).status == "paid"
    with pytest.raises(stripe.InvalidRequestError):
        shop.api.v1.credit_notes.create({"invoice": bill.id, "amount": 1})


def test_a_credit_note_on_a_paid_invoice_says_where_the_money_goes(shop):
    customer = shop.customer()
    invoice = shop.subscribe(customer, shop.price(5000), 2).latest_invoice
    with pytest.raises(stripe.InvalidRequestError, match="must equal"):
        shop.api.v1.credit_notes.create({"invoice": invoice.id, "amount": 2500})
    seen = shop.api.v1.credit_notes.preview(
        {"invoice": invoice.id, "amount": 2500, "credit_amount": 2500}
    )
    note = shop.api.v1.credit_notes.create(
        {"invoice": invoice.id, "amount": 2500, "credit_amount": 1500, "refund_amount": 1000}
    )
    assert note.total == seen.total == 2500
    assert shop.api.v1.customers.retrieve(customer.id).balance == -1500
    assert note.refunds[0].amount_refunded == 1000
    assert [each.id for each in shop.api.v1.credit_notes.list({"invoice": invoice.id}).data] == [
        note.id
    ]
    with pytest.raises(stripe.InvalidRequestError, match="7500 left"):
        shop.api.v1.credit_notes.create(
            {"invoice": invoice.id, "amount": 7501, "credit_amount": 7501}
        )


def test_a_credit_note_of_a_line_takes_its_share(shop, bill):
    note = shop.api.v1.credit_notes.create(
        {"invoice": bill.id, "lines": [
            {"type": "invoice_line_item", "invoice_line_item": bill.lines.data[0].id,
             "quantity": 1},
        ]}
    )  # fmt: skip
    assert (note.total, note.lines.data[0].invoice_line_item) == (5000, bill.lines.data[0].id)


def test_a_voided_credit_note_is_owed_again(shop, bill):
    note = shop.api.v1.credit_notes.create({"invoice": bill.id, "amount": 2500})
    assert shop.api.v1.credit_notes.void_credit_note(note.id).status == "void"
    assert shop.api.v1.invoices.retrieve(bill.id).amount_remaining == 10000


def test_a_refund_gives_back_no_more_than_was_paid(shop):
    invoice = shop.subscribe(shop.customer(), shop.price(5000)).latest_invoice
    (payment,) = shop.api.v1.invoice_payments.list({"invoice": invoice.id}).data
    intent = payment.payment.payment_intent
    assert shop.api.v1.refunds.create({"payment_intent": intent, "amount": 2000}).amount == 2000
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        shop.api.v1.refunds.create({"payment_intent": intent, "amount": 3001})
    assert shop.api.v1.refunds.create({"payment_intent": intent}).amount == 3000
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"
    assert shop.events("charge.refunded") == ["charge.refunded"] * 2


# -- coupons -------------------------------------------------------------------------------------


def test_a_promotion_code_is_redeemed_as_often_as_it_says(shop):
    coupon = shop.api.v1.coupons.create({"percent_off": 25, "duration": "forever"})
    code = shop.api.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "FIRST",
         "max_redemptions": 1}
    )  # fmt: skip
    (found,) = shop.api.v1.promotion_codes.list({"code": "first", "active": True}).data
    subscription = shop.subscribe(
        shop.customer(), shop.price(4000), discounts=[{"promotion_code": found.id}]
    )
    assert subscription.latest_invoice.amount_paid == 3000
    (discount,) = subscription.latest_invoice.total_discount_amounts
    assert discount.amount == 1000
    with pytest.raises(stripe.InvalidRequestError, match="cannot be redeemed"):
        shop.subscribe(shop.customer(), shop.price(), discounts=[{"promotion_code": code.id}])


def test_a_coupon_that_ran_out_is_refused(peer, shop):
    coupon = shop.api.v1.coupons.create(
        {"amount_off": 500, "currency": "usd", "redeem_by": peer.now() + 60}
    )
    peer.advance(seconds=61)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.subscribe(shop.customer(), shop.price(), discounts=[{"coupon": coupon.id}])
    assert refused.value.code == "coupon_expired"


def test_a_deleted_coupon_goes_on_where_it_was_redeemed(peer, shop):
    coupon = shop.api.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    subscription = shop.subscribe(
        shop.customer(), shop.price(4000), discounts=[{"coupon": coupon.id}]
    )
    shop.api.v1.coupons.delete(coupon.id)
    peer.advance(days=31)
    assert shop.subscription(subscription.id).latest_invoice.amount_paid == 2000
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
        shop.subscribe(shop.customer(), shop.price(), discounts=[{"coupon": coupon.id}])


def test_discounts_are_taken_away_with_an_empty_text(peer, shop):
    coupon = shop.api.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    subscription = shop.subscribe(
        shop.customer(), shop.price(4000), discounts=[{"coupon": coupon.id}]
    )
    changed = shop.api.v1.subscriptions.update(subscription.id, {"discounts": ""})
    assert changed.discounts == []
    peer.advance(days=31)
    assert shop.subscription(subscription.id).latest_invoice.amount_paid == 4000
