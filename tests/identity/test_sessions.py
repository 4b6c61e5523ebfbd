"""Signing in, staying signed in, and being signed out."""

import datetime as dt

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_platform.identity.client import Client as Place
from crm_platform.identity.models import Session
from crm_platform.identity.services import people, sessions
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid, NotFound
from tests import factories

NOON = factories.NOON
PASSWORD = "correct horse battery"
HOME = Place(ip="203.0.113.7", user_agent="Firefox")


def sign_in(person, at=NOON, password=PASSWORD, place=HOME):
    return sessions.sign_in(email=person.email, password=password, client=place, at=at)


def test_sign_in_with_the_right_password_begins_a_session_of_this_company(member, acme):
    session, secret = sign_in(member)

    assert (session.user_id, session.company_id) == (member.pk, acme.id)
    assert sessions.live_session(secret, at=NOON).user == member


def test_sign_in_knows_the_address_in_any_case(member):
    member.email = "someone@example.com"
    member.save()

    session, _secret = sessions.sign_in(
        email=" SomeOne@Example.COM ", password=PASSWORD, client=HOME, at=NOON
    )

    assert session.user_id == member.pk


@pytest.mark.parametrize("case", ["wrong password", "unknown address", "deactivated"])
def test_sign_in_refuses_alike_whatever_is_wrong(member, case):
    email, password = member.email, PASSWORD
    if case == "wrong password":
        password = "something else"
    elif case == "unknown address":
        email = "nobody@example.com"
    else:
        member.is_active = False
        member.save()

    with pytest.raises(Invalid) as refusal:
        sessions.sign_in(email=email, password=password, client=HOME, at=NOON)

    assert str(refusal.value) == "The mail address or the password is not right."


def test_secret_of_a_session_is_kept_only_as_a_hash(member):
    session, secret = sign_in(member)

    assert secret not in session.key_hash
    assert len(session.key_hash) == 64


def test_session_ends_after_fourteen_days_without_use_and_sixty_days_with(member):
    session, secret = sign_in(member)
    day = dt.timedelta(days=1)

    assert sessions.live_session(secret, at=NOON + 13 * day)
    assert sessions.live_session(secret, at=NOON + 14 * day) is None
    for passed in range(10, 60, 10):
        found = sessions.live_session(secret, at=NOON + passed * day)
        sessions.touch(found, at=NOON + passed * day)
    assert sessions.live_session(secret, at=NOON + 60 * day) is None
    assert session.expires_at == NOON + 60 * day


def test_touch_writes_at_most_every_five_minutes(member):
    _session, secret = sign_in(member)
    found = sessions.live_session(secret, at=NOON)

    with CaptureQueriesContext(
        connection,
    ) as early:
        sessions.touch(found, at=NOON + dt.timedelta(minutes=4))
    sessions.touch(found, at=NOON + dt.timedelta(minutes=5))

    assert len(early) == 0
    assert Session.objects.get(pk=found.pk).last_seen_at == NOON + dt.timedelta(minutes=5)


def test_session_of_another_company_is_refused_even_where_its_row_was_copied(member, globex):
    session, secret = sign_in(member)
    assert sessions.live_session(secret, at=NOON)

    Session.objects.filter(pk=session.pk).update(company_id=globex.id)

    assert sessions.live_session(secret, at=NOON) is None


def test_cookie_of_one_company_opens_nothing_in_the_other(member, acme, globex, client_for):
    here = client_for(acme, member)
    name = settings.SESSION_COOKIE_NAME
    assert here.get("/me/").status_code == 200

    there = client_for(globex)
    there.cookies[name] = here.cookies[name].value
    answer = there.get("/me/")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/")


def test_session_cookie_is_host_only_and_out_of_reach_of_scripts(member, acme, client_for):
    client = client_for(acme)

    answer = client.post("/sign-in/", {"email": member.email, "password": PASSWORD})

    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert answer.status_code == 302
    assert (cookie["domain"], cookie["path"], cookie["httponly"], cookie["samesite"]) == (
        "",
        "/",
        True,
        "Lax",
    )
    assert settings.SESSION_COOKIE_DOMAIN is None


