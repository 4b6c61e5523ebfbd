"""Operators look what a new version would mean, ask, agree by two, and take it back."""

import datetime as dt

import pytest
from django.utils import timezone

from billing import clock
from billing.models import PlanMove, PlanMoveItem, Subscription
from billing.proration import after
from crm_platform.console.models import Approval, CompanyFacts, OperatorEntry
from crm_platform.console.services import approvals, plan_moves
from crm_platform.kernel.errors import Invalid, NotAllowed
from tenants.models import Company, CompanyLimit
from tests.billing.conftest import make_plan, next_version, rent_in
from tests.conftest import make_company, unique
from tests.console.conftest import client_of, make_person

DAY = dt.timedelta(days=1)


class Renter:
    """A company with its schema that rents this version; undone with the test."""

    def __init__(self, version, *, seats=5, at=None, name="", **which):
        at = at or timezone.now()
        self.id = make_company(f"move-{unique()}", **({"name": name} if name else {})).id
        Company.objects.filter(pk=self.id).update(state="trial", state_until=at + DAY)
        rent_in(self, version, seats=seats, at=at, **which)

    @property
    def item(self) -> PlanMoveItem:
        rows = PlanMoveItem.objects.filter(subscription__account__company_id=self.id)
        return rows.select_related("change").get()


@pytest.fixture
def moved(platform_operator):
    """An old version somebody rents and the new one; the renter, the old, the new."""
    old = make_plan()
    renter = Renter(old)
    return renter, old, next_version(old.plan_id, amount=6000, limits={"contacts": 10})


def look_at(client, old, new=None, **facts):
    asked = {"target": new.pk, "holds_from": day(40)} if new else {}
    return client.get(f"/billing/versions/{old.pk}/move/", {**asked, **facts})


def day(days):
    return (timezone.now() + days * DAY).date().isoformat()


def ask(client, old, new, *, typed="move 1", **facts):
    body = {"target": new.pk, "holds_from": day(40), "reason": "Costs rose", "typed": typed}
    return client.post(f"/billing/versions/{old.pk}/move/ask/", {**body, **facts})


def test_page_shows_each_companys_difference_and_conflicts_first(operator):
    old = make_plan()
    renter = Renter(old)
    full = Renter(old, seats=1, name="Zz full")
    allowed = Renter(old, seats=1, name="Yy allowed")
    for each, used in ((full, 25), (allowed, 25), (renter, 5)):
        CompanyFacts.objects.update_or_create(
            company_id=each.id,
            defaults={"surveyed_at": timezone.now(), "usage": {"contacts": used}},
        )
    CompanyLimit.objects.create(
        company_id=allowed.id, kind="contacts", value=99, reason="r", set_at=timezone.now()
    )
    new = next_version(old.plan_id, amount=6000, limits={"contacts": 10})
    answer = look_at(operator, old, new)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "25 of 10" in page
    assert page.index("Zz full") < page.index("Yy allowed")
    assert "+US$50.00" in page
    assert "+US$70.00" in page  # all together
    assert "move 3" in page
    assert not PlanMove.objects.filter(source=old).exists()


def test_two_persons_move_companies_and_every_step_is_written_down(operator, moved):
    renter, old, new = moved
    assert ask(operator, old, new).status_code == 302
    row = Approval.objects.latest("pk")
    assert (row.act, row.title) == ("move_plan", "Own 1 → Own 2")
    assert renter.item.state == "waiting"
    assert operator.post(f"/approvals/{row.pk}/agree/").status_code == 403
    second = client_of(make_person("platform", name="Paul Platform"))
    assert "Own 1 → Own 2" in second.get("/approvals/").content.decode()
    assert second.post(f"/approvals/{row.pk}/agree/").status_code == 302
    row.refresh_from_db()
    assert row.outcome == {"all": "done"}
    assert renter.item.state == "planned"
    move = PlanMove.objects.get(pk=row.subject)
    assert (move.asked_by, move.agreed_by) == ("Petra Platform", "Paul Platform")
    page = second.get(f"/billing/moves/{move.pk}/").content.decode()
    assert "Announced" in page
    assert "Costs rose" in page
    assert (
        f"/billing/moves/{move.pk}/"
        in operator.get(f"/billing/plans/{old.plan_id}/").content.decode()
    )
    undo = f"/billing/moves/{move.pk}/undo/"
    assert operator.post(undo, {"reason": ""}).status_code == 422
    assert operator.post(undo, {"reason": "Too early"}).status_code == 302
    assert renter.item.state == "undone"
    assert operator.post(undo, {"reason": "again"}).status_code == 422
    verbs = set(OperatorEntry.objects.values_list("verb", flat=True))
    assert {"approval.asked", "approval.agreed", "plan.moved", "plan.move_undone"} <= verbs


