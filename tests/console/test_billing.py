"""Operators see what companies rent and owe, record money, and keep the plans."""

import datetime as dt

import pytest
from django.utils import timezone

from billing import clock, letters, operating, snapshots
from billing.models import (
    Account,
    BillingEntry,
    CreditNote,
    Invoice,
    MetricDay,
    MetricSnapshot,
    Payment,
    Plan,
    Subscription,
)
from billing.proration import after
from crm_platform.console.models import OperatorEntry
from crm_platform.console.services import billing as services
from crm_platform.identity.models import OutgoingMail
from crm_platform.kernel.errors import NotAllowed, NotFound
from tenants.models import Company
from tests.billing.conftest import rent
from tests.conftest import NOON, make_company, unique
from tests.console.conftest import client_of, make_person

DAY = dt.timedelta(days=1)


class Renter:
    """A company with its schema that rents since `at`; undone with the test."""

    def __init__(self, *, seats=5, at=NOON, **which):
        self.id = make_company(f"rent-{unique()}").id
        Company.objects.filter(pk=self.id).update(state="trial", state_until=at + DAY)
        self.company = Company.objects.get(pk=self.id)
        rent(self, seats=seats, at=at, **which)

    @property
    def account(self) -> Account:
        return Account.objects.get(company_id=self.id)

    @property
    def bill(self) -> Invoice:
        return Invoice.objects.filter(account=self.account).order_by("pk").first()

    @property
    def state(self) -> str:
        return Company.objects.get(pk=self.id).state

    def path(self, more="") -> str:
        return f"/companies/{self.id}/billing/{more}"


@pytest.fixture
def renter(platform_operator):
    return Renter()


def transfer(client, renter, **facts):
    body = {"amount": "250", "received_on": "2026-11-20", "reference": "R1", "invoice": ""}
    return client.post(renter.path("transfer/"), {**body, **facts})


def entries(verb):
    rows = OperatorEntry.objects.filter(verb=verb).order_by("pk")
    return [(each.reason, each.facts) for each in rows]


# -- money ---------------------------------------------------------------------------------------


def test_transfer_as_people_write_it_pays_the_bill_and_is_written_down(operator, renter):
    answer = transfer(operator, renter, amount="US$ 1,250.50", invoice=renter.bill.pk)
    assert answer.status_code == 302
    paid = Payment.objects.get(account=renter.account)
    assert (paid.amount, paid.invoice, paid.by) == (125_050, renter.bill, "Petra Platform")
    assert (renter.bill.state, renter.account.balance) == ("paid", 100_050)
    number = renter.bill.number
    facts = {"amount": "US$1,250.50", "received_on": "2026-11-20", "reference": "R1",
             "invoice": number}  # fmt: skip
    assert entries("billing.transfer_recorded") == [("", facts)]
    page = operator.get(renter.path()).content.decode()
    for shown in (number, "US$1,250.50", "US$1,000.50", "US$50.00 per user and month × 5"):
        assert shown in page


def test_transfer_of_a_late_company_opens_it(operator, renter):
    due = NOON + 14 * DAY
    clock.late(at=due + DAY)
    assert renter.state == "past_due"
    transfer(operator, renter)
    assert renter.state == "active"


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [({"amount": "250.005"}, "USD has 2 decimals at most"),
     ({"amount": "12,50"}, "Write the amount in USD like 1,250.50"),
     ({"amount": "NT$250"}, "Write the amount in USD like 1,250.50"),
     ({"amount": "-5"}, "Write the amount"), ({"amount": "9" * 30}, "too large"),
     ({"amount": "0"}, "Give the amount that came in"),
     ({"received_on": "2999-01-01"}, "not in the future"),
     ({"reference": " "}, "This field is required"), ({"invoice": "999999999"}, "not one of"),
     ({"amount": ""}, "This field is required")],
)  # fmt: skip
def test_transfer_that_cannot_be_is_refused_with_a_sentence(operator, renter, facts, sentence):
    answer = transfer(operator, renter, **facts)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Payment.objects.filter(account=renter.account).exists()


def test_same_transfer_twice_is_refused_and_paid_once(operator, renter):
    assert transfer(operator, renter).status_code == 302
    answer = transfer(operator, renter)
    assert answer.status_code == 422
    assert "is entered already" in answer.content.decode()
    assert renter.account.balance == 0
    assert len(entries("billing.transfer_recorded")) == 1


