"""The operators' host: their own sign-in, the register, and nothing of a company's own data."""

import io
import json

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tenants import queries, services
from tenants.models import Company, DemoMail
from tests import factories
from tests.conftest import NOON, make_company, unique
from tests.console.conftest import HOST, PASSWORD

PAGES = ["/", "/mail/", "/me/security/", "/companies/00000000-0000-0000-0000-000000000001/"]


@pytest.mark.parametrize("path", PAGES)
def test_visitor_is_asked_to_sign_in_everywhere(platform_unit, path):
    answer = Client(headers=HOST).get(path)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("path", PAGES)
def test_owner_of_a_company_is_nobody_here(in_acme, acme, client_for, path):
    person = factories.user(role="owner")
    client = Client(headers=HOST)
    client.cookies = client_for(acme, person).cookies

    assert client.get(path).status_code == 302


def test_companys_password_opens_no_console(in_acme, owner):
    answer = Client(headers=HOST).post("/sign-in/", {"email": owner.email, "password": PASSWORD})

    assert answer.status_code == 422


def test_operators_password_opens_no_company(operator, acme):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        email = User.objects.latest("pk").email

    answer = Client(headers={"host": acme.host}).post(
        "/sign-in/", {"email": email, "password": PASSWORD}
    )

    assert answer.status_code == 422


def test_table_lists_finds_filters_and_sorts(operator, acme, globex):
    def names(**query):
        text = operator.get("/", query).content.decode()
        return [name for name in ("Acme", "Globex") if f">{name}</a>" in text]

    assert names(q="acme") == ["Acme"]
    assert names(q="globex.testserver") == ["Globex"]
    assert names(state="failed", q="acme") == []
    for sort in ("name", "-name", "users", "-size", "created", "-used", "nonsense", "page"):
        assert operator.get("/", {"sort": sort, "page": "0x1"}).status_code == 200


def test_table_costs_the_same_for_many_companies(operator, django_assert_max_num_queries):
    operator.get("/")

    with django_assert_max_num_queries(12):
        operator.get("/")


def test_company_page_shows_facts_and_suspends_with_a_reason(operator, globex):
    path = f"/companies/{globex.id}/"
    assert globex.schema in operator.get(path).content.decode()

    without = operator.post(f"{path}suspend/", {"reason": " "})
    operator.post(f"{path}suspend/", {"reason": "unpaid"})

    assert without.status_code == 422
    assert "unpaid" in operator.get(path).content.decode()
    assert Company.objects.get(pk=globex.id).state == "suspended"
    operator.post(f"{path}resume/")
    queries.forget_hosts()
    assert Company.objects.get(pk=globex.id).state == "active"


def test_failed_company_is_tried_again(operator, globex):
    Company.objects.filter(pk=globex.id).update(state="failed", error="boom", attempts=5)

    operator.post(f"/companies/{globex.id}/retry/")

    queries.forget_hosts()
    found = Company.objects.get(pk=globex.id)
    assert (found.state, found.attempts) == ("requested", 0)


def test_outbox_shows_mails_as_text(operator, settings):
    settings.EMAIL_BACKEND = "tenants.demo_mail.OutboxBackend"
    mail = DemoMail.objects.create(
        to="a@example.com",
        subject="<b>Hello</b>",
        sent_at=NOON,
        body="Look <script>alert(1)</script>\nhttp://acme.testserver/x/",
    )

    page = operator.get(f"/mail/{mail.pk}/").content.decode()

    assert "<script>alert" not in page
    assert 'href="http://acme.testserver/x/"' in page
    assert "&lt;b&gt;Hello" in operator.get("/mail/").content.decode()


def test_outbox_is_absent_where_mail_is_really_sent(operator, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    assert operator.get("/mail/").status_code == 404


def test_make_demo_operator_twice_keeps_the_first(database):
    def run(*arguments):
        out = io.StringIO()
        call_command("make_demo_operator", "--email", email, *arguments, stdout=out)
        return json.loads(out.getvalue())

    email = f"{unique()}@example.com"
    first, second, third = run(), run(), run("--reset")

    assert first["url"] == settings.ENVIRONMENT.address_of("operators.testserver")
    assert first["password"]
    assert second["password"] is None
    assert third["password"] != first["password"]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert User.objects.get(email=email).check_password(third["password"])


def test_demo_backend_keeps_the_mail_for_the_outbox(database):
    from django.core.mail import EmailMessage, get_connection

    scope = make_company(f"mails-{unique()}")
    with tenancy.choose(scope):
        backend = get_connection("tenants.demo_mail.OutboxBackend")
        backend.send_messages([EmailMessage("Hi", "there", to=["x@example.com"])])

    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert DemoMail.objects.filter(company_name=scope.name, subject="Hi").exists()
    services.suspend(company_id=scope.id, reason=str(timezone.now()))
