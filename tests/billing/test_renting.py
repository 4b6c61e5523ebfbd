"""Renting from the trial to the end: what is billed, what is paid, what the company may do."""

import datetime as dt

import pytest

from billing import clock, erasing, invoicing, paying, subscribing
from billing.models import Account, Invoice, Payment, Subscription
from billing.proration import Period, after, prorated
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants.lifecycle import changes
from tenants.lifecycle import clock as life
from tenants.lifecycle.states import Who
from tests.billing.conftest import BUYER, make_trial, price, rent, state_of
from tests.conftest import NOON

DAY = dt.timedelta(days=1)


def bills(scope):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return list(
            Invoice.objects.filter(account__company_id=scope.id).order_by("pk")
            .prefetch_related("lines")
        )  # fmt: skip


def account(scope) -> Account:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Account.objects.get(company_id=scope.id)


def rented(scope) -> Subscription:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return subscribing.live(scope.id)


def pay(scope, amount, *, at=NOON, reference="T1", **facts):
    return paying.record_transfer(
        account_id=account(scope).pk, amount=amount, received_on=at.date(), reference=reference,
        by="Olga", at=at, **facts,
    )  # fmt: skip


def test_renting_ends_the_trial_and_bills_the_first_period(trial):
    rent(trial, seats=5)
    [bill] = bills(trial)
    assert state_of(trial) == "active"
    assert (bill.total, bill.currency, bill.due_at) == (25_000, "USD", NOON + 14 * DAY)
    [line] = bill.lines.all()
    assert (line.quantity, line.unit_amount, line.plan["zh-hant"]) == (5, 5000, "標準方案")
    assert (bill.buyer["tax_id"], bill.period_end) == ("DE123456789", after(NOON, "month"))
    with pytest.raises(Conflict):
        rent(trial)


@pytest.mark.parametrize(
    "facts",
    [{"seats": 0}, {"price_id": 10**9}, {"buyer": subscribing.Buyer(legal_name=" ")},
     {"buyer": subscribing.Buyer(legal_name="F", tax_id_kind="tw_vat", tax_id="12345678")}],
)  # fmt: skip
def test_beginning_is_refused_whole(trial, facts):
    given = {"company_id": trial.id, "price_id": price(), "seats": 1, "buyer": BUYER, "by": "Ann"}
    with pytest.raises((Invalid, NotFound)):
        subscribing.start(**{**given, **facts}, at=NOON)
    assert bills(trial) == []
    assert state_of(trial) == "trial"


def test_what_is_shown_for_more_seats_is_what_is_billed(trial):
    rent(trial, seats=5)
    at = NOON + 10 * DAY + dt.timedelta(seconds=1234)
    quote, sealed = subscribing.quote_seats(company_id=trial.id, seats=7, at=at)
    subscribing.accept(
        company_id=trial.id, quote=sealed, by="Ann", at=at + 20 * dt.timedelta(minutes=1)
    )
    bill = bills(trial)[-1]
    wanted = prorated(unit_amount=5000, seats=2, period=Period(NOON, after(NOON, "month")), at=at,
                      currency="USD")  # fmt: skip
    assert bill.total == quote.due_now.total == wanted
    assert rented(trial).seats == 7
    assert quote.next_net == 35_000


def test_quote_is_void_when_it_is_old_altered_used_or_overtaken(trial):
    rent(trial, seats=5)
    at = NOON + DAY
    _shown, sealed = subscribing.quote_seats(company_id=trial.id, seats=6, at=at)
    late = at + dt.timedelta(minutes=31)
    for quote, moment in ((sealed, late), (sealed + "x", at), ("", at)):
        with pytest.raises((Conflict, Invalid)):
            subscribing.accept(company_id=trial.id, quote=quote, by="Ann", at=moment)
    subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=at)
    with pytest.raises(Conflict):
        subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=at)
    assert (len(bills(trial)), rented(trial).seats) == (2, 6)


def test_quote_of_one_company_is_no_good_in_another(trial):
    other = make_trial()
    rent(trial, seats=5)
    rent(other, seats=5)
    _shown, sealed = subscribing.quote_seats(company_id=trial.id, seats=6, at=NOON)
    with pytest.raises(Conflict):
        subscribing.accept(company_id=other.id, quote=sealed, by="Ann", at=NOON)
    assert (rented(other).seats, len(bills(other))) == (5, 1)