def test_whole_units_are_asked_for_where_no_decimals_are_in_use(operator):
    renter = Renter(currency="TWD", seats=1)
    answer = transfer(operator, renter, amount="1600.5")
    assert "TWD is charged in whole units" in answer.content.decode()
    transfer(operator, renter, amount="ＮＴ＄１，６００")
    assert (renter.bill.state, renter.bill.paid) == ("paid", 160_000)


def test_payment_is_undone_once_with_a_reason(operator, renter):
    transfer(operator, renter)
    payment = Payment.objects.get(account=renter.account)
    path = f"/billing/payments/{payment.pk}/undo/"
    assert path in operator.get(renter.path()).content.decode()
    assert operator.get(path).status_code == 200
    assert operator.post(path, {"reason": ""}).status_code == 422
    assert operator.post(path, {"reason": "Another firm’s"}).status_code == 302
    assert (renter.bill.state, renter.bill.paid) == ("open", 0)
    assert entries("billing.payment_undone") == [
        ("Another firm’s", {"amount": "US$250.00", "reference": "R1"})
    ]
    assert operator.post(path, {"reason": "again"}).status_code == 422
    page = operator.get(renter.path()).content.decode()
    assert "/undo/" not in page
    assert "-US$250.00" in page


def test_invoice_is_credited_up_to_what_it_holds(operator, renter):
    path = f"/billing/invoices/{renter.bill.pk}/credit/"
    assert 'value="250.00"' in operator.get(path).content.decode()
    for amount in ("250.01", "0"):
        answer = operator.post(path, {"amount": amount, "reason": "Outage"})
        assert answer.status_code == 422
        assert "up to what the invoice still holds" in answer.content.decode()
    assert operator.post(path, {"amount": "100.50", "reason": "Outage"}).status_code == 302
    note = CreditNote.objects.get(invoice=renter.bill)
    assert (note.amount, note.by, renter.bill.credited) == (10_050, "Petra Platform", 10_050)
    facts = {"amount": "US$100.50", "invoice": renter.bill.number, "credit_note": note.number}
    assert entries("billing.invoice_credited") == [("Outage", facts)]
    page = operator.get(renter.path()).content.decode()
    assert note.number in page
    assert "US$149.50 of US$250.00 owed" in page


def test_acts_on_what_is_not_there_are_not_found(operator, platform_operator, globex):
    for path in ("/billing/payments/999999999/undo/", "/billing/invoices/999999999/credit/",
                 f"/companies/{globex.id}/billing/", f"/companies/{globex.id}/billing/transfer/",
                 "/billing/plans/999999999/"):  # fmt: skip
        assert operator.get(path).status_code == 404
    assert operator.post("/billing/versions/999999999/").status_code == 404
    with pytest.raises(NotFound):
        services.record_transfer(
            company_id=globex.id, amount=1, received_on=NOON.date(), reference="r",
            actor=platform_operator, at=NOON,
        )  # fmt: skip


@pytest.mark.parametrize(("role", "may"), [("billing", True), ("support", False),
                                           ("auditor", False)])  # fmt: skip
def test_only_platform_and_billing_act_the_others_look(renter, role, may):
    person = make_person(role)
    acts = (
        lambda: services.record_transfer(
            company_id=renter.id, amount=25_000, received_on=NOON.date(), reference="r",
            actor=person, at=NOON),
        lambda: services.undo_payment(
            payment_id=Payment.objects.get(account=renter.account).pk if may else 1, reason="r",
            actor=person, at=NOON),
        lambda: services.credit_invoice(
            invoice_id=renter.bill.pk, amount=1, reason="r", actor=person, at=NOON),
        lambda: services.add_plan(
            key="k", names={"en": "K"}, is_public=True, actor=person, at=NOON),
        lambda: services.draft_plan(
            plan_id=Plan.objects.get(key="standard").pk, actor=person, at=NOON),
        lambda: services.change_draft(
            version_id=operating.draft_of(Plan.objects.get(key="k")).pk if may else 1, prices=[],
            limits={}, actor=person, at=NOON),
        lambda: services.publish_plan(
            version_id=operating.draft_of(Plan.objects.get(key="standard")).pk if may else 1,
            actor=person, at=NOON),
    )  # fmt: skip
    before = OperatorEntry.objects.count()
    for act in acts:
        if may:
            act()
        else:
            with pytest.raises(NotAllowed):
                act()
    # An unchanged draft is no entry; the other six acts are one each.
    assert OperatorEntry.objects.count() - before == (6 if may else 0)
    client = client_of(person)
    for path in (renter.path(), "/billing/", "/billing/plans/"):
        page = client.get(path)
        assert page.status_code == 200
        assert ("data-dialog" in page.content.decode()) is may
    plan = client.get(f"/billing/plans/{Plan.objects.get(key='standard').pk}/")
    assert ("Draft the next version" in plan.content.decode()) is may
    assert client.get("/billing/figures/").status_code == 200


