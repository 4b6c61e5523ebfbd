"""Who may come in with what: keys, their scope and end, sessions with CSRF, how often."""

import datetime as dt

import pytest
from django.utils import timezone

from crm_platform.identity.models import ApiToken
from crm_platform.identity.services import people, tokens
from crm_platform.kernel import tenancy
from tests import factories
from tests.api.conftest import Program, demand_problem, key_of


def test_nobody_comes_in_without_a_key(in_acme):
    answer = Program(in_acme, "").get("deals/")

    demand_problem(answer, 401, "not_signed_in")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", ["x", "rap_deadbeef_" + "a" * 43, "rap_%00", "é", "a b"])
def test_wrong_key_is_refused(in_acme, key):
    answer = Program(in_acme, key.encode("utf-8").decode("latin-1")).get("deals/")

    demand_problem(answer, 401, "not_signed_in")
    assert "invalid_token" in answer["WWW-Authenticate"]


def test_key_ends_with_its_time_with_revocation_and_with_its_person(in_acme, member, owner):
    now = timezone.now()
    old = key_of(member, days=1, at=now - dt.timedelta(days=2))
    token, revoked = tokens.make_token(user=member, name="x", scope="read", days=3, at=now)
    left = key_of(member)
    assert Program(in_acme, revoked).get("deals/").status_code == 200
    tokens.revoke_token(token_id=token.pk, user=member, at=now)
    demand_problem(Program(in_acme, old).get("deals/"), 401)
    demand_problem(Program(in_acme, revoked).get("deals/"), 401)
    assert Program(in_acme, left).get("deals/").status_code == 200

    people.deactivate(person=member, successor=None, actor=owner, at=now)

    demand_problem(Program(in_acme, left).get("deals/"), 401)


def test_key_of_one_company_opens_nothing_in_the_other(in_acme, globex, member):
    key = key_of(member)

    assert Program(in_acme, key).get("deals/").status_code == 200
    for path in ("deals/", "users/", "schema/", "docs/"):
        answer = Program(globex, key).get(path)
        assert answer.status_code in (401, 302), path


def test_reading_key_reads_and_changes_nothing(program_of, manager):
    deal, program = factories.deal(manager), program_of(manager, "read")

    assert program.get(f"deals/{deal.pk}/").status_code == 200
    for answer in (
        program.post("deals/", {"name": "x"}),
        program.patch(f"deals/{deal.pk}/", {"name": "x"}),
        program.delete(f"deals/{deal.pk}/"),
        program.post(f"deals/{deal.pk}/restore/"),
        program.post(f"deals/{deal.pk}/move/", {"stage": "1"}),
    ):
        demand_problem(answer, 403, "read_only_key")
    deal.refresh_from_db()
    assert (deal.version, deal.deleted_at) == (1, None)


def test_use_of_a_key_is_noted_but_not_each_time(in_acme, member):
    program = Program(in_acme, key_of(member))
    program.get("tags/")
    first = ApiToken.objects.get(user=member).last_used_at
    program.get("tags/")

    assert first is not None
    assert ApiToken.objects.get(user=member).last_used_at == first


def test_session_reads_without_and_changes_only_with_the_csrf_token(in_acme, client_for, manager):
    client = client_for(in_acme, manager)
    client.handler.enforce_csrf_checks = True
    assert client.get("/api/v1/deals/").status_code == 200
    send = {"data": '{"name": "x"}', "content_type": "application/json"}

    demand_problem(client.post("/api/v1/deals/", **send), 403, "csrf")

    secret = "a" * 32
    client.cookies["csrf"] = secret
    good = {"x-csrftoken": secret}
    evil = client.post(
        "/api/v1/deals/", **send, headers={**good, "origin": "http://evil.testserver"}
    )
    demand_problem(evil, 403, "csrf")
    assert client.post("/api/v1/deals/", **send, headers=good).status_code == 201


def test_cookie_does_not_save_a_bad_key(in_acme, client_for, manager):
    client = client_for(in_acme, manager)

    answer = client.get("/api/v1/deals/", headers={"authorization": "Bearer rap_no"})

    demand_problem(answer, 401)


def test_the_platforms_own_host_has_no_api(platform_unit, client_for):
    from django.test import Client

    assert tenancy.current().is_platform
    assert Client(headers={"host": "testserver"}).get("/api/v1/deals/").status_code == 404
