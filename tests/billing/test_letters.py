"""Letters about money: each once to each reader, with the right figures, days and way to pay."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251  the fault is about threads

import pytest
from django.core import mail as outbox
from django.db import connections

from billing import clock, erasing, letters, paying, subscribing
from billing.models import Account, Invoice, Letter
from billing.proration import after
from crm_platform.identity.models import OutgoingMail
from crm_platform.identity.services import mail
from crm_platform.kernel import tenancy
from tenants.lifecycle import clock as life
from tenants.models import Company
from tests.billing.conftest import owner_of, rent, state_of
from tests.conftest import NOON

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


def mails_to(address):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = OutgoingMail.objects.filter(to=address).order_by("pk")
        return [(row.subject, row.body) for row in rows]


@pytest.fixture
def mails(trial):
    """`mails()` → (subject, body) of what billing wrote to the owner since it was last asked."""
    address, seen = owner_of(trial).email, set()

    def new():
        with tenancy.unit_of_work(tenancy.PLATFORM):
            ours = Letter.objects.filter(to=address).exclude(key__in=seen).order_by("pk")
            found = list(ours.values_list("key", "delivery_id"))
            seen.update(key for key, _id in found)
            rows = [OutgoingMail.objects.get(delivery_id=each) for _key, each in found]
            return [(row.subject, row.body) for row in rows]

    return new


def account(scope) -> Account:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Account.objects.get(company_id=scope.id)


def change_account(scope, **facts):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Account.objects.filter(company_id=scope.id).update(**facts)


def pay(scope, amount, *, at, reference="T-7"):
    paying.record_transfer(
        account_id=account(scope).pk, amount=amount, received_on=at.date(), reference=reference,
        by="Olga", at=at,
    )  # fmt: skip


def test_new_bill_goes_once_with_what_to_pay_and_until_when(trial, mails):
    rent(trial, seats=5)
    letters.write_waiting(at=NOON)
    letters.write_waiting(at=NOON + HOUR)
    [(subject, body)] = mails()
    assert "US$250.00" in subject
    assert "Hello Ann Owner," in body
    assert "Please pay US$250.00 by December 4, 2026" in body
    assert "/settings/billing/" in body


def test_bank_account_of_the_seller_stands_in_it(trial, mails, settings):
    seller = {**settings.BILLING["seller"], "bank": "First Bank 123-456"}
    settings.BILLING = {**settings.BILLING, "seller": seller}
    rent(trial, seats=5)
    letters.write_waiting(at=NOON)
    [(_subject, body)] = mails()
    assert "First Bank 123-456" in body


def test_account_with_an_address_is_written_to_there_in_its_language(trial, mails):
    rent(trial, seats=5)
    address = f"bills-{trial.slug}@example.com"
    change_account(trial, email=address, language="zh-hant")
    letters.write_waiting(at=NOON)
    assert mails() == []
    [(subject, body)] = mails_to(address)
    assert "US$250.00" in subject
    assert "2026年12月4日" in body
    assert "帳單" in subject or "發票" in subject


def test_bill_itself_goes_with_the_mail_as_pdf(trial, mails):
    rent(trial, seats=5)
    letters.write_waiting(at=NOON)
    address = owner_of(trial).email
    with tenancy.unit_of_work(tenancy.PLATFORM):
        letter = Letter.objects.get(to=address)
        OutgoingMail.objects.exclude(delivery_id=letter.delivery_id).update(sent_at=NOON)
        number = Invoice.objects.get(pk=letter.invoice_id).number
    with tenancy.choose(tenancy.PLATFORM):
        assert mail.send_waiting(at=NOON) == 1
    [sent] = [each for each in outbox.outbox if number in each.subject]
    [(name, content, kind)] = sent.attachments
    assert (name, kind) == (f"{number}.pdf", "application/pdf")
    assert content.startswith(b"%PDF-")


def test_payment_is_receipted_with_what_is_left(trial, mails):
    rent(trial, seats=5)
    letters.write_waiting(at=NOON)
    mails()
    pay(trial, 10_000, at=NOON + HOUR)
    letters.write_waiting(at=NOON + HOUR)
    [(subject, body)] = mails()
    assert "US$100.00" in subject
    assert "T-7" in body
    assert "Still to be paid: US$150.00." in body
    pay(trial, 20_000, at=NOON + 2 * HOUR, reference="T-8")
    letters.write_waiting(at=NOON + 2 * HOUR)
    [(_subject, body)] = mails()
    assert "Nothing is to be paid any more." in body
    assert "US$50.00 is kept as balance" in body


def test_unpaid_bill_is_told_late_then_before_read_only_then_before_suspended(trial, mails):
    rent(trial, seats=5)
    told = []
    for days in range(60):
        at = NOON + days * DAY
        clock.run(at=at)
        life.run(at=at)
        letters.write_waiting(at=at)
        told += [(days, subject) for subject, _body in mails()]
    # The second period's bill comes on day 30 and falls due on day 44.
    kinds = [
        (days, "overdue" if "overdue" in s else "stopping" if " on " in s else "bill")
        for days, s in told
    ]
    assert [k for k in kinds if k[1] == "overdue"] == [(14, "overdue"), (44, "overdue")]
    assert [days for days, kind in kinds if kind == "stopping"] == [25, 55]
    assert [days for days, kind in kinds if kind == "bill"] == [0, 30]
    assert state_of(trial) == "suspended"


def test_letter_before_read_only_lists_what_is_open_and_the_day(trial, mails):
    rent(trial, seats=5)
    clock.run(at=NOON + 14 * DAY)
    letters.write_waiting(at=NOON + 14 * DAY)
    [(late, late_body)] = [each for each in mails() if "overdue" in each[0]]
    assert "US$250.00 of it is open" in late_body
    assert "it becomes read-only" in late_body
    assert late
    at = NOON + 26 * DAY
    letters.write_waiting(at=at)
    [(subject, body)] = mails()
    assert "becomes read-only on" in subject
    assert "due on December 4, 2026: US$250.00" in body
    pay(trial, 25_000, at=at)
    letters.write_waiting(at=at + DAY)
    [(receipt, _body)] = mails()
    assert receipt.startswith("Payment received")


def test_trial_that_ends_soon_says_what_going_on_costs(trial, mails):
    until = NOON + 30 * DAY
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=trial.id).update(state_until=until)
    letters.write_waiting(at=until - 4 * DAY)
    assert mails() == []
    for hours in (72, 48, 1):
        letters.write_waiting(at=until - hours * HOUR)
    [(subject, body)] = mails()
    assert "trial" in subject
    assert "US$50.00 per user and month × 1 user in use = US$50.00" in body
    assert "nothing is charged by itself" in body


def test_cancellation_is_confirmed_with_its_day_unless_taken_back(trial, mails):
    rent(trial, seats=5)
    letters.write_waiting(at=NOON)
    mails()
    subscribing.cancel(company_id=trial.id, reason="", by="Ann", at=NOON + HOUR)
    subscribing.resume(company_id=trial.id, by="Ann", at=NOON + HOUR)
    letters.write_waiting(at=NOON + HOUR)
    assert mails() == []
    subscribing.cancel(company_id=trial.id, reason="", by="Ann", at=NOON + 8 * DAY)
    for hours in (0, 1):
        letters.write_waiting(at=NOON + 8 * DAY + hours * HOUR)
    [(subject, body)] = mails()
    assert "is rented until Dec. 20, 2026" in subject or "is rented until" in subject
    assert "your cancellation is confirmed" in body
    assert "30 days afterwards" in body


def test_many_workers_at_once_write_each_letter_once(trial, mails):
    rent(trial, seats=5)

    def work(_number):
        try:
            return letters.write_waiting(at=NOON)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(mails()) == 1


def test_what_is_a_week_old_is_not_told_any_more(trial, mails):
    rent(trial, seats=5)
    letters.write_waiting(at=NOON + letters.NO_NEWS_AFTER)
    assert mails() == []


def test_renewal_is_billed_and_written_of(trial, mails):
    rent(trial, seats=5)
    at = after(NOON, "month")
    clock.run(at=at)
    letters.write_waiting(at=at)
    subjects = [subject for subject, _body in mails()]
    assert len([each for each in subjects if each.startswith("Invoice")]) == 1


def test_bill_that_the_balance_paid_asks_for_nothing(trial, mails):
    rent(trial, seats=1)
    pay(trial, 20_000, at=NOON)
    letters.write_waiting(at=NOON)
    mails()
    at = after(NOON, "month")
    clock.run(at=at)
    letters.write_waiting(at=at)
    [(_subject, body)] = mails()
    assert "Nothing is to be paid." in body
    assert "transfer" not in body


def test_erased_company_leaves_no_address(trial):
    rent(trial, seats=5)
    letters.write_waiting(at=NOON)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Letter.objects.filter(company_id=trial.id).exists()
        erasing.forget_company(company_id=trial.id)
        assert not Letter.objects.filter(company_id=trial.id).exists()


def test_mail_without_a_letter_has_no_file(database):
    assert letters.files_of(tenancy.PLATFORM.id) == []