def test_list_of_companies_tells_and_finds_what_is_rented(operator, renter, globex):
    def is_found(slug, plan):
        page = operator.get("/", {"q": slug, "plan": plan}).content.decode()
        return f">{slug}</" in page

    slug = renter.company.slug
    plan = Subscription.objects.get(account=renter.account).price.version.plan_id
    for asked, found in ((plan, (True, False)), ("none", (False, True)), ("x", (True, True)),
                         (999_999_999, (False, False))):  # fmt: skip
        assert (is_found(slug, asked), is_found(globex.slug, asked)) == found
    page = operator.get("/", {"q": slug}).content.decode()
    assert 'Standard <small class="dim">5 seats</small>' in page


def test_company_page_says_what_it_rents_or_that_it_never_did(operator, renter, globex):
    page = operator.get(f"/companies/{renter.id}/").content.decode()
    assert "US$50.00 per user and month × 5" in page
    assert renter.path() in page
    assert (
        "It has never rented anything" in operator.get(f"/companies/{globex.id}/").content.decode()
    )


# -- who owes what -------------------------------------------------------------------------------


def late_renters(days, at):
    """Renters whose first bill fell due so many days before `at`."""
    return {each: Renter(at=at - (14 + each) * DAY, seats=1) for each in days}


def test_debtors_are_told_apart_by_how_late_they_are_to_the_day(platform_operator):
    at = timezone.now()
    found = late_renters((-1, 0, 1, 14, 15, 44, 45), at)
    wanted = {"not_due": {-1}, "due": {0}, "late": {1, 14}, "very_late": {15, 44}, "lost": {45}}
    mine = {renter.account.pk: days for days, renter in found.items()}
    for age, days in wanted.items():
        rows = operating.debtors(at=at, age=age)
        assert {mine[row.pk] for row in rows if row.pk in mine} == days
        assert operating.owed_by_age(at=at)[age]["USD"] >= (5000 * len(days), len(days))
    ordered = [mine[row.pk] for row in operating.debtors(at=at) if row.pk in mine]
    assert ordered == [45, 44, 15, 14, 1, 0, -1]


def test_board_sums_a_companys_bills_by_age_and_leaves_out_what_is_paid(operator):
    at = timezone.now()
    renter = Renter(at=at - 40 * DAY, seats=2)
    clock.run(at=at)
    paid = Renter(at=at - 40 * DAY, seats=1)
    transfer(operator, paid, amount="50", received_on=at.date().isoformat())
    [row] = operating.debtors(at=at, text=renter.company.name)
    assert (row.owed_all, row.owed_very_late, row.owed_late) == (20_000, 10_000, None)
    assert row.owed_not_due == 10_000
    assert len(row.open_bills) == 2
    assert not operating.debtors(at=at, text=paid.company.name)
    page = operator.get("/billing/", {"q": renter.bill.number}).content.decode()
    assert renter.company.name in page
    assert paid.company.name not in page
    assert f"{renter.path('transfer/')}?invoice={renter.bill.pk}" in page
    assert "Past due" in page
    assert "Read only on" in page
    assert "No open invoice fits" in operator.get("/billing/", {"q": "nobody"}).content.decode()


def test_named_invoice_stands_chosen_in_the_transfer_form(operator, renter):
    page = operator.get(renter.path("transfer/"), {"invoice": renter.bill.pk}).content.decode()
    assert f'<option value="{renter.bill.pk}" selected>' in page
    htmx = {"HX-Request": "true", "HX-Target": "dialog-body"}
    part = operator.get(renter.path("transfer/"), headers=htmx).content.decode()
    assert "<html" not in part
    answer = operator.post(renter.path("transfer/"), {"amount": "x"}, headers=htmx)
    assert answer.status_code == 422
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize("count", [2, 12])
def test_pages_cost_the_same_for_many(operator, count, django_assert_max_num_queries):
    renters = [Renter(seats=1) for _number in range(count)]
    for number in range(1, count):
        clock.run(at=after(NOON, "month", number))
    first = renters[0]
    for number in range(count):
        transfer(operator, first, amount="1", reference=f"part {number}")
    plan = Plan.objects.get(key="standard")
    for path, most in (("/billing/", 8), (first.path(), 16), ("/billing/plans/", 7),
                       (f"/billing/plans/{plan.pk}/", 8), ("/billing/figures/", 7)):  # fmt: skip
        with django_assert_max_num_queries(most):
            assert operator.get(path).status_code == 200


