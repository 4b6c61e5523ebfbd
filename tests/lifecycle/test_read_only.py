"""A read-only company is read, searched and exported; nothing changes it, by whatever way."""

import ast
import datetime as dt

import pytest
from django.conf import settings
from django.db import InternalError, connection
from django.utils import timezone

from crm_core.exchange import tasks as exchange_tasks
from crm_core.fields.models import Tag
from crm_core.records.models import Account
from crm_platform.identity import tasks as identity_tasks
from crm_platform.identity.models import ApiToken, OutgoingMail, Session
from crm_platform.identity.services import letters
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import CrossedCompanies, ReadOnly
from crm_platform.kernel.tasks import Refused, envelope
from tenants import queries
from tenants.models import Company
from tests import factories
from tests.conftest import NOON
from tests.isolation import ledger
from tests.isolation.addresses import every_address
from tests.isolation.companies import make_twin, remove_twin
from tests.isolation.probes import Visitor, methods_of, own_values
from tests.kernel.messages import our_tasks
from tests.lint.tree import python_files

State = Company.State
KEEPERS = {
    "platform/crm_platform/kernel/tenancy.py": "defines it",
    "platform/crm_platform/kernel/tasks.py": "tasks that are declared so: mail is sent",
    "tenants/lifecycle/doors.py": "the addresses that settings list",
    "billing/access.py": "tells the company how many seats it rents",
    "tenants/tasks.py": "forgets sessions and tries that ended",
}
"""Modules that may write to a read-only company, and what."""
OWN_NOTES = {"identity_session", "identity_user", "identity_attempt", "identity_apitoken",
             "identity_outgoingmail", "identity_mailtoken", "audit_entry"}  # fmt: skip
"""Tables in which reading leaves notes: who came in, and what was exported."""


@pytest.fixture
def closed_book(house):
    """A company with a record, read-only since."""
    with tenancy.unit_of_work(house.scope):
        factories.account(house.owner, name="Written before")
    house.put(State.READ_ONLY)
    return house


def test_database_refuses_a_write_in_every_way_the_code_can_ask_for_it(closed_book, say):
    scope = queries.working_scope(closed_book.scope.id)
    row = Account.objects.filter(name="Written before")
    tries = [
        lambda: Tag.objects.create(name="new"),
        lambda: row.update(name="changed"),
        row.delete,
        lambda: Account.objects.bulk_create([Account(name="x")]),
        lambda: row.select_for_update().get(),
        lambda: factories.account(closed_book.owner, name="by the service"),
        lambda: connection.cursor().execute("CREATE TEMP TABLE IF NOT EXISTS x AS SELECT 1"),
        lambda: connection.cursor().execute("SELECT nextval('fields_tag_id_seq')"),
        lambda: connection.cursor().execute("SET TRANSACTION READ WRITE; DELETE FROM fields_tag"),
    ]
    refused = 0
    for change in tries:
        try:
            with tenancy.unit_of_work(scope):
                assert row.exists()
                change()
        except (ReadOnly, InternalError):
            refused += 1
    say(f"read-only by the database: refused={refused}/{len(tries)}")
    assert refused == len(tries)


def test_writing_scope_is_not_entered_from_inside_a_read_only_one(closed_book):
    scope = queries.working_scope(closed_book.scope.id)
    keeping = tenancy.for_keeping(scope)
    with tenancy.unit_of_work(scope), pytest.raises(CrossedCompanies):  # noqa: SIM117
        with tenancy.unit_of_work(keeping):
            Tag.objects.create(name="slipped")


def test_who_may_write_to_a_read_only_company_stands_in_a_list():
    found = {
        path for path, tree in python_files() for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.FunctionDef)
        and getattr(node, "attr", getattr(node, "name", "")) == "for_keeping"
    }  # fmt: skip

    assert found == set(KEEPERS)


@pytest.fixture(scope="module")
def twin(database):
    """A company with a row in every table, read-only."""
    made = make_twin("nilgai", "nilgai3x", first_id=21_000_001)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=made.scope.id).update(state=State.READ_ONLY)
    queries.forget_hosts()
    yield made
    remove_twin(made.scope)


def test_demand_09_no_address_changes_a_read_only_company(twin, say, settings, caplog):
    """Every page and endpoint, with every method, as its owner: by cookie, and by key."""
    settings.COMPANY_LIMITS = {
        **settings.COMPANY_LIMITS, "api_requests": 10**9, "api_key_requests": 10**9,
    }  # fmt: skip
    caplog.set_level("CRITICAL")
    cookie = factories.session_cookie(twin.scope, twin.owner)
    before = ledger.checksums(twin.scope.schema)
    asked = read = refused = 0
    faults = []
    for address in every_address(settings.TENANT_URLCONF):
        if address.name in settings.READ_ONLY_DOORS and address.name != "exchange:export":
            continue
        is_api = address.is_api
        visitor = Visitor("owner", twin.host, None if is_api else cookie, twin.token * is_api)
        for path in address.paths(own_values(twin))[:3]:
            for method in methods_of(address):
                answer = visitor.send(method, path)
                asked += 1
                if answer.status_code >= 500:
                    faults.append(f"{method} {path} {answer.status_code} {answer.exc_info}"[:300])
                elif method != "GET":
                    refused += answer.status_code == 403
                    if answer.status_code != 403:
                        faults.append(f"{method} {path} answers {answer.status_code}")
                else:
                    read += answer.status_code == 200
    # Exports are a door that takes reading only, so anything else is no such method there.
    faults = [each for each in faults if not ("/export/" in each and each.endswith("405"))]
    changed = set(ledger.changed(before, ledger.checksums(twin.scope.schema))) - OWN_NOTES
    say(
        f"read-only by address: asked={asked}, read={read}, refused={refused},"
        f" tables changed={len(changed)}, faults={len(faults)}"
    )
    assert faults == []
    assert changed == set()
    assert (read > 60, refused > 100) == (True, True)


