"""Exports: only what the person may see, safe to open, and lossless on the way back."""

import csv
import io

import openpyxl
import pytest

from crm_core.audit.models import Entry
from crm_core.exchange import safety
from crm_core.records.models import Account, Contact
from crm_core.registry import record_types
from tests import factories
from tests.exchange.conftest import bring_in, counts, csv_bytes

PAYLOADS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\"=1+1", "'=1+1", "''@x", "＝1+1",
    "=HYPERLINK(\"http://x.example\",\"y\")", "-2+3+cmd|' /C calc'!A0", "“=1+1", "+886 2 2234 5678",
    "'tis", "'", "it's =1",
)  # fmt: skip
RUNS = tuple("=+-@\t\r\n＝＋－＠")


def rows_of(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.fixture
def web(client_for, acme, owner):
    return client_for(acme, owner)


@pytest.mark.parametrize("payload", [*PAYLOADS, "\t=1", "\r=1", "\n=1"])
def test_guarded_text_never_begins_a_formula_and_comes_back_as_it_was(payload):
    written = safety.guarded(payload)

    assert not written.lstrip(" \"“'").startswith(RUNS) or written.startswith("'")
    assert safety.unguarded(written) == payload
    assert safety.unguarded(safety.as_workbook_text(payload)) == payload


def test_export_and_import_again_is_lossless_for_dangerous_texts(web, owner):
    for number, payload in enumerate(PAYLOADS):
        factories.account(owner, name=f"A{number}", description=payload, source_id=str(number))

    content = b"".join(web.get("/export/account/?sort=name").streaming_content)
    Account.objects.all().delete()
    job = bring_in("account", content, owner)

    assert counts(job) == (len(PAYLOADS), 0, 0, 0)
    back = dict(Account.objects.values_list("source_id", "description"))
    assert back == {str(number): payload for number, payload in enumerate(PAYLOADS)}
    cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(RUNS)]


def test_export_as_workbook_writes_texts_and_no_formula(web, owner):
    factories.account(owner, name="=1+1", phone="+886 2 2234 5678", employees="12")

    response = web.get("/export/account/?format=xlsx")

    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    cells = [cell for row in book.active.iter_rows(min_row=2) for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {"=1+1", "+886 2 2234 5678", "12"} <= {cell.value for cell in cells}


def test_export_follows_the_list_s_filter_and_is_audited(web, owner):
    factories.contact(owner, name="Anna", city="Rome")
    factories.contact(owner, name="Ben", city="Oslo")

    rows = rows_of(web.get("/export/contact/?f=city.is.Rome&cols=city"))

    assert [row[:2] for row in rows] == [["Name", "City"], ["Anna", "Rome"]]
    entry = Entry.objects.get(verb="contact.exported")
    assert (entry.changes["rows"], entry.actor_id) == ([None, 1], owner.pk)


def test_every_kind_can_be_exported(web, owner):
    for kind in record_types():
        factories.record(kind.name, owner)

        rows = rows_of(web.get(f"/export/{kind.name}/"))

        assert len(rows) == 2
        assert len(rows[0]) == len(rows[1])


def test_who_may_not_export_gets_nothing(client_for, acme, owner, member, viewer):
    factories.contact(owner)

    for person in (member, viewer):
        assert client_for(acme, person).get("/export/contact/").status_code == 403
    assert client_for(acme).get("/export/contact/").status_code == 302
    assert not Entry.objects.filter(verb="contact.exported").exists()


def test_export_leaves_hidden_fields_out(client_for, acme, owner):
    factories.contact(owner, name="Anna", phone="123456")
    role = factories.custom_role({"*": {"view": "all", "export": "all"}})
    role.field_limits = {"contact": {"phone": "hidden"}}
    role.save()

    rows = rows_of(client_for(acme, factories.user(role=role)).get("/export/contact/"))

    assert "Phone" not in rows[0]
    assert "123456" not in rows[1]


def test_a_whole_deal_survives_the_way_out_and_in(web, owner):
    account = factories.account(owner, name="Acme")
    factories.deal(
        owner, name="Big", account=account.pk, amount="1234.50", close_date="2026-12-31",
        source_id="D1", product="GTX", stage=factories.stage("Proposal").pk,
    )  # fmt: skip
    content = b"".join(web.get("/export/deal/").streaming_content)

    again = bring_in("deal", content, owner)

    assert counts(again) == (0, 0, 1, 0)


def test_failed_rows_come_back_in_their_own_columns_with_reasons(web, owner):
    content = csv_bytes(("Name", "Mail", "Odd"), ("A", "nope", "=1"), ("B", "b@example.com", ""))
    job = bring_in("contact", content, owner)

    rows = rows_of(web.get(f"/import/jobs/{job.pk}/failed.csv"))

    assert rows == [
        ["Name", "Mail", "Odd", "Row", "Reason"],
        ["A", "nope", "'=1", "2", "“nope” is not a mail address."],
    ]
    assert Contact.objects.count() == 1
