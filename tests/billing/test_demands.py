"""Demands 6 and 8 of the reference: the clock as a table of states; currencies, numbers, PDF."""

import datetime as dt
from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics

from billing import clock, invoicing, paying, pdf, subscribing
from billing.models import Account, Invoice, Subscription
from billing.pdf import invoice_pdf
from billing.proration import Period, after, prorated
from billing.standing import invoice_of
from crm_platform.kernel import tenancy
from tenants.lifecycle import clock as life
from tenants.models import Company
from tests.billing.conftest import price, rent, state_of
from tests.billing.pdf_text import lines_of
from tests.conftest import NOON

DAY = dt.timedelta(days=1)
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def alone(trial):
    """The trial company; no other one rents, so that the clock has nothing else to do."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        others = Subscription.objects.exclude(account__company_id=trial.id)
        others.filter(ended_at=None).update(ended_at=NOON)
    return trial


# -- demand 6: what time does --------------------------------------------------------------------


def pay_all(scope, at):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account = Account.objects.get(company_id=scope.id)
        open_bills = account.invoices.filter(state=Invoice.State.OPEN)
        amount = sum(invoicing.owed(bill) for bill in open_bills)
    paying.record_transfer(
        account_id=account.pk, amount=amount, received_on=at.date(), reference=f"T{at:%m%d}",
        by="Olga", at=at,
    )  # fmt: skip


ACTS = {
    "rent": lambda scope, at: rent(scope, seats=2, at=at),
    "pay": pay_all,
    "cancel": lambda scope, at: subscribing.cancel(company_id=scope.id, reason="", by="Ann", at=at),
    "resume": lambda scope, at: subscribing.resume(company_id=scope.id, by="Ann", at=at),
}
TABLE = {
    # name: ({day: acts of the morning}, [(day, state from the evening of that day on)])
    "trial ends, nobody rents, somebody does at last": (
        {60: "rent"},
        [(0, "trial"), (14, "past_due"), (21, "read_only"), (51, "suspended"), (60, "active")],
    ),
    "paid on time": (
        {0: "rent", 5: "pay", 35: "pay", 65: "pay"},
        [(0, "active")],
    ),
    "never paid": (
        {0: "rent"},
        [(0, "active"), (14, "past_due"), (28, "read_only"), (58, "suspended"), (88, "closed")],
    ),
    "paid in the days of grace": (
        {0: "rent", 20: "pay", 40: "pay"},
        [(0, "active"), (14, "past_due"), (20, "active")],
    ),
    "paid when read-only": (
        {0: "rent", 35: "pay"},
        [(0, "active"), (14, "past_due"), (28, "read_only"), (35, "active"), (75, "past_due")],
    ),
    "paid when suspended": (
        {0: "rent", 70: "pay"},
        [(0, "active"), (14, "past_due"), (28, "read_only"), (58, "suspended"), (70, "active")],
    ),
    "cancelled, paid, over": (
        {0: "rent", 3: "pay", 4: "cancel"},
        [(0, "active"), (30, "read_only"), (60, "suspended")],
    ),
    "cancelled and taken back": (
        {0: "rent", 3: "pay", 4: "cancel", 6: "resume", 31: "pay", 62: "pay"},
        [(0, "active")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_demand_06_table_of_states(alone, name):
    acts, expected = TABLE[name]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=alone.id).update(state_until=NOON + 14 * DAY)
    seen = []
    for day in range(max(*acts, expected[-1][0]) + 10):
        at = NOON + day * DAY
        if day in acts:
            ACTS[acts[day]](alone, at)
        clock.run(at=at)
        life.run(at=at)
        if not seen or seen[-1][1] != state_of(alone):
            seen.append((day, state_of(alone)))
    assert seen == expected


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("anchor", "interval", "ends"),
    [(utc(2027, 1, 31, 9, 30), "month", [(2027, 2, 28), (2027, 3, 31), (2027, 4, 30)]),
     (utc(2028, 1, 31), "month", [(2028, 2, 29), (2028, 3, 31)]),
     (utc(2028, 2, 29, 23, 59), "month", [(2028, 3, 29), (2028, 4, 29)]),
     (utc(2028, 2, 29), "year", [(2029, 2, 28), (2030, 2, 28), (2031, 2, 28), (2032, 2, 29)]),
     # Clocks change in Europe on 28 March 2027, in America on 14 March: a period does not.
     (utc(2027, 3, 14, 6, 59), "month", [(2027, 4, 14), (2027, 5, 14)]),
     (utc(2027, 3, 28, 0, 59), "month", [(2027, 4, 28)]),
     (utc(2027, 10, 31, 0, 30), "month", [(2027, 11, 30), (2027, 12, 31)])],
)  # fmt: skip
def test_demand_06_renewals_keep_their_day_and_second(alone, anchor, interval, ends):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=alone.id).update(time_zone="Europe/Berlin")
    rent(alone, seats=1, at=anchor, interval=interval)
    seen = []
    for count in range(1, len(ends) + 1):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            live = subscribing.live(alone.id)
        seen.append((live.period_end.year, live.period_end.month, live.period_end.day))
        assert live.period_end.timetz() == anchor.timetz()
        assert clock.run(at=live.period_end - dt.timedelta(seconds=1))["renewed"] == 0
        assert clock.run(at=live.period_end)["renewed"] == 1
        with tenancy.unit_of_work(tenancy.PLATFORM):
            bills = list(Invoice.objects.filter(account__company_id=alone.id).order_by("pk"))
        assert len(bills) == count + 1
        assert bills[-1].period_start == bills[-2].period_end
        assert {bill.net for bill in bills} == {5000 if interval == "month" else 50_000}
    assert seen == ends


def test_demand_06_a_seat_added_where_clocks_change_is_paid_by_true_seconds(alone):
    anchor = utc(2027, 3, 1)
    rent(alone, seats=1, at=anchor)
    month = Period(anchor, after(anchor, "month"))
    assert month.seconds == 31 * 86_400
    at = utc(2027, 3, 28, 1, 0)  # two o'clock in Berlin becomes three
    quote, _sealed = subscribing.quote_seats(company_id=alone.id, seats=2, at=at)
    wanted = prorated(unit_amount=5000, seats=1, period=month, at=at, currency="USD")
    assert quote.due_now.total == wanted == 638  # 50 × 342,000 ÷ 2,678,400 seconds


# -- demand 8: currencies and the Chinese PDF ----------------------------------------------------


@pytest.mark.parametrize(
    ("code", "unit", "month", "added"),
    # two seats a month; then one more with ten of thirty days left
    [("USD", 5000, 10_000, 1667), ("TWD", 160_000, 320_000, 53_300), ("JPY", 7500, 15_000, 2500)],
)
def test_demand_08_currencies_are_billed_in_their_own_steps(alone, code, unit, month, added):
    at = NOON + 20 * DAY
    rent(alone, seats=2, currency=code)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        live = subscribing.live(alone.id)
    assert (live.period_end - live.period_start).days == 30
    _quote, sealed = subscribing.quote_seats(company_id=alone.id, seats=3, at=at)
    subscribing.accept(company_id=alone.id, quote=sealed, by="Ann", at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        bills = Invoice.objects.filter(account__company_id=alone.id).order_by("pk")
        totals = list(bills.values_list("currency", "total"))
    assert totals == [(code, month), (code, added)]
    assert live.price.unit_amount == unit
    assert price(currency=code) == live.price_id


@pytest.fixture
def readers_font(settings):
    """Chinese in the PDF reader's own font, whose text can be read back."""
    fonts = pdfmetrics._fonts
    kept = fonts.pop(pdf.EMBEDDED, None)
    settings.PDF_FONT = "/nowhere.ttf"
    yield
    fonts.pop(pdf.EMBEDDED, None)
    if kept is not None:
        fonts[pdf.EMBEDDED] = kept