@pytest.mark.parametrize("state", [State.SUSPENDED, State.CLOSED])
def test_demand_09_no_address_writes_in_a_barred_company(twin, say, settings, caplog, state):
    """Every page and endpoint that changes something, as its owner: by cookie, and by key."""
    caplog.set_level("CRITICAL")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=twin.scope.id).update(state=state)
    queries.forget_hosts()
    cookie = factories.session_cookie(twin.scope, twin.owner)
    before = ledger.checksums(twin.scope.schema)
    asked, wrong = 0, []
    for address in every_address(settings.TENANT_URLCONF):
        if address.name in (*settings.BARRED_DOORS, "ui:prefs"):  # a cookie, nothing kept
            continue
        is_api = address.is_api
        visitor = Visitor("owner", twin.host, None if is_api else cookie, twin.token * is_api)
        path = address.paths(own_values(twin))[0]
        for method in methods_of(address):
            if method == "GET":
                continue
            status = visitor.send(method, path).status_code
            asked += 1
            if status not in (401, 403, 404, 405):
                wrong.append(f"{method} {path} answers {status}")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=twin.scope.id).update(state=State.READ_ONLY)
    queries.forget_hosts()
    changed = set(ledger.changed(before, ledger.checksums(twin.scope.schema))) - OWN_NOTES
    say(f"{state} by address: asked={asked}, tables changed={len(changed)}, wrong={len(wrong)}")
    assert wrong == []
    assert changed == set()
    assert asked > 100


def test_people_sign_in_read_search_export_and_sign_out(closed_book):
    client = closed_book.client()
    answer = client.post(
        "/sign-in/", {"email": closed_book.owner.email, "password": "correct horse battery"}
    )
    assert answer.status_code == 302

    assert "Written before" in client.get("/accounts/").content.decode()
    assert "Written before" in client.get("/search/?q=written").content.decode()
    taken = client.get("/export/account/")
    assert b"Written before" in b"".join(taken.streaming_content)
    with tenancy.unit_of_work(closed_book.now):
        from crm_core.audit.models import Entry

        assert Entry.objects.filter(verb__contains="export").count() == 1
    assert client.post("/sign-out/").status_code == 302
    with tenancy.unit_of_work(closed_book.now):
        assert Session.objects.filter(user=closed_book.owner).count() == 0


def test_browser_is_seen_and_a_key_noted_although_reading_writes_nothing(closed_book):
    old = timezone.now() - dt.timedelta(hours=1)
    client = closed_book.client(closed_book.owner)
    key_holder = closed_book.client(authorization=f"Bearer {closed_book.key()}")
    with tenancy.unit_of_work(tenancy.for_keeping(closed_book.now)):
        Session.objects.update(last_seen_at=old)

    assert client.get("/accounts/").status_code == 200
    assert key_holder.get("/api/v1/accounts/").status_code == 200

    with tenancy.unit_of_work(closed_book.now):
        assert Session.objects.get(user=closed_book.owner).last_seen_at > old
        assert ApiToken.objects.get(user=closed_book.owner).last_used_at is not None


def test_refusal_is_one_sentence_for_page_htmx_and_api(closed_book):
    client = closed_book.client(closed_book.owner)
    values = {"name": "New"}

    page = client.post("/accounts/new/", values)
    htmx = client.post("/accounts/new/", values, headers={"HX-Request": "true"})
    api = closed_book.client(authorization=f"Bearer {closed_book.key()}").post(
        "/api/v1/accounts/", values, content_type="application/json"
    )

    assert (page.status_code, htmx.status_code, api.status_code) == (403, 403, 403)
    assert "This company is read-only at present" in page.content.decode()
    assert "This company is read-only at present" in htmx.headers["HX-Trigger"]
    problem = api.json()
    assert api.headers["Content-Type"] == "application/problem+json"
    assert (problem["code"], problem["status"]) == ("read_only", 403)
    assert "This company is read-only at present" in problem["detail"]


def test_work_in_the_background_is_refused_but_mail_goes_out(closed_book, say, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    headers = envelope(closed_book.scope)
    tasks = [task for task in our_tasks() if not task.platform]
    refused = [t for t in tasks if isinstance(t.apply(kwargs={}, headers=headers).result, Refused)]
    say(f"read-only by task: refused={len(refused)} of {len(tasks)}, the other sends mail")
    assert {t.name for t in tasks} - {t.name for t in refused} == {
        identity_tasks.send_waiting_mail.name
    }
    assert exchange_tasks.run_import in refused
    with tenancy.unit_of_work(tenancy.for_keeping(closed_book.now)):
        mail = letters.post(to="a@example.com", subject="s", paragraphs=["p"], at=NOON)
    identity_tasks.send_waiting_mail.apply(headers=headers).get()
    with tenancy.unit_of_work(closed_book.now):
        assert OutgoingMail.objects.get(pk=mail.pk).sent_at is not None


def test_it_is_written_to_again_once_it_is_open(closed_book):
    closed_book.put(State.ACTIVE)
    answer = closed_book.client(closed_book.owner).post("/accounts/new/", {"name": "After"})

    assert answer.status_code in (204, 302)
    with tenancy.unit_of_work(closed_book.now):
        assert Account.objects.filter(name="After").exists()
    assert settings.READ_ONLY_DOORS
