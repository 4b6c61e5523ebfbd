"""What operators do for a company that pays by card: the payment service is told."""

import pytest

from billing import clock, grants, outbox, paying
from billing.models import Payment
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid
from tenants.models import Company
from tests.billing.card.conftest import (
    account_of,
    bills_of,
    hear,
    live_of,
    pass_days,
    rent_by_card,
)
from tests.billing.conftest import state_of
from tests.conftest import NOON


def test_credit_note_is_made_there(card, company):
    rent_by_card(company, seats=2)
    bill = bills_of(company)[0]
    asked = {"invoice_id": bill.pk, "reason": "Too much", "by": "Olga", "at": NOON}
    with pytest.raises(Invalid, match="still holds"):
        paying.credit(**asked, amount=10_001)
    assert paying.credit(**asked, amount=4_000) is None
    outbox.send_due(at=NOON)
    (made,) = card.objects("credit_note")
    assert (made["amount"], made["invoice"]) == (4_000, bill.provider_id)
    assert bills_of(company)[0].credited == 4_000


def test_credit_is_given_there_and_used_there(card, company):
    rent_by_card(company, seats=2)
    key = account_of(company).pk
    with pytest.raises(Invalid, match="without an end"):
        grants.grant(account_id=key, amount=3_000, reason="Sorry", by="Olga", at=NOON,
                     expires_at=NOON.replace(year=2027))  # fmt: skip
    made = grants.grant(account_id=key, amount=3_000, reason="Sorry", by="Olga", at=NOON)
    assert made.left == 0
    outbox.send_due(at=NOON)
    pass_days(card, 32)
    newest = bills_of(company)[-1]
    assert (newest.total, newest.state) == (10_000, "paid")
    there = card.object(newest.provider_id)
    assert there["amount_paid"] == 7_000


def test_bill_that_was_paid_by_transfer_is_marked_there(card, company):
    rent_by_card(company, seats=2)
    card.settings(after_retries="past_due")
    card.decline(account_of(company).provider_id)
    at = pass_days(card, 32)
    bill = bills_of(company)[-1]
    given = {"account_id": account_of(company).pk, "received_on": at.date(), "reference": "T1",
             "by": "Olga", "at": at}  # fmt: skip
    for wrong in ({"amount": 9_000, "invoice_id": bill.pk}, {"amount": 10_000}):
        with pytest.raises(Invalid, match="just the amount"):
            paying.record_transfer(**given, **wrong)
    assert paying.record_transfer(**given, amount=10_000, invoice_id=bill.pk) is None
    outbox.send_due(at=at)
    assert (bills_of(company)[-1].state, state_of(company)) == ("paid", "active")


def test_money_of_the_payment_service_is_given_back_there(card, company):
    rent_by_card(company, seats=1)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        payment = Payment.objects.get(account=account_of(company))
    with pytest.raises(Conflict, match="give it back there"):
        paying.reverse(payment_id=payment.pk, reason="x", by="Olga", at=NOON)


def test_closed_company_is_not_charged_again(card, company):
    rent_by_card(company, seats=1)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=company.id).update(state="closed")
    clock.run(at=NOON)
    assert card.objects("subscription")[0]["cancel_at_period_end"] is True
    before = len(bills_of(company))
    pass_days(card, 40)
    assert (live_of(company), len(bills_of(company))) == (None, before)
    hear(card, at=NOON)
