"""Only exact host names we know are answered; nothing of anybody is shown to a stranger."""

import pytest
from django.conf import settings
from django.test import Client, override_settings

from crm_platform.kernel import tenancy
from tenants import queries, services
from tenants.models import Company
from tests import factories

NOON = factories.NOON
UNKNOWN = [
    "nobody.testserver",
    "evil.example",
    "testserver.evil.example",
    "acme.testserver.evil.example",
    "acme-testserver",
    "127.0.0.1",
    "[::1]",
    "localhost",
    "xn--acme.testserver",
    "acme",
    "acme..testserver",
    ".testserver",
    "a" * 300 + ".testserver",
    "acme.testserver,evil.example",
    "acme.testserver@evil.example",
    "acme_testserver",
    "*.testserver",
    "operators.acme.testserver",
    "acme.testserver:80:80",
    "acme.testserver/x",
    "аcme.testserver",
    "acme.testserver%00",
]


def at(host, path="/sign-in/", method="get", **headers):
    return getattr(Client(headers={"host": host, **headers}), method)(path)


@pytest.mark.parametrize("host", UNKNOWN)
def test_unknown_host_gets_a_plain_page_that_shows_nothing_of_anybody(in_acme, acme, globex, host):
    answer = at(host)

    text = answer.content.decode()
    assert answer.status_code == 404
    for secret in (acme.name, globex.name, str(acme.id), acme.schema, "acme.testserver"):
        assert secret not in text


@pytest.mark.parametrize(
    "variant",
    [
        "ACME.testserver",
        "acme.testserver.",
        "www.acme.testserver",
        "Acme.TestServer.",
        "WWW.acme.testserver:8000",
    ],
)
def test_other_spelling_is_redirected_to_the_canonical_host_for_reading_only(in_acme, variant):
    answer = at(variant, "/sign-in/?next=/me/")

    wanted = settings.ENVIRONMENT.address_of("acme.testserver")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{wanted}/sign-in/?next=/me/"
    assert at(variant, method="post").status_code == 404


def test_port_does_not_matter(in_acme):
    assert at("acme.testserver:8000").status_code == 200


def test_canonical_host_is_the_positive_control(in_acme, acme):
    answer = at("acme.testserver")

    assert answer.status_code == 200
    assert acme.name in answer.content.decode()


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-HTTP-Host-Override"]
)
def test_forwarding_headers_choose_no_company(in_acme, acme, globex, header):
    value = f"host={globex.host}" if header == "Forwarded" else globex.host

    answer = at(acme.host, **{header: value})

    assert acme.name in answer.content.decode()
    assert globex.name not in answer.content.decode()
    assert settings.USE_X_FORWARDED_HOST is False


def test_absolute_form_of_a_request_does_not_override_the_host(in_acme, acme):
    client = Client(headers={"host": acme.host})

    answer = client.get("/sign-in/", SERVER_NAME="globex.testserver", SERVER_PORT="80")

    assert acme.name in answer.content.decode()


@pytest.mark.parametrize(
    ("state", "status", "words"),
    [
        (Company.State.REQUESTED, 503, "being prepared"),
        (Company.State.BUILDING, 503, "being prepared"),
        (Company.State.FAILED, 503, "being prepared"),
        (Company.State.SUSPENDED, 403, "suspended"),
        (Company.State.CLOSED, 403, "closed"),
        (Company.State.DELETED, 404, "Nothing lives"),
        (Company.State.ERASED, 404, "Nothing lives"),
    ],
)
def test_company_that_is_not_open_says_so_and_shows_nothing(in_acme, globex, state, status, words):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=globex.id).update(state=state)
    queries.forget_hosts()

    answer = at(globex.host, "/")

    queries.forget_hosts()
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert "globex" not in answer.content.decode().lower()


def test_suspending_and_resuming_take_effect_at_once_in_this_process(in_acme, globex):
    assert at(globex.host).status_code == 200
    services.suspend(company_id=globex.id, reason="unpaid")
    assert at(globex.host, "/").status_code == 403
    assert queries.working_scope(globex.id) is None

    services.resume(company_id=globex.id)

    assert at(globex.host).status_code == 200


def test_probes_answer_whatever_the_host(database):
    assert at("evil.example", "/healthz").status_code == 200


def test_companys_pages_exist_on_its_own_host_only(in_acme, acme):
    assert at("testserver", "/settings/people/").status_code == 404
    assert at("operators.testserver", "/settings/people/").status_code == 404
    assert at("testserver", "/sign-up/").status_code == 200
    assert at(acme.host, "/sign-up/").status_code == 404
    assert at("operators.testserver", "/sign-up/").status_code == 404


@override_settings(ROOT_URLCONF="tests.tenants.broken_urls")
def test_what_a_failing_page_wrote_is_undone(database):
    from tenants.models import RetiredName

    client = Client(headers={"host": "testserver"}, raise_request_exception=False)
    assert client.get("/writes/").status_code == 200
    assert client.get("/writes-and-breaks/").status_code == 500
    assert client.get("/writes-and-says-503/").status_code == 503

    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = set(RetiredName.objects.values_list("name", flat=True))
        RetiredName.objects.filter(name="kept").delete()
    assert "kept" in found
    assert not found & {"broken", "unavailable"}
