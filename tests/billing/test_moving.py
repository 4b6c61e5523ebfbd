"""Moving companies to another version: nobody before they were told, and all the way back."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import announcing, clock, erasing, moving, subscribing
from billing.models import Invoice, PendingChange, PlanMove, PlanMoveItem, PlanVersion, Subscription
from billing.proration import after
from crm_platform.identity.models import OutgoingMail, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from crm_platform.kernel.limits import Limit, allowance_of
from tests.billing.conftest import (
    make_plan,
    make_trial,
    next_version,
    now_of,
    owner_of,
    price_in,
    rent_in,
)
from tests.conftest import NOON, unique

DAY = dt.timedelta(days=1)
FROM = NOON + 40 * DAY
SECOND = after(NOON, "month", 2)
"""The first renewal from `FROM` on."""


@pytest.fixture
def versions(database):
    """Two versions of a plan of its own: 50 dollars, then 60 and at most 100 contacts."""
    old = make_plan()
    return old, next_version(old.plan_id, amount=6000, limits={"contacts": 100})


@pytest.fixture
def renter(versions):
    return renting(versions[0])


def renting(version, **facts):
    """A company on this version; its scope."""
    scope = make_trial()
    _rent_retired(scope, version, **facts)
    return scope


def _rent_retired(scope, version, **facts):
    """Rent a version although a newer one is offered by now."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        newer = PlanVersion.objects.filter(plan=version.plan_id, state="published").first()
        PlanVersion.objects.filter(pk=newer.pk).update(state="retired")
        PlanVersion.objects.filter(pk=version.pk).update(state="published")
    try:
        rent_in(scope, version, **facts)
    finally:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            PlanVersion.objects.filter(pk=version.pk).update(state="retired")
            PlanVersion.objects.filter(pk=newer.pk).update(state="published")


def proposed(versions, *, holds_from=FROM, at=NOON, **facts) -> PlanMove:
    old, new = versions
    given = {"source_id": old.pk, "target_id": new.pk, "reason": "Costs rose", "by": "Petra"}
    return moving.propose(**{**given, **facts}, holds_from=holds_from, at=at)


def agreed(versions, *, at=NOON, **facts) -> PlanMove:
    return moving.agree(move_id=proposed(versions, at=at, **facts).pk, by="Paul", at=at)


def item_of(scope) -> PlanMoveItem:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = PlanMoveItem.objects.filter(subscription__account__company_id=scope.id)
        return rows.select_related("change", "move").latest("pk")


def rented(scope) -> Subscription:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return subscribing.live(scope.id)


def totals(scope):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Invoice.objects.filter(account__company_id=scope.id).order_by("pk")
        return list(rows.values_list("total", flat=True))


def letters_to(person):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return list(OutgoingMail.objects.filter(to=person.email).order_by("pk"))


# -- looking -------------------------------------------------------------------------------------


def test_dry_run_says_price_date_and_who_cannot_go_and_changes_nothing(versions):
    old, new = versions
    month, year = renting(old, seats=3), renting(old, seats=2, interval="year")
    leaving = renting(old)
    subscribing.cancel(company_id=leaving.id, reason="", by="Ann", at=NOON)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        source = PlanVersion.objects.get(pk=old.pk)
        [target] = [each for each in moving.targets_for(source) if each.pk == new.pk]
        with CaptureQueriesContext(connection) as asked:
            rows = moving.dry_run(source=source, target=target, holds_from=FROM)
        found = {row.subscription.account.company_id: row for row in rows}
        assert not PlanMove.objects.filter(source=source).exists()
    assert len(asked) == 2
    assert set(found) == {month.id, year.id, leaving.id}
    assert (found[month.id].before, found[month.id].after, found[month.id].difference) == (
        15_000, 18_000, 3000,
    )  # fmt: skip
    assert found[month.id].starts == SECOND
    assert (found[year.id].difference, found[year.id].starts) == (1667, after(NOON, "year"))
    assert [found[key].note for key in (month.id, year.id, leaving.id)] == ["", "", "ending"]


def test_dry_run_names_missing_prices_and_seats_that_do_not_fit(versions):
    old, _new = versions
    few, many = renting(old, seats=2), renting(old, seats=9, interval="year")
    third = next_version(old.plan_id, amount=7000, most_seats=5)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        price_in(third).__class__.objects.filter(version=third, interval="year").delete()
        source = PlanVersion.objects.get(pk=old.pk)
        [target] = [each for each in moving.targets_for(source) if each.pk == third.pk]
        rows = moving.dry_run(source=source, target=target, holds_from=FROM)
        notes = {row.subscription.account.company_id: row.note for row in rows}
    assert notes == {few.id: "", many.id: "no_price"}