@pytest.mark.parametrize(
    ("language", "code"), [("zh-hant", "TWD"), ("zh-hans", "CNY"), ("en", "USD"), ("en", "JPY")]
)
def test_demand_08_invoice_reads_as_the_golden_text(alone, readers_font, settings, language, code):
    seller = {
        **settings.BILLING["seller"], "name": "Rapport", "address": "1 Harbour Road\nTaipei",
        "tax_id": "04595257", "bank": "First Bank 007-123456",
    }  # fmt: skip
    settings.BILLING = {**settings.BILLING, "seller": seller, "tax_permille": {"": 50}}
    rent(alone, seats=5, currency=code)
    buyer = {"name": "台北科技股份有限公司", "address": "台北市信義區", "country": "TW",
             "tax_id_kind": "tw_vat", "tax_id": "10458575"}  # fmt: skip
    with tenancy.unit_of_work(tenancy.PLATFORM):
        key = Invoice.objects.get(account__company_id=alone.id).pk
    bill = invoice_of(alone.id, key)
    # Never saved: an issued bill does not change, and its number is another run's.
    bill.language, bill.buyer, bill.number, bill.paid = language, buyer, "R-I2026-00042", 1000
    made = invoice_pdf(bill)
    golden = GOLDEN / f"invoice-{language}-{code}.txt"
    assert lines_of(made) == golden.read_text(encoding="utf-8").splitlines()