def test_fewer_seats_come_with_the_next_period_and_can_be_taken_back(trial):
    rent(trial, seats=5)
    with pytest.raises(Invalid):
        subscribing.reduce_seats(company_id=trial.id, seats=2, used=3, by="Ann", at=NOON)
    first = subscribing.reduce_seats(company_id=trial.id, seats=3, used=3, by="Ann", at=NOON)
    subscribing.take_back(company_id=trial.id, change_id=first.pk, by="Ann", at=NOON)
    with pytest.raises(NotFound):
        subscribing.take_back(company_id=trial.id, change_id=first.pk, by="Ann", at=NOON)
    subscribing.reduce_seats(company_id=trial.id, seats=4, used=3, by="Ann", at=NOON)
    assert rented(trial).seats == 5
    clock.run(at=after(NOON, "month"))
    assert rented(trial).seats == 4
    assert bills(trial)[-1].total == 20_000


def test_adding_seats_takes_a_planned_removal_back(trial):
    rent(trial, seats=5)
    subscribing.reduce_seats(company_id=trial.id, seats=3, used=1, by="Ann", at=NOON)
    _shown, sealed = subscribing.quote_seats(company_id=trial.id, seats=6, at=NOON)
    subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=NOON)
    clock.run(at=after(NOON, "month"))
    assert rented(trial).seats == 6


def test_a_year_instead_of_a_month_gives_unused_time_back(trial):
    rent(trial, seats=2)
    at = NOON + 15 * DAY
    quote, sealed = subscribing.quote_price(
        company_id=trial.id, price_id=price(interval="year"), at=at
    )
    subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=at)
    unused = prorated(unit_amount=5000, seats=-2, period=Period(NOON, after(NOON, "month")), at=at,
                      currency="USD")  # fmt: skip
    assert bills(trial)[-1].total == quote.due_now.total == 100_000 + unused
    assert rented(trial).period_end == after(at, "year")
    subscribing.plan_price(company_id=trial.id, price_id=price(), by="Ann", at=at)
    clock.run(at=after(at, "year"))
    assert bills(trial)[-1].total == 10_000
    with pytest.raises(Invalid):
        subscribing.quote_price(company_id=trial.id, price_id=price(currency="TWD"), at=at)


def test_periods_missed_by_the_clock_are_billed_once_each(trial):
    rent(trial, seats=1, at=NOON)
    later = after(NOON, "month", 3) + DAY
    assert clock.run(at=later)["renewed"] == 3
    assert clock.run(at=later)["renewed"] == 0
    starts = [bill.period_start for bill in bills(trial)]
    assert starts == [NOON, *(after(NOON, "month", n) for n in (1, 2, 3))]


def test_unpaid_from_the_due_date_on_late_read_only_suspended_and_open_again_when_paid(trial):
    rent(trial, seats=1)
    due = NOON + 14 * DAY
    assert clock.late(at=due - dt.timedelta(seconds=1)) == 0
    assert state_of(trial) == "active"
    clock.run(at=due + 3 * DAY)  # the clock stood still for three days: they count
    assert state_of(trial) == "past_due"
    seen = []
    for days in range(3, 60):
        life.run(at=due + days * DAY)
        seen.append((days, state_of(trial)))
    moved = {state: days for days, state in reversed(seen)}
    assert moved == {"past_due": 3, "read_only": 14, "suspended": 44}
    pay(trial, 5000, at=due + 60 * DAY)
    assert state_of(trial) == "active"
    assert rented(trial).past_due_since is None


def test_what_operators_stopped_paying_does_not_open(trial):
    rent(trial, seats=1)
    changes.move(company_id=trial.id, to="suspended", who=Who.OPERATOR, actor="Olga", at=NOON)
    pay(trial, 5000)
    assert state_of(trial) == "suspended"


def test_a_late_bill_for_added_seats_stops_nobody_whose_period_is_paid(trial):
    rent(trial, seats=1, interval="year")
    pay(trial, 50_000)
    _shown, sealed = subscribing.quote_seats(company_id=trial.id, seats=2, at=NOON)
    subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=NOON)
    clock.run(at=NOON + 90 * DAY)
    assert state_of(trial) == "active"


