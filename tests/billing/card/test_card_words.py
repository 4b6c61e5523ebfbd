"""What who pays by card reads: no coupon, no transfer, seats as they are billed."""

import datetime as dt

import pytest
from django.utils import timezone

from billing import coupons, traffic
from billing.models import Comparison, Difference
from crm_platform.kernel import tenancy
from tests.billing.card.conftest import bills_of, rent_by_card
from tests.billing.card.test_card_page import now_card  # noqa: F401
from tests.billing.conftest import owner_of, price
from tests.billing.test_page import PAGE, RENT, client_of, text_of
from tests.conftest import NOON


@pytest.fixture
def payer(now_card, company):  # noqa: F811
    return client_of(company, owner_of(company))


def test_coupon_with_a_card_is_refused_before_a_price_is_shown(payer):
    coupons.add(code="SPRING", percent=20, by="Ops", at=timezone.now())
    given = {**RENT, "price": price(), "way": "stripe", "coupon": "SPRING"}
    answer = payer.post(f"{PAGE}check/", given)
    assert answer.status_code == 422
    assert "Coupons come off bills paid by bank transfer" in text_of(answer)
    assert "data-total" not in answer.content.decode()
    assert payer.post(f"{PAGE}check/", {**given, "way": "manual"}).status_code == 200


def test_card_payer_is_offered_no_coupon_and_told_of_no_transfer(company, payer):
    rent_by_card(company, seats=2, at=timezone.now())
    page = payer.get(PAGE)
    assert "bi-coupon" not in page.content.decode()
    assert "transfer" not in text_of(page)
    assert "is not paid yet" not in text_of(page)
    assert "Paid up to" in text_of(page)


def test_open_bill_of_a_card_stands_at_the_head(company, payer):
    rent_by_card(company, seats=2, at=timezone.now())
    bill = bills_of(company)[-1]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        type(bill).objects.filter(pk=bill.pk).update(state="open", paid=0)
    text = text_of(payer.get(PAGE))
    assert "US$100.00 is not paid yet: pay it now, or give another card." in text
    assert "Billed up to" in text
    assert "Paid up to" not in text


def test_seats_billed_anew_are_not_called_more(company, payer):
    rent_by_card(company, seats=2, at=timezone.now())
    text = text_of(payer.post(f"{PAGE}seats/", {"seats": "4"}))
    assert "Time not used, given back" in text
    assert "4 seats until the period ends" in text
    assert "more seats" not in text


def test_newest_comparison_stands_first_and_what_is_not_mended(database):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Comparison.objects.all().delete()
        for hours in (2, 1, 3):
            Comparison.objects.create(began_at=NOON - dt.timedelta(hours=hours))
        found = traffic.comparisons()
        assert [each.began_at for each in found] == sorted(
            (each.began_at for each in found), reverse=True
        )
        for mended in (NOON, None):
            Difference.objects.create(comparison=found[0], kind="seats", mended_at=mended)
        assert [each.mended_at for each in traffic.differences(found[0])] == [None, NOON]
        assert (traffic.comparisons()[0].differed, traffic.comparisons()[0].left) == (2, 1)
