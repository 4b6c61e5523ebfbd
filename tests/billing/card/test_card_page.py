"""The company's page when it pays by card: the way there and back, and nobody else's things."""

import re

import pytest
from django.utils import timezone

from billing.models import Account
from crm_core.audit.models import Entry
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tests import factories
from tests.billing.card.conftest import PAYS, bills_of, fill_in, live_of, rent_by_card
from tests.billing.conftest import make_trial, owner_of, price
from tests.billing.test_page import PAGE, RENT, client_of, text_of

LINK = re.compile(r'class="btn primary" href="([^"]+)"')


@pytest.fixture
def now_card(card):
    """The peer at the real time: pages know no other."""
    card.advance(to=int(timezone.now().timestamp()))
    return card


@pytest.fixture
def payer(now_card, company):
    return client_of(company, owner_of(company))


def test_card_is_offered_given_and_shown(now_card, company, payer):
    page = text_of(payer.get(PAGE))
    assert "Card" in page
    assert "Bank transfer" in page
    given = {**RENT, "price": price(), "way": "stripe"}
    shown = payer.post(f"{PAGE}check/", given)
    assert "US$250.00" in text_of(shown)
    assert "You give your card on the next page" in text_of(shown)
    left = payer.post(f"{PAGE}start/", given)
    address = LINK.search(left.content.decode())[1]
    assert address.startswith(now_card.url)
    assert "We never see your card" in text_of(left).replace("&#x27;", "'")
    back = fill_in(address, number=PAYS, email="a@example.com")
    assert back.endswith("/settings/billing/?paid=1")
    page = text_of(payer.get(f"{PAGE}?paid=1"))
    assert "US$50.00 per user and month × 5 = US$250.00" in page
    assert "•••• 4242" in page
    assert "Paid" in page
    with tenancy.unit_of_work(company):
        assert Entry.objects.filter(verb="billing.card_asked").count() == 1


def test_seats_are_charged_as_shown_or_wait_for_their_payment(now_card, company, payer):
    rent_by_card(company, seats=2, at=timezone.now())
    answer = payer.post(f"{PAGE}seats/", {"seats": "4"})
    sealed = re.search(r'name="quote" value="([^"]+)"', answer.content.decode())[1]
    total = re.search(r"data-total[^>]*>\s*<b>([^<]+)", answer.content.decode())[1]
    assert "charged exactly this" in text_of(answer)
    assert payer.post(f"{PAGE}accept/", {"quote": sealed}).status_code == 302
    assert total == f"US${bills_of(company)[-1].total / 100:,.2f}"
    with tenancy.unit_of_work(tenancy.PLATFORM):
        customer = Account.objects.get(company_id=company.id).provider_id
    now_card.decline(customer)
    answer = payer.post(f"{PAGE}seats/", {"seats": "9"})
    sealed = re.search(r'name="quote" value="([^"]+)"', answer.content.decode())[1]
    waits = payer.post(f"{PAGE}accept/", {"quote": sealed})
    assert "wants you to confirm" in text_of(waits)
    assert live_of(company).seats == 4
    bill = bills_of(company)[-1]
    assert "Pay" in text_of(payer.get(PAGE))
    gone = payer.post(f"{PAGE}{bill.pk}/pay/")
    assert LINK.search(gone.content.decode())[1].startswith(now_card.url)


def test_card_is_changed_on_a_page_of_theirs(now_card, company, payer):
    rent_by_card(company, seats=1, at=timezone.now())
    address = LINK.search(payer.post(f"{PAGE}card/").content.decode())[1]
    fill_in(address, number="5555555555554444")
    assert "•••• 4444" in text_of(payer.get(f"{PAGE}?paid=1"))


def test_bill_as_pdf_is_theirs(now_card, company, payer):
    rent_by_card(company, seats=1, at=timezone.now())
    answer = payer.get(f"{PAGE}{bills_of(company)[0].pk}.pdf")
    assert (answer.status_code, answer["Location"].startswith(now_card.url)) == (302, True)


def test_demand_10_nothing_of_another_company(now_card, company, payer, say):
    other = make_trial()
    rent_by_card(other, seats=1, at=timezone.now())
    rent_by_card(company, seats=1, at=timezone.now())
    theirs = bills_of(other)[0].pk
    tried = {
        "invoice": payer.get(f"{PAGE}{theirs}.pdf").status_code,
        "pay": payer.post(f"{PAGE}{theirs}/pay/").status_code,
        "none": payer.get(f"{PAGE}999999.pdf").status_code,
    }
    assert tried == {"invoice": 404, "pay": 422, "none": 404}
    assert now_card.url not in payer.post(f"{PAGE}{theirs}/pay/").content.decode()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        customer = Account.objects.get(company_id=other.id).provider_id
    page = payer.post(f"{PAGE}card/", {"customer": customer}).content.decode()
    assert customer not in page
    sessions = now_card.objects("billing_portal.session")
    assert [each["customer"] for each in sessions].count(customer) == 0
    say(f"other company's bills and customer: tried={len(tried) + 2}, crossings=0")


def test_who_does_not_pay_reaches_none_of_it(now_card, company):
    rent_by_card(company, seats=3, at=timezone.now())
    with tenancy.unit_of_work(company):
        member: User = factories.user(role="member")
    client = client_of(company, member)
    bill = bills_of(company)[0].pk
    answers = [client.post(f"{PAGE}card/").status_code,
               client.post(f"{PAGE}{bill}/pay/").status_code,
               client.get(f"{PAGE}{bill}.pdf").status_code]  # fmt: skip
    assert answers == [403, 403, 403]


def test_provider_away_is_said_on_the_page(now_card, company, payer):
    rent_by_card(company, seats=1, at=timezone.now())
    now_card.fault("drop_before", prefix="/v1/", count=50)
    for path, body in (("card/", {}), ("seats/", {"seats": "3"})):
        answer = payer.post(f"{PAGE}{path}", body)
        assert answer.status_code == 422
        assert "does not answer now" in text_of(answer)
    answer = payer.get(f"{PAGE}{bills_of(company)[0].pk}.pdf")
    assert answer.status_code == 409
    assert payer.get(f"{PAGE}?paid=1").status_code == 200
    now_card.no_faults()
