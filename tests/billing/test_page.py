"""The company's billing page: the price before the act, refusals in words, own invoices only."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from billing import coupons, moving, paying, subscribing
from billing.models import Account, Invoice
from billing.pdf import font_of, invoice_pdf
from billing.standing import invoice_of
from crm_core.audit.models import Entry
from crm_platform.kernel import tenancy
from tests import factories
from tests.billing.conftest import (
    make_plan,
    make_trial,
    next_version,
    owner_of,
    price,
    price_in,
    rent,
    rent_in,
    state_of,
)
from tests.conftest import NOON, unique

PAGE = "/settings/billing/"


def client_of(scope, person) -> Client:
    client = Client(headers={"host": scope.host})
    name, value = factories.session_cookie(scope, person)
    client.cookies[name] = value
    return client


@pytest.fixture
def payer(trial):
    return client_of(trial, owner_of(trial))


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def first_invoice(scope) -> Invoice:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Invoice.objects.filter(account__company_id=scope.id).latest("pk")


RENT = {"seats": "5", "legal_name": "Firma GmbH", "country": "DE"}


def test_price_is_shown_before_renting_and_billed_as_shown(trial, payer):
    assert "Rent Rapport" in text_of(payer.get(PAGE))
    given = {**RENT, "price": price()}
    shown = payer.post(f"{PAGE}check/", given)
    assert "US$250.00" in text_of(shown)
    assert state_of(trial) == "trial"
    assert payer.post(f"{PAGE}start/", given).status_code == 302
    assert first_invoice(trial).total == 25_000
    page = text_of(payer.get(PAGE))
    assert "US$50.00 per user and month × 5 = US$250.00" in page
    assert state_of(trial) == "active"
    with tenancy.unit_of_work(trial):
        assert Entry.objects.filter(verb="billing.started").count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"seats": "0"}, "greater than or equal to 1"), ({"price": "0"}, "valid choice"),
     ({"legal_name": " "}, "required"), ({"seats": "x"}, "whole number"),
     ({"tax_id_kind": "tw_vat", "tax_id": "12345678"}, "eight digits")],
)  # fmt: skip
def test_wrong_words_are_answered_at_their_field(trial, payer, wrong, said):
    given = {**RENT, "price": price(), **wrong}
    answer = payer.post(f"{PAGE}start/", given)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert state_of(trial) == "trial"


def test_seats_are_added_for_just_what_was_shown_and_reduced_for_later(trial, payer):
    rent(trial, seats=2, at=timezone.now() - dt.timedelta(days=3))
    with tenancy.unit_of_work(tenancy.PLATFORM):
        live = subscribing.live(trial.id)
    answer = payer.post(f"{PAGE}seats/", {"seats": "4"})
    sealed = re.search(r'name="quote" value="([^"]+)"', answer.content.decode())[1]
    total = re.search(r"data-total[^>]*>\s*<b>([^<]+)", answer.content.decode())[1]
    assert payer.post(f"{PAGE}accept/", {"quote": sealed}).status_code == 302
    bill = first_invoice(trial)
    assert total == f"US${bill.total / 100:,.2f}"
    again = payer.post(f"{PAGE}accept/", {"quote": sealed})
    assert (again.status_code, "Something changed" in text_of(again)) == (422, True)
    assert payer.post(f"{PAGE}seats/", {"seats": "3"}).status_code == 302
    page = payer.get(PAGE)
    assert "3 seats" in text_of(page)
    change = re.search(r'name="change" value="(\d+)"', page.content.decode())[1]
    assert payer.post(f"{PAGE}take-back/", {"change": change}).status_code == 302
    assert payer.post(f"{PAGE}take-back/", {"change": change}).status_code == 422
    for bad in ("", "x", "-1", "1" * 30):
        assert payer.post(f"{PAGE}seats/", {"seats": bad}).status_code == 422
    assert live.seats == 2


def test_stop_and_go_on(trial, payer):
    rent(trial)
    assert payer.post(f"{PAGE}cancel/", {"reason": "Too dear"}).status_code == 302
    assert "Go on renting" in text_of(payer.get(PAGE))
    assert payer.post(f"{PAGE}cancel/").status_code == 422
    assert payer.post(f"{PAGE}resume/").status_code == 302
    assert payer.post(f"{PAGE}resume/").status_code == 422


def test_only_owners_and_whom_they_let_see_it(trial):
    rent(trial)
    with tenancy.unit_of_work(trial):
        admin, member = factories.user(role="admin"), factories.user(role="member")
        paying_role = factories.custom_role(
            {"*": dict.fromkeys(("view", "create", "edit", "delete", "export"), "none")},
            abilities=("billing.manage",),
        )
        bookkeeper = factories.user(role=paying_role)
    bill = first_invoice(trial)
    answers = {}
    for person in (admin, member, bookkeeper):
        client = client_of(trial, person)
        answers[person.pk] = [client.get(PAGE).status_code,
                              client.get(f"{PAGE}{bill.pk}.pdf").status_code]  # fmt: skip
    assert answers == {admin.pk: [403, 403], member.pk: [403, 403], bookkeeper.pk: [200, 200]}


def test_invoice_of_another_company_is_nobodys(trial, payer):
    other = make_trial()
    rent(other)
    assert payer.get(f"{PAGE}{first_invoice(other).pk}.pdf").status_code == 404


def test_read_only_and_suspended_companies_rent_again_from_their_page(trial, payer):
    from tenants.models import Company

    for state in ("read_only", "suspended"):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            Account.objects.filter(company_id=trial.id).update(legal_name="x")
            Company.objects.filter(pk=trial.id).update(state=state, state_until=NOON)
        from tenants import queries

        queries.forget_hosts()
        assert payer.get(PAGE).status_code == 200, state
    assert payer.post(f"{PAGE}start/", {**RENT, "price": price()}).status_code == 302
    assert state_of(trial) == "active"


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
def test_invoice_as_pdf_in_each_language(trial, language):
    rent(trial, currency="TWD")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Invoice.objects.filter(account__company_id=trial.id).update(
            language=language, buyer={"name": "台北科技股份有限公司", "address": "台北市\n信義區",
                                      "country": "TW", "tax_id": "04595257"},
        )  # fmt: skip
    made = invoice_pdf(invoice_of(trial.id, first_invoice(trial).pk))
    assert made.startswith(b"%PDF-")
    assert len(made) > 1500
    assert font_of(language, "Firma") == "Helvetica"


def test_what_was_paid_stands_on_page_and_bill(trial, payer):
    rent(trial, seats=1)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account = Account.objects.get(company_id=trial.id)
    paying.record_transfer(
        account_id=account.pk, amount=6000, received_on=NOON.date(), reference="T", by="Olga",
        at=NOON,
    )  # fmt: skip
    page = text_of(payer.get(PAGE))
    assert "Balance US$10.00" in page
    assert "To be paid" not in page


def test_coupon_is_shown_before_renting_and_billed_as_shown(trial, payer):
    code = coupons.add(code=f"C-{unique()}", percent=20, by="Olga", at=NOON).code
    given = {**RENT, "price": price(), "coupon": code}
    wrong = payer.post(f"{PAGE}check/", {**given, "coupon": "NONE-SUCH"})
    assert (wrong.status_code, "no such coupon" in text_of(wrong)) == (422, True)
    shown = payer.post(f"{PAGE}check/", given)
    assert f"Coupon {code} -US$50.00" in text_of(shown)
    assert "US$200.00" in text_of(shown)
    hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', shown.content.decode()))
    assert hidden["shown_total"] == "20000"
    refused = payer.post(f"{PAGE}start/", {**given, "shown_total": "19999"})
    assert (refused.status_code, "Something changed" in text_of(refused)) == (422, True)
    assert state_of(trial) == "trial"
    assert payer.post(f"{PAGE}start/", {**given, **hidden}).status_code == 302
    assert first_invoice(trial).total == 20_000
    page = text_of(payer.get(PAGE))
    assert f"{code}: 20 % off every bill" in page
    assert "US$50.00 taken off" in page
    with tenancy.unit_of_work(trial):
        assert Entry.objects.filter(verb="billing.started").count() == 1


def test_coupon_is_used_from_the_page_and_codes_are_not_tried_without_end(trial, payer):
    rent(trial)
    code = coupons.add(code=f"C-{unique()}", percent=20, by="Olga", at=NOON).code
    assert payer.post(f"{PAGE}coupon/", {"code": code}).status_code == 302
    again = payer.post(f"{PAGE}coupon/", {"code": code})
    assert (again.status_code, "at work already" in text_of(again)) == (422, True)
    said = [text_of(payer.post(f"{PAGE}coupon/", {"code": f"guess-{n}"})) for n in range(12)]
    assert "Too many codes were tried" in said[-1]
    assert "no such coupon" in said[0]
    with tenancy.unit_of_work(trial):
        assert Entry.objects.filter(verb="billing.coupon").count() == 1


def test_price_whose_plan_holds_less_than_there_is_says_so_before(trial, payer):
    rent(trial, at=timezone.now())
    owner = owner_of(trial)
    with tenancy.unit_of_work(trial):
        for number in range(3):
            factories.account(owner, name=f"Firm {number}")
    small = make_plan(amount=4000, limits={"contacts": 2, "pipelines": 50})
    answer = payer.post(f"{PAGE}price/", {"price": price_in(small, "year").pk})
    assert "Contacts and companies: 3 of 2" in text_of(answer)
    assert "Pipelines" not in text_of(answer).split("more than this plan holds")[1]
    roomy = make_plan(amount=4000, limits={"contacts": 3})
    answer = payer.post(f"{PAGE}price/", {"price": price_in(roomy, "year").pk})
    assert answer.status_code == 200
    assert "more than this plan holds" not in text_of(answer)


def test_owner_sees_an_announced_version_and_cannot_take_it_back(trial, payer):
    old = make_plan()
    rent_in(trial, old, at=timezone.now())
    new = next_version(old.plan_id, amount=6000)
    at = timezone.now()
    move = moving.propose(
        source_id=old.pk, target_id=new.pk, holds_from=at + 40 * dt.timedelta(days=1), reason="r",
        by="Petra", at=at,
    )  # fmt: skip
    moving.agree(move_id=move.pk, by="Paul", at=at)
    page = payer.get(PAGE)
    assert "your plan has a new version: US$60.00 per user and month" in text_of(page)
    assert "Leave it as it is" not in text_of(page)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        change = move.items.get().change_id
    refused = payer.post(f"{PAGE}take-back/", {"change": change})
    assert (refused.status_code, "This change is ours" in text_of(refused)) == (422, True)
