"""T14: an operator looks into a company only with its word, for a while, seen and on the record."""

import datetime as dt
import re
import uuid

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from crm_core.audit.models import Entry
from crm_core.notify.models import Notification
from crm_core.records.models import Account
from crm_platform.console.models import OperatorEntry, SupportRequest
from crm_platform.console.services import operators, support
from crm_platform.identity import queries as identity_queries
from crm_platform.identity.models import Session, SupportVisit, User
from crm_platform.identity.services import people
from crm_platform.identity.services import support as companys
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tenants.models import Company
from tests import factories
from tests.conftest import NOON, make_company, unique
from tests.console.conftest import client_of, make_person

LINK = re.compile(r'href="http://[^/"]+(/support/[^"]+)"')
REASON = "The import of Friday looks wrong"


@pytest.fixture(scope="module")
def house(database):
    """A company with its people, committed: both sides write for good here."""
    scope = make_company(f"support-{unique()}")
    with tenancy.unit_of_work(scope):
        owner = factories.user(role="owner", name="Olga Owner")
        member = factories.user(role="member", name="Max Member")
        factories.account(owner, name="Harbour Lines")
    return scope, owner, member


@pytest.fixture
def ann(database):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        person = make_person("support", name="Ann Support")
        return person, client_of(person)


def client_at(scope, person):
    client = Client(headers={"host": scope.host})
    name, value = factories.session_cookie(scope, person)
    client.cookies[name] = value
    return client


def asked(scope, client, minutes=60):
    """Ask through the page; returns the request and the visit in the company."""
    answer = client.post(f"/companies/{scope.id}/support/", {"reason": REASON, "minutes": minutes})
    assert answer.status_code == 302
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = SupportRequest.objects.filter(company_id=scope.id).latest("asked_at")
    with tenancy.unit_of_work(scope):
        return row, SupportVisit.objects.get(key=row.pk)


def entered(scope, client, row):
    """Come in by the one-time link; returns the visitor's browser and the link's path."""
    page = client.post(f"/support/{row.pk}/enter/").content.decode()
    path = LINK.search(page)[1]
    visitor = Client(headers={"host": scope.host})
    answer = visitor.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    return visitor, path


@pytest.fixture
def visit(house, ann):
    """Granted to look only, and entered; ended afterwards."""
    scope, owner, _member = house
    row, wish = asked(scope, ann[1])
    client_at(scope, owner).post(f"/settings/support/{wish.pk}/grant/")
    visitor, path = entered(scope, ann[1], row)
    yield row, wish, visitor, path
    with tenancy.unit_of_work(scope):
        companys.end_by_operator(key=row.pk, by="test", at=timezone.now())


def test_t14_nothing_opens_before_the_company_agrees(house, ann, say):
    scope, owner, member = house
    row, wish = asked(scope, ann[1])
    tried = [ann[1].post(f"/support/{row.pk}/enter/").status_code]
    tried += [client_at(scope, member).post(f"/settings/support/{wish.pk}/{act}/").status_code
              for act in ("grant", "refuse")]  # fmt: skip
    tried += [client_at(scope, member).get("/settings/support/").status_code]
    with tenancy.unit_of_work(scope):
        assert Notification.objects.filter(user=owner, kind="support.asked").exists()
        assert not Notification.objects.filter(user=member, kind="support.asked").exists()
    page = client_at(scope, owner).get("/inbox/").content.decode()
    assert REASON in page
    assert "Ann Support asks to look in" in (
        client_at(scope, owner).get("/settings/support/").content.decode()
    )

    client_at(scope, owner).post(f"/settings/support/{wish.pk}/refuse/")
    tried += [ann[1].post(f"/support/{row.pk}/enter/").status_code]

    with tenancy.unit_of_work(tenancy.PLATFORM):
        row.refresh_from_db()
    say(f"T14 without consent: let in=0/{len(tried)}, answers {sorted(set(tried))}")
    assert set(tried) == {403, 409}
    assert (row.state, row.decided_by) == ("refused", "Olga Owner")


def test_t14_visit_looks_only_and_everybody_sees_it(house, visit, say):
    scope, owner, member = house
    _row, wish, visitor, path = visit
    for person in (owner, member):
        page = client_at(scope, person).get("/").content.decode()
        assert "Support (Ann Support) has access until" in page
        assert REASON in page
        assert (f"/settings/support/{wish.pk}/end/" in page) is (person == owner)
    assert "Support (Ann Support) has access until" in visitor.get("/accounts/").content.decode()
    with tenancy.unit_of_work(scope):
        account = Account.objects.get(name="Harbour Lines")
    writes = [
        visitor.post("/accounts/new/", {"name": "Smuggled"}),
        visitor.post(f"/accounts/{account.pk}/field/name/", {"name": "Smuggled"}),
        visitor.post("/api/v1/accounts/", {"name": "Smuggled"}, content_type="application/json"),
        visitor.patch(
            f"/api/v1/accounts/{account.pk}/", {"name": "X"}, content_type="application/json"
        ),
        visitor.delete(f"/api/v1/accounts/{account.pk}/"),
        visitor.post("/me/", {"name": "Smuggled", "language": "en"}),
        visitor.post("/me/security/password/", {"old": "x", "new": "y"}),
        visitor.get("/me/tokens/"),
        visitor.get("/settings/people/"),
        visitor.get("/settings/roles/"),
        visitor.get("/settings/company/"),
        visitor.get("/settings/support/"),
    ]
    through = [answer for answer in writes if answer.status_code < 400]

    say(f"T14 look only: refused={len(writes) - len(through)}/{len(writes)}")
    assert through == []
    with tenancy.unit_of_work(scope):
        assert not Account.objects.filter(name="Smuggled").exists()
    assert Client(headers={"host": scope.host}).get(path).status_code == 422


