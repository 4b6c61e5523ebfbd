"""Two persons: one asks and types what is meant, another agrees within a day."""

import datetime as dt
import uuid

import pytest

from crm_platform.console import acts
from crm_platform.console.models import Approval, OperatorEntry
from crm_platform.console.services import approvals, audit
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tenants import queries
from tenants.models import Company
from tests.conftest import NOON
from tests.console.conftest import client_of, make_person

DAY = dt.timedelta(days=1)


@pytest.fixture
def two(platform_operator):
    return platform_operator, make_person("platform", name="Paul Platform")


@pytest.fixture(autouse=True)
def hosts():
    yield
    queries.forget_hosts()


def asked(actor, *scopes, **given):
    typed = scopes[0].slug if len(scopes) == 1 else f"{len(scopes)} companies"
    values = {"act_key": "suspend", "company_ids": [each.id for each in scopes],
              "reason": "unpaid", "actor": actor, "at": NOON, "typed": typed}  # fmt: skip
    return approvals.ask(**{**values, **given})


def test_nothing_happens_by_one_person(two, acme, globex, say):
    first, second = two
    row = asked(first, acme, globex)
    support = make_person("support")

    tried = 0
    for actor in (first, support, make_person("auditor"), make_person("billing")):
        with pytest.raises(NotAllowed):
            approvals.agree(approval_id=row.pk, actor=actor, at=NOON)
        tried += 1
    changed = Company.objects.filter(pk__in=[acme.id, globex.id], state="suspended").count()
    say(f"two persons: {tried} single ones tried, companies changed={changed}")
    assert changed == 0

    done = approvals.agree(approval_id=row.pk, actor=second, at=NOON)
    assert set(done.outcome.values()) == {"done"}
    assert Company.objects.filter(pk__in=[acme.id, globex.id], state="suspended").count() == 2
    verbs = set(OperatorEntry.objects.values_list("verb", flat=True))
    assert {"approval.asked", "approval.agreed", "company.suspended"} <= verbs
    with pytest.raises(Conflict):
        approvals.agree(approval_id=row.pk, actor=second, at=NOON)


def test_company_that_refuses_stops_no_other(two, acme, globex):
    first, second = two
    row = asked(first, acme, globex)
    Company.objects.filter(pk=globex.id).update(state="suspended")

    done = approvals.agree(approval_id=row.pk, actor=second, at=NOON)

    assert done.outcome[str(acme.id)] == "done"
    assert "another state" in done.outcome[str(globex.id)]


def test_a_day_later_it_is_too_late(two, acme):
    first, second = two
    row = asked(first, acme)
    with pytest.raises(Conflict):
        approvals.agree(approval_id=row.pk, actor=second, at=NOON + DAY)
    assert approvals.expire(at=NOON + DAY / 2) == 0
    assert approvals.expire(at=NOON + DAY) == 1
    assert approvals.expire(at=NOON + DAY) == 0
    row.refresh_from_db()
    assert row.state == "expired"
    with pytest.raises(NotFound):
        approvals.agree(approval_id=10**9, actor=second, at=NOON)


@pytest.mark.parametrize(
    "given",
    [{"typed": "yes"}, {"typed": ""}, {"reason": " "}, {"act_key": "nonsense"},
     {"company_ids": []}, {"company_ids": [uuid.uuid4()]}],
)  # fmt: skip
def test_asking_wants_the_typed_words_a_reason_and_companies(two, acme, given):
    with pytest.raises(Invalid):
        asked(two[0], acme, **given)
    assert not Approval.objects.filter(asked_by_id=two[0].pk).exists()


def test_most_is_kept_and_only_the_platform_asks(two, acme, globex):
    acts.offer(acts.Act("narrow", "Narrow", "", lambda **_k: None, most=1))
    try:
        with pytest.raises(Invalid):
            asked(two[0], acme, globex, act_key="narrow")
    finally:
        acts._acts.pop("narrow")
    with pytest.raises(NotAllowed):
        asked(make_person("support"), acme)
    row = asked(two[0], acme)
    acts_before = dict(acts._acts)
    acts._acts.clear()
    try:
        with pytest.raises(Conflict):
            approvals.agree(approval_id=row.pk, actor=two[1], at=NOON)
    finally:
        acts._acts.update(acts_before)


def test_act_with_units_of_its_own_runs_once_it_is_kept(
    two, acme, globex, django_capture_on_commit_callbacks
):
    ran = []

    def erase(*, company_id, reason, asked_by, actor, at):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            ran.append((company_id, reason, actor.pk))
        if company_id == globex.id:
            raise Conflict("Not closed yet.")

    acts.offer(acts.Act("erase", "Erase", "", erase, later=True))
    try:
        row = asked(two[0], acme, globex, act_key="erase")
        with django_capture_on_commit_callbacks(execute=True):
            approvals.agree(approval_id=row.pk, actor=two[1], at=NOON)
            assert ran == []
    finally:
        acts._acts.pop("erase")
    row.refresh_from_db()
    assert {each[0] for each in ran} == {acme.id, globex.id}
    assert row.outcome == {str(acme.id): "done", str(globex.id): "Not closed yet."}


def test_from_the_list_to_the_second_person(operator, two, acme, globex):
    ids = {"act": "suspend", "companies": [str(acme.id), str(globex.id)]}
    page = operator.post("/approvals/ask/", ids).content.decode()
    assert "2 companies" in page
    assert operator.post("/approvals/ask/", {"act": "suspend"}).status_code == 302
    wrong = operator.post("/approvals/ask/", {**ids, "reason": "unpaid", "typed": "two"})
    assert wrong.status_code == 422
    operator.post("/approvals/ask/", {**ids, "reason": "unpaid", "typed": "2 companies"})
    row = Approval.objects.latest("pk")
    own = operator.get("/approvals/").content.decode()
    assert f"/approvals/{row.pk}/agree/" not in own
    assert operator.post(f"/approvals/{row.pk}/agree/").status_code == 403

    other = client_of(two[1])
    assert f"/approvals/{row.pk}/agree/" in other.get("/approvals/").content.decode()
    other.post(f"/approvals/{row.pk}/refuse/")
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("refused", "Paul Platform")
    assert Company.objects.get(pk=acme.id).state == "active"
    assert "Waits" not in other.get("/approvals/").content.decode()


def test_audit_names_the_act_in_words_and_says_yes_and_no(operator, two, acme):
    asked(two[0], acme)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        audit.record(actor=two[0], verb="support.granted", at=NOON, facts={"may_write": False})

    page = operator.get("/audit/").content.decode()
    assert f'<a href="/companies/{acme.id}/">{acts.get_act("suspend").label}</a>' in page
    assert "no</li>" in page
    assert "False" not in page