def test_move_reaches_the_company_with_its_renewal(operator, moved):
    renter, old, new = moved
    ask(operator, old, new)
    row = Approval.objects.latest("pk")
    approvals.agree(approval_id=row.pk, actor=make_person("platform"), at=timezone.now())
    rented = Subscription.objects.get(account__company_id=renter.id)
    for number in (1, 2):
        clock.run(at=after(rented.anchor, "month", number))
    rented.refresh_from_db()
    assert rented.price.version_id == new.pk
    assert Company.objects.get(pk=renter.id).plan_limits == {"contacts": 10}


@pytest.mark.parametrize(
    ("facts", "said"),
    [({"typed": "move 2"}, "Type “move 1” exactly"), ({"reason": ""}, "required"),
     ({"holds_from": "2020-01-01"}, "at least 30 days before"),
     ({"holds_from": "nonsense"}, "valid date"), ({"target": "0"}, "valid choice")],
)  # fmt: skip
def test_wrong_words_are_refused_and_ask_nobody(operator, moved, facts, said):
    _renter, old, new = moved
    before = Approval.objects.count()
    answer = ask(operator, old, new, **facts)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Approval.objects.count() == before
    assert not PlanMove.objects.filter(source=old).exists()


def test_proposal_that_was_replaced_is_refused_when_agreed_to(operator, moved):
    _renter, old, new = moved
    ask(operator, old, new)
    first = Approval.objects.latest("pk")
    ask(operator, old, new)
    done = approvals.agree(approval_id=first.pk, actor=make_person("platform"), at=timezone.now())
    assert "newer one" in done.outcome["all"]


def test_refused_move_is_put_away(operator, platform_operator, moved):
    _renter, old, new = moved
    ask(operator, old, new)
    row = Approval.objects.latest("pk")
    approvals.refuse(approval_id=row.pk, actor=platform_operator, at=timezone.now())
    assert not PlanMove.objects.filter(source=old).exists()


def test_whole_acts_are_not_offered_for_a_list_of_companies(operator, platform_operator, moved):
    renter, _old, _new = moved
    assert "move_plan" not in operator.get("/").content.decode()
    answer = operator.post("/approvals/ask/", {"act": "move_plan", "companies": [str(renter.id)]})
    assert answer.status_code == 302
    with pytest.raises(Invalid):
        approvals.ask(
            act_key="move_plan", company_ids=[renter.id], reason="r", typed="x",
            actor=platform_operator, at=timezone.now(),
        )  # fmt: skip


@pytest.mark.parametrize("role", ["billing", "support", "auditor"])
def test_only_platform_operators_ask_and_undo(moved, role):
    _renter, old, new = moved
    person = make_person(role)
    with pytest.raises(NotAllowed):
        plan_moves.ask(
            source_id=old.pk, target_id=new.pk, holds_from=timezone.now() + 40 * DAY,
            reason="r", typed="move 1", actor=person, at=timezone.now(),
        )  # fmt: skip
    with pytest.raises(NotAllowed):
        plan_moves.undo(move_id=1, reason="r", actor=person, at=timezone.now())
    page = look_at(client_of(person), old, new)
    assert page.status_code == (200 if role == "billing" else 403)
    assert "Ask a second person" not in page.content.decode()


def test_pages_without_anything_say_so(operator, moved):
    _renter, _old, new = moved
    assert "No company rents this version" in look_at(operator, new).content.decode()
    for path in ("/billing/versions/999999999/move/", "/billing/moves/999999999/"):
        assert operator.get(path).status_code == 404
    assert operator.post("/billing/moves/999999999/undo/", {"reason": "r"}).status_code == 404


@pytest.mark.parametrize("count", [1, 6])
def test_dry_run_costs_the_same_for_many(operator, count, django_assert_max_num_queries):
    old = make_plan()
    for _number in range(count):
        Renter(old, seats=1)
    new = next_version(old.plan_id, amount=6000)
    with django_assert_max_num_queries(14):
        assert look_at(operator, old, new).status_code == 200
