"""Credit: used up once by the next bills, what ends first before the rest; much of it needs two."""

import threading
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251  the fault is about threads

import pytest
from django.db import connections

from billing import clock, grants, renewing, subscribing
from billing.proration import after
from billing.standing import standing_of
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tests.billing.conftest import rent
from tests.billing.offers import DAY, account_of, bills, grant, lines, preview, rent_with
from tests.conftest import NOON


def test_credit_is_used_up_by_the_next_bills_what_ends_first_before_the_rest(trial):
    rent(trial)
    late = grant(trial, 10_000)
    soon = grant(trial, 8000, expires_at=NOON + 60 * DAY)
    clock.run(at=after(NOON, "month"))
    clock.run(at=after(NOON, "month", 2))
    assert [lines(bill) for bill in bills(trial)[1:]] == [
        [("seats", 25_000), ("grant", -18_000)], [("seats", 25_000)],
    ]  # fmt: skip
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for row in (late, soon):
            row.refresh_from_db()
            assert (row.left, row.ended_at) == (0, after(NOON, "month"))


def test_credit_that_ended_is_not_used(trial):
    rent(trial)
    grant(trial, 9000, expires_at=NOON + DAY)
    clock.run(at=after(NOON, "month"))
    assert bills(trial)[-1].total == 25_000


def test_credit_above_what_one_may_give_waits_for_a_second_and_parts_count_together(trial):
    rent(trial)
    whole = grant(trial, 20_001)
    assert whole.agreed_at is None
    assert grant(trial, 15_000).agreed_at == NOON
    assert grant(trial, 5001).agreed_at is None
    assert grant(trial, 5000).agreed_at == NOON
    assert grant(trial, 1, at=NOON + 29 * DAY).agreed_at is None
    assert grant(trial, 1, at=NOON + 31 * DAY).agreed_at is not None
    assert standing_of(trial.id, at=NOON + 32 * DAY).credit == 20_001
    grants.agree(grant_id=whole.pk, by="Paul", at=NOON)
    assert standing_of(trial.id, at=NOON + 32 * DAY).credit == 40_002
    with pytest.raises(Conflict):
        grants.agree(grant_id=whole.pk, by="Paul", at=NOON)


def test_withdrawn_credit_is_gone_and_voids_what_was_shown_with_it(trial):
    rent(trial)
    given = grant(trial, 4000)
    quote, sealed = subscribing.quote_seats(company_id=trial.id, seats=6, at=NOON)
    assert [line.kind for line in quote.lines] == ["added", "grant"]
    with pytest.raises(Invalid):
        grants.withdraw(grant_id=given.pk, reason=" ", by="Olga", at=NOON)
    grants.withdraw(grant_id=given.pk, reason="A mistake", by="Olga", at=NOON)
    with pytest.raises(Conflict):
        grants.withdraw(grant_id=given.pk, reason="again", by="Olga", at=NOON)
    with pytest.raises(Conflict, match="Something changed"):
        subscribing.accept(company_id=trial.id, quote=sealed, by="Ann", at=NOON)
    assert len(bills(trial)) == 1


def test_first_bill_that_is_not_what_was_shown_is_not_made(trial):
    rent(trial)
    subscribing.cancel(company_id=trial.id, reason="", by="Ann", at=NOON)
    again = after(NOON, "month")
    clock.run(at=again)
    given = grant(trial, 4000, at=again)
    shown = preview(trial, at=again).due_now.total
    assert shown == 21_000
    grants.withdraw(grant_id=given.pk, reason="A mistake", by="Olga", at=again)
    with pytest.raises(Conflict, match="Something changed"):
        rent_with(trial, shown=shown, at=again)
    assert len(bills(trial)) == 1
    rent_with(trial, shown=25_000, at=again)


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"amount": 0}, "amount"), ({"amount": -5}, "amount"), ({"amount": 10**14}, "amount"),
     ({"reason": " "}, "reason"), ({"expires_at": NOON}, "expires_on")],
)  # fmt: skip
def test_credit_that_cannot_be_is_refused_at_its_field(trial, facts, field):
    rent(trial)
    with pytest.raises(Invalid) as refused:
        grant(trial, **{"amount": 100, **facts})
    assert refused.value.field == field
    with pytest.raises(NotFound):
        grants.grant(account_id=10**9, amount=1, reason="r", by="O", at=NOON)
    with pytest.raises(NotFound):
        grants.withdraw(grant_id=10**9, reason="r", by="O", at=NOON)


def test_renewal_two_workers_do_at_once_uses_credit_once(trial):
    rent(trial)
    grant(trial, 10_000)
    key, gate = account_of(trial), threading.Barrier(2)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription_id = key.subscriptions.get().pk

    def one(_number):
        gate.wait()
        try:
            return (
                renewing.renew(subscription_id=subscription_id, at=after(NOON, "month")) is not None
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == [False, True]
    assert [bill.total for bill in bills(trial)] == [25_000, 15_000]