# -- asking --------------------------------------------------------------------------------------


def test_nothing_happens_before_a_second_person_agrees(versions, renter):
    proposed(versions)
    clock.run(at=NOON)
    assert item_of(renter).state == "waiting"
    clock.run(at=SECOND)
    assert totals(renter) == [25_000] * 3


def test_too_short_a_notice_and_other_nonsense_is_refused(versions, renter):
    old, new = versions
    month = dt.timedelta(days=30)
    for facts, field in (
        ({"holds_from": NOON + month - dt.timedelta(seconds=1)}, "holds_from"),
        ({"reason": " "}, "reason"), ({"target_id": old.pk}, "target"),
        ({"source_id": new.pk, "target_id": old.pk}, "target"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            proposed(versions, **facts)
        assert refused.value.field == field
    for facts in ({"source_id": 10**9}, {"target_id": 10**9}):
        with pytest.raises(NotFound):
            proposed(versions, **facts)
    empty = make_plan()
    with pytest.raises(Invalid):
        proposed((empty, new))


def test_newer_proposal_takes_the_place_of_the_one_nobody_agreed_to(versions, renter):
    first = proposed(versions)
    second = proposed(versions, holds_from=FROM + DAY)
    with pytest.raises(NotFound):
        moving.agree(move_id=first.pk, by="Paul", at=NOON)
    moving.agree(move_id=second.pk, by="Paul", at=NOON)
    with pytest.raises(Conflict):
        moving.agree(move_id=second.pk, by="Paul", at=NOON)
    with pytest.raises(Invalid):  # everybody who could go is in it already
        proposed(versions)


# -- moving --------------------------------------------------------------------------------------


def test_company_goes_with_its_first_renewal_after_the_notice_and_gets_the_new_limits(
    versions, renter
):
    agreed(versions)
    item = item_of(renter)
    assert (item.state, item.change.effective_at) == ("planned", SECOND)
    clock.run(at=after(NOON, "month"))
    assert totals(renter) == [25_000, 25_000]
    assert allowance_of(Limit.CONTACTS, now_of(renter)) is None
    clock.run(at=SECOND)
    clock.run(at=SECOND + DAY)
    assert totals(renter) == [25_000, 25_000, 30_000]
    assert rented(renter).price_id == price_in(versions[1]).pk
    assert allowance_of(Limit.CONTACTS, now_of(renter)) == 100
    assert item_of(renter).state == "done"


def test_owners_are_told_once_in_their_language(versions, renter):
    owner = owner_of(renter)
    mine = f"{unique()}@example.com"
    with tenancy.unit_of_work(renter):
        User.objects.filter(pk=owner.pk).update(language="zh-hant", email=mine)
    owner.email = mine
    agreed(versions)
    for _run in range(2):
        clock.run(at=NOON)
    [letter] = letters_to(owner)
    assert "US$60.00" in letter.body
    assert "US$300.00" in letter.body
    assert "/settings/billing/" in letter.body
    assert "方案" in letter.subject
    assert item_of(renter).told_at == NOON


def test_company_that_planned_a_price_itself_is_left_alone_until_that_came(versions, renter):
    other = make_plan(amount=4000)
    subscribing.plan_price(company_id=renter.id, price_id=price_in(other).pk, by="Ann", at=NOON)
    agreed(versions)
    assert item_of(renter).state == "waiting"
    clock.run(at=after(NOON, "month"))
    clock.run(at=after(NOON, "month"))
    assert item_of(renter).state == "left"
    assert totals(renter) == [25_000, 20_000]


def test_company_cannot_take_it_back_but_may_choose_otherwise(versions, renter):
    agreed(versions)
    item = item_of(renter)
    with pytest.raises(Conflict, match="This change is ours"):
        subscribing.take_back(company_id=renter.id, change_id=item.change_id, by="Ann", at=NOON)
    other = make_plan(amount=4000)
    subscribing.plan_price(company_id=renter.id, price_id=price_in(other).pk, by="Ann", at=NOON)
    clock.run(at=NOON)
    assert item_of(renter).state == "left"
    clock.run(at=after(NOON, "month"))
    assert totals(renter)[-1] == 20_000


def test_late_start_never_shortens_the_notice(versions, renter):
    """A company that could not be planned for weeks still has its whole notice."""
    other = make_plan(amount=4000)
    change = subscribing.plan_price(
        company_id=renter.id, price_id=price_in(other).pk, by="Ann", at=NOON
    )
    agreed(versions)
    late = NOON + 35 * DAY  # the renewal after `FROM` is 26 days away by then
    subscribing.take_back(company_id=renter.id, change_id=change.pk, by="Ann", at=late)
    clock.run(at=late)
    item = item_of(renter)
    assert item.state == "planned"
    assert item.change.effective_at == after(NOON, "month", 3)


def test_who_waits_for_a_change_of_their_own_holds_up_nobody(versions, monkeypatch):
    first, second = renting(versions[0]), renting(versions[0])
    other = make_plan(amount=4000)
    subscribing.plan_price(company_id=first.id, price_id=price_in(other).pk, by="Ann", at=NOON)
    monkeypatch.setattr(moving, "BATCH", 1)
    agreed(versions)
    assert [item_of(scope).state for scope in (first, second)] == ["waiting", "planned"]


def test_many_companies_are_taken_on_in_batches(versions, monkeypatch):
    scopes = [renting(versions[0], seats=1) for _number in range(5)]
    monkeypatch.setattr(moving, "BATCH", 2)
    agreed(versions)

    def planned():
        return sum(item_of(scope).state == "planned" for scope in scopes)

    seen = [planned()]
    for _run in range(3):
        clock.run(at=NOON)
        seen.append(planned())
    assert seen == [2, 4, 5, 5]


def test_moves_cost_the_same_number_of_queries_whatever_else_there_is(versions, renter):
    move = agreed(versions)
    with CaptureQueriesContext(connection) as asked:
        moving.advance(at=NOON, move_id=move.pk)
    assert len([query for query in asked if "SELECT" in query["sql"]]) <= 2


# -- and back ------------------------------------------------------------------------------------


def test_taken_back_before_it_came_it_does_not_come_and_owners_hear_of_it(versions, renter):
    owner = owner_of(renter)
    mine = f"{unique()}@example.com"
    with tenancy.unit_of_work(renter):
        User.objects.filter(pk=owner.pk).update(email=mine)
    owner.email = mine
    move = agreed(versions)
    clock.run(at=NOON)
    moving.undo(move_id=move.pk, reason="Too much anger", by="Petra", at=NOON + DAY)
    clock.run(at=NOON + DAY)
    clock.run(at=SECOND)
    assert item_of(renter).state == "undone"
    assert totals(renter) == [25_000] * 3
    assert ["stays as it is" in letter.subject for letter in letters_to(owner)] == [False, True]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not PendingChange.objects.filter(
            subscription__account__company_id=renter.id, settled_at=None
        ).exists()
    for again in (move.pk, 10**9):
        with pytest.raises((Conflict, NotFound)):
            moving.undo(move_id=again, reason="again", by="Petra", at=NOON)


def test_taken_back_afterwards_it_goes_back_with_the_next_renewal(versions, renter):
    move = agreed(versions)
    for number in (1, 2):
        clock.run(at=after(NOON, "month", number))
    clock.run(at=SECOND)
    with pytest.raises(Invalid):
        moving.undo(move_id=move.pk, reason=" ", by="Petra", at=SECOND)
    moving.undo(move_id=move.pk, reason="Too much anger", by="Petra", at=SECOND + DAY)
    assert item_of(renter).state == "returning"
    clock.run(at=after(NOON, "month", 3))
    clock.run(at=after(NOON, "month", 3))
    assert totals(renter) == [25_000, 25_000, 30_000, 25_000]
    assert item_of(renter).state == "returned"
    assert allowance_of(Limit.CONTACTS, now_of(renter)) is None


def test_move_nobody_agreed_to_has_nothing_to_take_back(versions, renter):
    move = proposed(versions)
    with pytest.raises(Conflict):
        moving.undo(move_id=move.pk, reason="r", by="Petra", at=NOON)


def test_erased_company_is_told_nothing_and_leaves_the_move(versions, renter):
    agreed(versions)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        erasing.forget_company(company_id=renter.id)
    clock.run(at=SECOND)
    announcing.tell_waiting(at=SECOND)
    assert len(totals(renter)) == 1
