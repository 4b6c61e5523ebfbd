"""The company's billing page: the price before the act, refusals in words, own invoices only."""

import re

import pytest
from django.test import Client

from billing import paying, subscribing
from billing.models import Account, Invoice
from billing.pdf import font_of, invoice_pdf
from billing.standing import invoice_of
from crm_core.audit.models import Entry
from crm_platform.kernel import tenancy
from tests import factories
from tests.billing.conftest import make_trial, owner_of, price, rent, state_of
from tests.conftest import NOON

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
    assert "$250.00" in text_of(shown)
    assert state_of(trial) == "trial"
    assert payer.post(f"{PAGE}start/", given).status_code == 302
    assert first_invoice(trial).total == 25_000
    page = text_of(payer.get(PAGE))
    assert "$50.00 per user and month × 5 = $250.00" in page
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
    rent(trial, seats=2)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        live = subscribing.live(trial.id)
    answer = payer.post(f"{PAGE}seats/", {"seats": "4"})
    if answer.status_code == 422:  # the period of the test's noon is over by the real clock
        pytest.fail(text_of(answer)[:500])
    sealed = re.search(r'name="quote" value="([^"]+)"', answer.content.decode())[1]
    total = re.search(r"data-total[^>]*>\s*<b>([^<]+)", answer.content.decode())[1]
    assert payer.post(f"{PAGE}accept/", {"quote": sealed}).status_code == 302
    bill = first_invoice(trial)
    assert total == f"${bill.total / 100:,.2f}"
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
    assert "Balance $10.00" in page
    assert "To be paid" not in page
