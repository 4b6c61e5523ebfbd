"""Programs read what is rented and billed, and add seats for just the amount that was quoted."""

import datetime as dt

import jsonschema
import pytest
from django.utils import timezone

from billing import subscribing
from billing.models import Invoice
from crm_core.audit.models import Entry
from crm_platform.kernel import tenancy
from tests import factories
from tests.api.conftest import Program, key_of
from tests.billing.conftest import make_trial, owner_of, price, rent

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def house(database):
    return make_trial()


def program_of(house, person, **facts):
    with tenancy.unit_of_work(house):
        return Program(house, key_of(person, **facts))


@pytest.fixture
def payer(house):
    return program_of(house, owner_of(house))


@pytest.fixture
def rented(house):
    rent(house, seats=5, at=timezone.now() - HOUR)
    return house


def check(program, answer, name):
    document = program.get("schema/").json()
    shape = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.validate(answer.json(), shape)
    return answer.json()


def bills(scope):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return list(Invoice.objects.filter(account__company_id=scope.id).order_by("pk"))


def test_before_renting_there_is_nothing_and_no_fault(payer):
    found = check(payer, payer.get("billing/"), "Billing")
    assert (found["plan"], found["owed"], found["next_invoice"]) == (None, None, None)
    assert check(payer, payer.get("invoices/"), "InvoicePage")["results"] == []
    answer = payer.post("billing/quotes/", {"seats": 3})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_rent_seats_and_next_invoice(payer, rented):
    answer = payer.get("billing/")
    found = check(payer, answer, "Billing")
    assert "RateLimit-Limit" in answer.headers
    assert (found["plan"], found["state"], found["currency"]) == ("standard", "active", "USD")
    assert found["price"]["amount"] == "50.00"
    assert found["seats"] == {"purchased": 5, "used": 1, "free": 4}
    assert found["next_invoice"]["amount"] == "250.00"
    assert found["owed"] == "250.00"
    subscribing.reduce_seats(company_id=rented.id, seats=2, used=1, by="Ann", at=timezone.now())
    planned = check(payer, payer.get("billing/"), "Billing")
    assert [each["seats"] for each in planned["planned"]] == [2]
    assert planned["next_invoice"]["amount"] == "100.00"


def test_invoices_by_pages_each_with_lines_and_pdf(payer, rented):
    for seats in (6, 7):
        _q, sealed = subscribing.quote_seats(company_id=rented.id, seats=seats, at=timezone.now())
        subscribing.accept(company_id=rented.id, quote=sealed, by="Ann", at=timezone.now())
    first = check(payer, payer.get("invoices/?limit=2&count=1"), "InvoicePage")
    assert (len(first["results"]), first["total"]) == (2, 3)
    second = payer.get(first["next"].split("/api/v1/")[1]).json()
    numbers = [each["number"] for each in [*first["results"], *second["results"]]]
    assert numbers == [bill.number for bill in reversed(bills(rented))]
    assert second["next"] is None
    bill = bills(rented)[0]
    found = check(payer, payer.get(f"invoices/{bill.pk}/"), "Invoice")
    assert [(line["quantity"], line["amount"]) for line in found["lines"]] == [(5, "250.00")]
    pdf = payer.get(found["pdf"].split("/api/v1/")[1])
    assert (pdf.status_code, pdf.headers["Content-Type"]) == (200, "application/pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert payer.get("invoices/?after=x").status_code == 422


def test_seats_are_added_for_the_amount_of_the_quote_and_only_once(payer, rented):
    quote = check(payer, payer.post("billing/quotes/", {"seats": 7}), "SeatQuote")
    assert (quote["added"], quote["next_net"]) == (2, "350.00")
    said = {"quote": quote["quote"], "total": quote["total"]}
    for total in ("0.01", f"{quote['total']}1", "1e99", "NaN", "x", ""):
        assert payer.post("billing/changes/", {**said, "total": total}).status_code in (409, 422)
    assert len(bills(rented)) == 1
    answer = payer.post("billing/changes/", said)
    assert answer.status_code == 201
    assert check(payer, answer, "Invoice")["total"] == quote["total"]
    assert payer.post("billing/changes/", said).status_code == 409
    assert payer.get("billing/").json()["seats"]["purchased"] == 7
    with tenancy.unit_of_work(rented):
        [entry] = Entry.objects.filter(verb="billing.changed")
    assert (entry.channel, entry.actor_id) == ("api", owner_of(rented).pk)
    assert len(bills(rented)) == 2


@pytest.mark.parametrize(
    "body",
    [{}, [], {"seats": "7"}, {"seats": True}, {"seats": 0}, {"seats": 10**30}, {"seats": 5},
     {"seats": 7, "price": 1}, {"seats": 1.5}],
)  # fmt: skip
def test_wrong_wishes_are_refused_with_a_sentence(payer, rented, body):
    answer = payer.post("billing/quotes/", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("body", [{}, {"quote": 1, "total": "1"}, {"quote": "x", "total": "1"}])
def test_a_quote_nobody_gave_is_refused(payer, rented, body):
    assert payer.post("billing/changes/", body).status_code == 422


def test_only_who_pays_and_only_with_a_key_that_writes(rented):
    with tenancy.unit_of_work(rented):
        admin = factories.user(role="admin")
        role = factories.custom_role(
            {"*": dict.fromkeys(("view", "create", "edit", "delete", "export"), "none")},
            abilities=("billing.manage", "api.tokens"),
        )
        keeper = factories.user(role=role)
    other, mine = program_of(rented, admin), program_of(rented, keeper)
    for path in ("billing/", "invoices/", f"invoices/{bills(rented)[0].pk}/"):
        assert (other.get(path).status_code, mine.get(path).status_code) == (403, 200), path
    assert other.post("billing/quotes/", {"seats": 9}).status_code == 403
    assert other.get("prices/").status_code == 200
    reader = program_of(rented, keeper, scope="read")
    assert reader.post("billing/quotes/", {"seats": 9}).status_code == 403
    assert mine.post("billing/quotes/", {"seats": 9}).status_code == 200


def test_invoices_and_quotes_of_another_company_are_nobodys(payer, rented):
    other = make_trial()
    rent(other, seats=2, at=timezone.now() - HOUR)
    bill = bills(other)[0]
    for path in (f"invoices/{bill.pk}/", f"invoices/{bill.pk}/pdf/"):
        assert payer.get(path).status_code == 404
    quote, sealed = subscribing.quote_seats(company_id=other.id, seats=3, at=timezone.now())
    said = {"quote": sealed, "total": f"{quote.due_now.total / 100:.2f}"}
    assert payer.post("billing/changes/", said).status_code == 409
    assert len(bills(other)) == 1


def test_public_prices_for_everybody_with_a_key(payer):
    found = check(payer, payer.get("prices/"), "PricePage")
    by_id = {each["id"]: each for each in found["results"]}
    assert by_id[str(price())]["amount"] == "50.00"
    assert by_id[str(price(currency="JPY"))]["amount"] == "7500"


def test_reads_cost_the_same_for_many(payer, rented, django_assert_max_num_queries):
    payer.get("billing/")
    with django_assert_max_num_queries(16):
        payer.get("billing/")
    with django_assert_max_num_queries(8):
        payer.get("invoices/")