def test_t14_every_act_carries_both_names_on_both_sides(house, ann, say):
    scope, owner, _member = house
    row, wish = asked(scope, ann[1])
    client_at(scope, owner).post(f"/settings/support/{wish.pk}/grant/", {"may_write": "1"})
    visitor, _path = entered(scope, ann[1], row)
    visitor.get("/accounts/")
    for number in range(3):
        visitor.post("/accounts/new/", {"name": f"By support {number}"})
    visitor.post(f"/settings/support/{wish.pk}/end/")

    with tenancy.unit_of_work(scope):
        wish.refresh_from_db()
        acts = Entry.objects.filter(actor_id=wish.user_id)
        writes = acts.filter(verb="account.created")
        both = [e for e in writes if wish.operator_id == ann[0].pk and wish.decided_by_id]
        assert writes.count() == 3
        later = acts.exclude(verb="support.entered")
        assert set(later.values_list("channel", flat=True)) == {"support"}
        assert {"support.entered", "support.viewed", "support.ended"} <= set(
            acts.values_list("verb", flat=True)
        )
        assert (wish.user.name, wish.decided_by) == ("Support (Ann Support)", owner)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        entries = OperatorEntry.objects.filter(object_id=str(row.pk))
        told = list(entries.filter(verb="support.changed"))
        assert {e.actor_id for e in told} == {ann[0].pk}
        assert {e.facts["agreed_by"] for e in told} == {owner.pk}
        known = set(entries.values_list("verb", flat=True))
    say(f"T14 writes: rows={len(writes)} with both={len(both)}; operators' audit: {len(told)}")
    assert len(both) == 3
    assert len(told) >= 3
    assert {"support.asked", "support.granted", "support.entered", "support.viewed",
            "support.ended"} <= known  # fmt: skip
    assert all("By support" not in str(e.facts) for e in told)


def test_t14_it_ends_by_the_owner_the_operator_and_by_itself(house, ann, say):
    scope, owner, _member = house
    ways = 0

    def opened():
        row, wish = asked(scope, ann[1], minutes=30)
        client_at(scope, owner).post(f"/settings/support/{wish.pk}/grant/")
        visitor, _path = entered(scope, ann[1], row)
        assert visitor.get("/").status_code == 200
        return row, wish, visitor

    row, wish, visitor = opened()
    client_at(scope, owner).post(f"/settings/support/{wish.pk}/end/")
    ways += visitor.get("/").status_code == 302

    row, wish, visitor = opened()
    ann[1].post(f"/support/{row.pk}/end/")
    ways += visitor.get("/").status_code == 302

    row, wish, visitor = opened()
    over = timezone.now() - dt.timedelta(seconds=1)
    with tenancy.unit_of_work(scope):
        session = Session.objects.get(user__support_visit=wish)
        assert session.expires_at - wish.asked_at <= dt.timedelta(minutes=31)
        Session.objects.filter(pk=session.pk).update(expires_at=over)
    ways += visitor.get("/").status_code == 302
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row.refresh_from_db()
        until = row.until
    support.sweep(at=until + dt.timedelta(seconds=1))
    with tenancy.unit_of_work(scope):
        wish.refresh_from_db()
        assert not User.objects.get(pk=wish.user_id).is_active
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row.refresh_from_db()
    assert (wish.state, row.state) == ("ended", "ended")
    assert "has access until" not in client_at(scope, owner).get("/").content.decode()
    say(f"T14 ended: {ways}/3 ways close the visitor's browser at once")
    assert ways == 3


def test_t14_operator_who_leaves_leaves_every_company(house, ann):
    scope, owner, _member = house
    row, wish = asked(scope, ann[1])
    client_at(scope, owner).post(f"/settings/support/{wish.pk}/grant/")
    visitor, _path = entered(scope, ann[1], row)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        boss = make_person("platform")
        operators.deactivate(person=ann[0], actor=boss, at=timezone.now())

    assert visitor.get("/").status_code == 302