def test_sign_in_gives_this_browser_a_new_session_and_ends_the_old_one(member, acme, client_for):
    client = client_for(acme, member)
    old = client.cookies[settings.SESSION_COOKIE_NAME].value

    client.post("/sign-in/", {"email": member.email, "password": PASSWORD})

    new = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert new != old
    assert Session.objects.filter(user=member).count() == 1


def test_sign_out_ends_the_session_and_clears_the_browser(member, acme, client_for):
    client = client_for(acme, member)

    answer = client.post("/sign-out/")

    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not Session.objects.filter(user=member).exists()


def test_sign_out_needs_a_post(member, acme, client_for):
    assert client_for(acme, member).get("/sign-out/").status_code == 405


def test_end_one_refuses_somebody_elses_session(member, viewer):
    session, _secret = sign_in(member)

    with pytest.raises(NotFound):
        sessions.end_one(session_id=session.pk, user=viewer)


def test_end_others_keeps_only_this_browser(member, acme, client_for):
    sign_in(member)
    client = client_for(acme, member)

    client.post("/me/security/sessions/end/")

    assert Session.objects.filter(user=member).count() == 1
    assert client.get("/me/").status_code == 200


def test_deactivating_ends_the_sessions_at_once(member, owner, acme, client_for):
    client = client_for(acme, member)

    people.deactivate(person=member, successor=None, actor=owner, at=NOON)

    assert client.get("/me/").status_code == 302


def test_signed_in_request_asks_once_who_it_is_and_a_visitor_not_at_all(member, acme, client_for):
    visitor, client = client_for(acme), client_for(acme, member)
    visitor.get("/sign-in/")

    with CaptureQueriesContext(connection) as without:
        visitor.get("/sign-in/")
    with CaptureQueriesContext(connection) as with_session:
        client.get("/sign-in/")

    assert [q for q in without.captured_queries if "identity_" in q["sql"]] == []
    asked = [q["sql"] for q in with_session.captured_queries if "identity_" in q["sql"]]
    # The roles come from the process's snapshot, which this open transaction may not keep.
    assert len([sql for sql in asked if "identity_session" in sql]) == 1
    assert all("identity_session" in sql or 'FROM "identity_role"' in sql for sql in asked)


def test_sign_in_page_goes_back_to_paths_of_this_host_only(member, acme, client_for):
    hostile = [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "///evil.example",
        "/\t/evil.example",
        "https:/evil.example",
        "%2f%2fevil.example",
        " //evil.example",
        "evil.example",
        "/\x00/evil",
        "http://acme.testserver@evil.example/",
        "//acme.testserver.evil.example",
    ]
    for path in hostile:
        client = client_for(acme)
        answer = client.post(
            "/sign-in/", {"email": member.email, "password": PASSWORD, "next": path}
        )
        assert answer.headers.get("Location", "/") == "/", path
        signed_in = client_for(acme, member).get("/sign-in/", {"next": path})
        assert signed_in.headers["Location"] == "/", path

    good = client_for(acme).post(
        "/sign-in/", {"email": member.email, "password": PASSWORD, "next": "/me/?a=1"}
    )
    assert good.headers["Location"] == "/me/?a=1"


def test_htmx_request_of_a_visitor_is_sent_to_sign_in_and_back_to_its_page(
    acme, in_acme, client_for
):
    client = client_for(acme)

    answer = client.get(
        "/settings/people/",
        headers={"hx-request": "true", "hx-current-url": "http://acme.testserver/me/?x=1"},
    )

    assert answer.headers["HX-Redirect"] == "/sign-in/?next=%2Fme%2F%3Fx%3D1"


def test_operators_sign_in_in_the_platforms_scope(platform_unit):
    from crm_platform.console.services.operators import make_operator

    make_operator(email="op@example.com", password=PASSWORD, reset=False, at=NOON)

    session, _secret = sessions.sign_in(
        email="op@example.com", password=PASSWORD, client=HOME, at=NOON
    )

    assert session.company_id == tenancy.PLATFORM.id
