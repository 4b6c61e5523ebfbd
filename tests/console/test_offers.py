"""Operators make coupons and give credit; too much of it needs two of them."""

import pytest
from django.utils import timezone

from billing.models import Coupon, CouponRedemption, CreditGrant
from crm_platform.console.models import Approval, OperatorEntry
from crm_platform.console.services import approvals, offers
from crm_platform.kernel.errors import NotAllowed
from tests.conftest import NOON, unique
from tests.console.conftest import client_of, make_person
from tests.console.test_billing import Renter, entries


@pytest.fixture
def renter(platform_operator):
    return Renter()


def add(client, **facts):
    body = {"code": f"C-{unique()}", "percent": "20"}
    return client.post("/billing/coupons/new/", {**body, **facts})


def give(client, renter, amount="150", reason="Outage", **facts):
    body = {"amount": amount, "reason": reason, **facts}
    return client.post(renter.path("credit/"), body)


def test_coupon_is_added_listed_given_and_ended(operator, renter):
    answer = add(operator, code="spring-26", periods="3", partner="Harbour Partners", most="5")
    assert answer.status_code == 302
    coupon = Coupon.objects.get(code="SPRING-26")
    assert (coupon.percent, coupon.periods, coupon.by) == (20, 3, "Petra Platform")
    page = operator.get("/billing/coupons/").content.decode()
    for shown in ("SPRING-26", "20 % off 3 bills", "Harbour Partners", "0 / 5"):
        assert shown in page
    path = renter.path("coupon/")
    assert operator.get(path).status_code == 200
    assert operator.post(path, {"code": "nothing"}).status_code == 422
    assert operator.post(path, {"code": "spring-26"}).status_code == 302
    made = CouponRedemption.objects.get(account=renter.account)
    assert made.by == "Petra Platform"
    assert "SPRING-26: 20 % off 3 bills" in operator.get(renter.path()).content.decode()
    assert operator.post(path, {"code": "spring-26"}).status_code == 422
    end = f"/billing/coupons/{coupon.pk}/end/"
    assert operator.post(end).status_code == 302
    assert operator.post(end).status_code == 409
    assert end not in operator.get("/billing/coupons/").content.decode()
    assert entries("coupon.added") == [("", {"off": "20 %"})]
    assert entries("billing.coupon_given") == [("", {"coupon": "SPRING-26"})]
    assert len(entries("coupon.ended")) == 1


@pytest.mark.parametrize(
    ("facts", "said"),
    [({"percent": ""}, "either a percentage or an amount"),
     ({"amount": "5", "currency": "USD"}, "either a percentage or an amount"),
     ({"percent": "", "amount": "5"}, "Choose the currency"),
     ({"percent": "", "amount": "1.5", "currency": "TWD"}, "whole units"),
     ({"percent": "101"}, "less than or equal to 100"), ({"code": "a b"}, "3 to 40 letters"),
     ({"valid_until": "2020-01-01"}, "in the future"), ({"plans": ["999999"]}, "valid choice"),
     ({"interval": "week"}, "valid choice")],
)  # fmt: skip
def test_coupon_that_cannot_be_is_refused_with_a_sentence(operator, facts, said):
    before = Coupon.objects.count()
    answer = add(operator, **facts)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Coupon.objects.count() == before


def test_little_credit_is_given_by_one(operator, renter):
    assert "above" in operator.get(renter.path("credit/")).content.decode().lower()
    assert give(operator, renter, expires_on="2999-01-01", partner="Harbour").status_code == 302
    made = CreditGrant.objects.get(account=renter.account)
    assert (made.amount, made.by, made.partner) == (15_000, "Petra Platform", "Harbour")
    assert made.agreed_at is not None
    page = operator.get(renter.path()).content.decode()
    assert "US$150.00 of US$150.00" in page
    assert "Was given credit" in page
    path = f"/billing/credits/{made.pk}/withdraw/"
    assert path in page
    assert operator.get(path).status_code == 200
    assert operator.post(path, {"reason": "A mistake"}).status_code == 302
    assert operator.post(path, {"reason": "again"}).status_code == 422
    assert entries("billing.credit_given") == [("Outage", {"amount": "US$150.00"})]
    assert entries("billing.credit_withdrawn") == [("A mistake", {"amount": "US$150.00"})]