def test_transfers_pay_the_oldest_bill_and_leave_a_balance_that_pays_the_next(trial):
    rent(trial, seats=2)
    pay(trial, 4000, reference="part")
    [bill] = bills(trial)
    assert (bill.state, invoicing.owed(bill)) == ("open", 6000)
    pay(trial, 13_000, reference="rest and more")
    assert (bills(trial)[0].state, account(trial).balance) == ("paid", 7000)
    clock.run(at=after(NOON, "month"))
    second = bills(trial)[1]
    assert (second.paid, invoicing.owed(second), account(trial).balance) == (7000, 3000, 0)
    with pytest.raises(Conflict):
        pay(trial, 4000, reference="part")


def test_a_transfer_entered_by_mistake_is_undone_by_a_counter_entry(trial):
    rent(trial, seats=2)
    wrong = pay(trial, 12_000)
    paying.reverse(payment_id=wrong.pk, reason="Another firm's", by="Olga", at=NOON)
    with pytest.raises(Conflict):
        paying.reverse(payment_id=wrong.pk, reason="again", by="Olga", at=NOON)
    [bill] = bills(trial)
    assert (bill.state, bill.paid, account(trial).balance) == ("open", 0, 0)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert sum(Payment.objects.values_list("amount", flat=True)
                   .filter(account__company_id=trial.id)) == 0  # fmt: skip


def test_credit_notes_take_back_and_what_was_paid_becomes_balance(trial):
    rent(trial, seats=2)
    [bill] = bills(trial)
    for amount, reason in ((0, "x"), (10_001, "x"), (1, " ")):
        with pytest.raises(Invalid):
            paying.credit(invoice_id=bill.pk, amount=amount, reason=reason, by="Olga", at=NOON)
    paying.credit(invoice_id=bill.pk, amount=4000, reason="Outage", by="Olga", at=NOON)
    pay(trial, 6000)
    assert bills(trial)[0].state == "paid"
    paying.credit(invoice_id=bill.pk, amount=6000, reason="Good will", by="Olga", at=NOON)
    assert account(trial).balance == 6000
    assert invoicing.owed(bills(trial)[0]) == 0


def test_numbers_have_no_gap_after_a_failure_and_begin_anew_each_year(trial):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        last = max(Invoice.objects.values_list("pk", flat=True), default=0)
    rent(trial, seats=1)

    def fail(at):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            numbers.append(invoicing.next_number(invoicing.INVOICES, at=at))
            raise RuntimeError

    numbers: list[str] = []
    with pytest.raises(RuntimeError):
        fail(NOON)
    clock.run(at=after(NOON, "month"))
    clock.run(at=after(NOON, "month", 2))
    with tenancy.unit_of_work(tenancy.PLATFORM):
        made = sorted(Invoice.objects.filter(pk__gt=last).values_list("number", flat=True))
    assert numbers[0] in made, "what failed gave its number back"
    for year in (2026, 2027):
        found = [int(n.rpartition("-")[2]) for n in made if n.startswith(f"R-I{year}-")]
        assert found == list(range(found[0], found[0] + len(found))), year
        assert found
    with pytest.raises(RuntimeError):
        fail(NOON.replace(year=2091))
    assert numbers[1] == "R-I2091-00001"


def test_cancelled_rent_runs_to_its_end_and_can_be_resumed(trial):
    rent(trial, seats=1)
    pay(trial, 5000)
    subscribing.cancel(company_id=trial.id, reason="Too dear", by="Ann", at=NOON)
    with pytest.raises(Conflict):
        subscribing.cancel(company_id=trial.id, reason="", by="Ann", at=NOON)
    subscribing.resume(company_id=trial.id, by="Ann", at=NOON)
    subscribing.cancel(company_id=trial.id, reason="Too dear", by="Ann", at=NOON)
    end = after(NOON, "month")
    clock.run(at=end - dt.timedelta(seconds=1))
    assert state_of(trial) == "active"
    clock.run(at=end)
    assert state_of(trial) == "read_only"
    assert len(bills(trial)) == 1
    with pytest.raises(NotFound):
        rented(trial)


def test_erasing_keeps_the_books_and_forgets_the_people(trial):
    other = make_trial()
    for scope in (trial, other):
        rent(scope)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Invoice.objects.filter(account__company_id=other.id).delete()
        for _again in range(2):
            erasing.forget_company(company_id=trial.id)
            erasing.forget_company(company_id=other.id)
        kept = Account.objects.get(company_id=trial.id)
        assert (kept.legal_name, kept.email, kept.tax_id) == ("erased", "", "")
        assert set(kept.entries.values_list("by", flat=True)) == {"erased"}
        assert kept.invoices.get().buyer["name"] == BUYER.legal_name
        assert not Account.objects.filter(company_id=other.id).exists()