def test_t14_visitor_is_no_colleague_and_costs_no_seat(house, visit):
    scope, _owner, _member = house
    _row, wish, *_rest = visit
    with tenancy.unit_of_work(scope):
        wish.refresh_from_db()
        before = User.objects.filter(is_active=True, is_support=False).count()
        assert people.count_active() == before
        assert wish.user not in identity_queries.people()
        assert wish.user not in identity_queries.active_people()
        assert not identity_queries.roles().filter(key__startswith="support-").exists()
        assert not wish.user.has_usable_password()


def test_t14_only_who_asked_comes_in(house, visit):
    row, *_rest = visit
    with tenancy.unit_of_work(tenancy.PLATFORM):
        other = client_of(make_person("platform"))
        auditor = client_of(make_person("auditor"))

    assert other.post(f"/support/{row.pk}/enter/").status_code == 403
    assert auditor.post(f"/support/{row.pk}/enter/").status_code == 403
    assert "Ann Support" in auditor.get("/support/").content.decode()
    assert other.post(f"/support/{uuid.uuid4()}/enter/").status_code == 404
    assert other.post(f"/support/{row.pk}/end/").status_code == 302


def test_asking_needs_a_reason_a_time_and_no_open_wish(platform_unit, acme, globex):
    person = make_person("support")

    def ask(**given):
        values = {"company_id": acme.id, "reason": REASON, "minutes": 60, "actor": person}
        return support.ask(**{**values, **given}, at=NOON)

    for given, error in (
        ({"reason": " "}, Invalid), ({"minutes": 241}, Invalid), ({"minutes": 0}, Invalid),
        ({"actor": make_person("billing")}, NotAllowed),
    ):  # fmt: skip
        with pytest.raises(error):
            ask(**given)
    Company.objects.filter(pk=globex.id).update(state="suspended")
    with pytest.raises(Conflict):
        ask(company_id=globex.id)
    row = ask()
    with pytest.raises(Conflict):
        ask()
    support.end(key=row.pk, actor=person, at=NOON)
    with pytest.raises(Conflict):
        support.end(key=row.pk, actor=person, at=NOON)
    with pytest.raises(NotFound):
        support.end(key=uuid.uuid4(), actor=person, at=NOON)
    ask()


def test_wish_that_nobody_answers_ends_on_both_sides_after_three_days(house):
    scope, owner, _member = house
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = SupportRequest.objects.create(
            company_id=scope.id, operator_id=1, operator_name="Gone", reason=REASON, minutes=30,
            asked_at=NOON,
        )  # fmt: skip
    states = []
    for later in (dt.timedelta(days=2), support.UNANSWERED):
        support.sweep(at=NOON + later)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            row.refresh_from_db()
        with tenancy.unit_of_work(scope):
            wish = SupportVisit.objects.get(key=row.pk)
        states.append((row.state, wish.state))
    assert states == [("asked", "asked"), ("ended", "ended")]
    with tenancy.unit_of_work(scope), pytest.raises(Conflict):
        companys.grant(visit_id=wish.pk, may_write=False, actor=owner, at=NOON)


def test_what_a_crash_left_untold_is_told_by_the_sweep_once(house):
    scope, owner, _member = house
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = SupportRequest.objects.create(
            company_id=scope.id, operator_id=1, operator_name="Gone", reason=REASON, minutes=30,
            asked_at=NOON,
        )  # fmt: skip
    for _time in range(2):
        support.sweep(at=NOON)

    with tenancy.unit_of_work(scope):
        wish = SupportVisit.objects.get(key=row.pk)
        told = Notification.objects.filter(user=owner, record_id=wish.pk, kind="support.asked")
        assert told.count() == 1
        with pytest.raises(Invalid):
            companys.receive(
                key=uuid.uuid4(), operator_id=1, operator_name="x", reason="x", minutes=999,
                at=NOON,
            )  # fmt: skip
        companys.refuse(visit_id=wish.pk, actor=owner, at=NOON)
        with pytest.raises(Conflict):
            companys.grant(visit_id=wish.pk, may_write=False, actor=owner, at=NOON)
        with pytest.raises(Conflict):
            companys.end(visit_id=wish.pk, actor=owner, at=NOON)
        with pytest.raises(NotFound):
            companys.grant(visit_id=10**9, may_write=False, actor=owner, at=NOON)


def test_company_out_of_reach_stops_no_other_in_the_sweep(house, monkeypatch):
    scope, _owner, _member = house
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = [
            SupportRequest.objects.create(
                company_id=scope.id, operator_id=1, operator_name="Gone", reason=REASON,
                minutes=30, asked_at=NOON,
            )
            for _number in range(2)
        ]  # fmt: skip
    told, real = [], support.deliver

    def broken(*, key, at):
        told.append(key)
        if len(told) == 1:
            raise DatabaseError("no such table")
        real(key=key, at=at)

    monkeypatch.setattr(support, "deliver", broken)
    support.sweep(at=NOON)

    assert {row.pk for row in rows} <= set(told)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        left = SupportRequest.objects.filter(pk__in=[r.pk for r in rows], delivered_at=None)
        assert left.count() == 1