def test_much_credit_holds_once_a_second_person_agreed(renter):
    first = make_person("billing", name="Bea Billing")
    assert give(client_of(first), renter, amount="5000", reason="Long outage").status_code == 302
    made = CreditGrant.objects.get(account=renter.account)
    assert made.agreed_at is None
    assert "Waits for a second person" in client_of(first).get(renter.path()).content.decode()
    row = Approval.objects.latest("pk")
    assert (row.act, row.title, row.subject) == ("give_credit", "US$5,000.00", made.pk)
    with pytest.raises(NotAllowed):
        approvals.agree(approval_id=row.pk, actor=first, at=timezone.now())
    second = make_person("platform", name="Paul Platform")
    approvals.agree(approval_id=row.pk, actor=second, at=timezone.now())
    made.refresh_from_db()
    assert made.agreed_by == "Paul Platform"
    assert entries("billing.credit_given") == [("Long outage", {"amount": "US$5,000.00"})]


def test_refused_credit_never_holds(operator, platform_operator, renter):
    give(operator, renter, amount="5000")
    row = Approval.objects.latest("pk")
    approvals.refuse(approval_id=row.pk, actor=platform_operator, at=timezone.now())
    made = CreditGrant.objects.get(account=renter.account)
    assert (made.agreed_at, made.ended_at is not None) == (None, True)
    page = operator.get(renter.path()).content.decode()
    assert "Waits for a second person" not in page
    assert "Refused" in page
    give(operator, renter, amount="5000")
    later = timezone.now() + approvals.VALID
    assert approvals.expire(at=later) == 1
    assert not CreditGrant.objects.filter(account=renter.account, ended_at=None).exists()
    assert not OperatorEntry.objects.filter(verb="billing.credit_given").exists()


@pytest.mark.parametrize(
    ("facts", "said"),
    [({"amount": "0"}, "above 0"), ({"amount": "x"}, "Write the amount"),
     ({"reason": " "}, "required"), ({"expires_on": "2020-01-01"}, "in the future")],
)  # fmt: skip
def test_credit_that_cannot_be_is_refused_with_a_sentence(operator, renter, facts, said):
    answer = give(operator, renter, **facts)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not CreditGrant.objects.filter(account=renter.account).exists()


def test_what_is_not_there_is_not_found(operator, globex):
    for path in ("/billing/credits/999999999/withdraw/", f"/companies/{globex.id}/billing/credit/",
                 f"/companies/{globex.id}/billing/coupon/"):  # fmt: skip
        assert operator.get(path).status_code == 404
    assert operator.post("/billing/coupons/999999999/end/").status_code == 404


@pytest.mark.parametrize("role", ["support", "auditor"])
def test_others_look_and_do_not_give(renter, role):
    person = make_person(role)
    acts = (
        lambda: offers.give_credit(
            company_id=renter.id, amount=1, reason="r", expires_on=None, partner="", actor=person,
            at=NOON),
        lambda: offers.give_coupon(company_id=renter.id, code="x", actor=person, at=NOON),
        lambda: offers.end_coupon(coupon_id=1, actor=person, at=NOON),
        lambda: offers.withdraw_credit(grant_id=1, reason="r", actor=person, at=NOON),
        lambda: offers.add_coupon(
            code="ABC", percent=1, amount=None, currency="", interval="", plans=[], periods=None,
            most=None, valid_until=None, partner="", actor=person, at=NOON),
    )  # fmt: skip
    for act in acts:
        with pytest.raises(NotAllowed):
            act()
    client = client_of(person)
    assert client.get("/billing/coupons/").status_code == 200
    assert client.get(renter.path("credit/")).status_code == 403


@pytest.mark.parametrize("count", [1, 8])
def test_coupons_page_costs_the_same_for_many(operator, count, django_assert_max_num_queries):
    for _number in range(count):
        add(operator)
    with django_assert_max_num_queries(7):
        assert operator.get("/billing/coupons/").status_code == 200