def test_empty_pages_say_so(operator):
    for model in (BillingEntry, CreditNote, Payment, Invoice):
        model.objects.all().delete()
    Subscription.objects.all().delete()
    assert "Nobody owes anything" in operator.get("/billing/").content.decode()
    assert "No company rents yet" in operator.get("/billing/figures/").content.decode()


def test_account_shows_which_letters_went_to_whom(operator):
    renter = Renter()
    assert "ac-letters" not in operator.get(renter.path()).content.decode()
    Account.objects.filter(company_id=renter.id).update(email="bills@example.com")
    letters.write_waiting(at=NOON)
    page = operator.get(renter.path()).content.decode()
    for shown in ("bills@example.com", "waits in the outbox", renter.bill.number):
        assert shown in page
    OutgoingMail.objects.filter(to="bills@example.com").update(sent_at=NOON)
    after_all = operator.get(renter.path()).content.decode()
    assert "waits in the outbox" not in after_all
    assert "bills@example.com" in after_all


# -- figures -------------------------------------------------------------------------------------


def test_figures_count_a_year_as_twelve_months_and_only_who_may_work(
    operator, django_assert_num_queries
):
    at = timezone.now()
    before = operating.metrics(at=at)
    # Other tests' companies stay out of the way of exact sums.
    Company.objects.update(state="closed")
    Renter(seats=5, at=at - 40 * DAY)
    late = Renter(seats=2, at=at - DAY)
    Company.objects.filter(pk=late.id).update(state="past_due")
    Renter(seats=3, at=at - DAY, interval="year")
    Renter(seats=1, at=at - DAY, currency="JPY", interval="year")
    stopped = Renter(seats=90, at=at - 40 * DAY)
    Company.objects.filter(pk=stopped.id).update(state="read_only")
    gone = Renter(seats=70, at=at - 40 * DAY)
    Subscription.objects.filter(account=gone.account).update(ended_at=at - DAY)
    with django_assert_num_queries(2):
        found = operating.metrics(at=at)
    usd = {each.currency: each for each in found.by_currency}["USD"]
    assert (usd.companies, usd.seats) == (3, 10)
    assert usd.mrr == 7 * 5000 + 3 * 50_000 // 12
    assert usd.arpa == 15_833
    yen = {each.currency: each for each in found.by_currency}["JPY"]
    assert (yen.mrr, yen.arpa) == (6250, 6250)
    assert (found.companies, found.seats) == (4, 11)
    assert (found.begun - before.begun, found.ended - before.ended) == (3, 1)
    page = operator.get("/billing/figures/").content.decode()
    assert "US$475.00" in page
    assert "nothing is converted" in page


def test_figures_by_month_and_cohort_and_as_csv(operator):
    at = timezone.now()
    Company.objects.update(state="closed")
    MetricDay.objects.all().delete()
    MetricSnapshot.objects.all().delete()
    Renter(seats=5, at=at - 3 * DAY)
    Renter(seats=1, at=at - 3 * DAY, currency="JPY")
    assert "from the first midnight" in operator.get("/billing/figures/").content.decode()
    snapshots.catch_up(at=at)

    page = operator.get("/billing/figures/?currency=USD").content.decode()
    for shown in ("US$250.00", "n/a", "<svg", "Retention by the month they began", "JPY"):
        assert shown in page
    assert "¥7,500" in operator.get("/billing/figures/?currency=JPY").content.decode()
    assert operator.get("/billing/figures/?currency=%00x").status_code == 200
    answer = operator.get("/billing/figures.csv")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("currency,month,until,opening_mrr")
    of_usd = [line for line in lines if line.startswith("USD")]  # by month, this one last
    assert of_usd[-1].startswith(f"USD,{at:%Y-%m}")
    assert of_usd[-1].split(",")[9] == "250.00"


def test_figures_cost_the_same_for_many(operator, django_assert_max_num_queries):
    Renter(at=timezone.now() - 3 * DAY)
    snapshots.catch_up(at=timezone.now())
    operator.get("/billing/figures/")
    with django_assert_max_num_queries(10):
        operator.get("/billing/figures/")
