"""How often a key and a company may ask: counted by company, told in headers, never a wall."""

import dataclasses
import datetime as dt
import logging

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from api import throttle
from api.errors import TooManyRequests
from crm_platform.kernel import counting, tenancy
from tests.api.conftest import Program, demand_problem, key_of
from tests.factories import NOON

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def limit(settings):
    """`limit(api_key_requests=3)` changes what holds for every company."""

    def change(**values):
        settings.COMPANY_LIMITS = {**settings.COMPANY_LIMITS, **values}

    return change


def test_key_that_asks_too_often_is_told_when_to_come_again(in_acme, limit, member, manager):
    limit(api_key_requests=3)
    program = Program(in_acme, key_of(member))
    # A minute of the clock may end between two requests, once.
    answers = [program.get("tags/") for _number in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]

    assert answers[0].status_code == 200
    assert (answers[0]["RateLimit-Limit"], answers[0]["RateLimit-Remaining"]) == ("3", "2")
    assert answers[0]["RateLimit-Policy"].startswith("3;w=60, ")
    found = demand_problem(refused[0], 429, "too_many")
    assert "This key asked more than 3 times" in found["detail"]
    assert 1 <= int(refused[0]["Retry-After"]) <= 61
    assert refused[0]["RateLimit-Remaining"] == "0"
    assert Program(in_acme, key_of(manager)).get("tags/").status_code == 200


def asked_by(person, at):
    """One request of a person's page, at a moment."""
    request = Request(APIRequestFactory().get("/"))
    request.user, request.auth = person, None
    return throttle.demand_allowance(request, at=at)


def test_all_keys_of_a_company_share_its_allowance_and_other_companies_have_their_own(
    in_acme, globex, limit, member, manager
):
    limit(api_requests=4, api_key_requests=100)
    at = NOON + dt.timedelta(days=1)
    for person in (member, manager, member, manager):
        asked_by(person, at)
    with pytest.raises(TooManyRequests, match="programs of your company together"):
        asked_by(member, at)

    with tenancy.choose(globex):
        assert asked_by(member, at)["RateLimit-Remaining"] == "3"


def test_allowance_slides_with_the_clock(in_acme, limit, member):
    limit(api_key_requests=10)
    at = NOON + dt.timedelta(days=2)
    for _number in range(10):
        asked_by(member, at)
    with pytest.raises(TooManyRequests) as refused:
        asked_by(member, at + dt.timedelta(seconds=59))
    assert refused.value.headers["Retry-After"] == "2"
    # Half of the next minute: half of what was asked before is still in sight.
    for _number in range(5):
        asked_by(member, at + 1.5 * MINUTE)
    with pytest.raises(TooManyRequests):
        asked_by(member, at + 1.5 * MINUTE)


def test_refused_request_uses_up_nothing_of_the_company(in_acme, limit, member, manager):
    limit(api_requests=5, api_key_requests=2)
    at = NOON + dt.timedelta(days=3)
    for _number in range(2):
        asked_by(member, at)
    for _number in range(20):
        with pytest.raises(TooManyRequests):
            asked_by(member, at)

    assert asked_by(manager, at)["RateLimit-Policy"] == "2;w=60, 5;w=60"


def test_operators_word_for_one_company_counts_before_the_setting(in_acme, limit, member):
    limit(api_key_requests=1)
    own = dataclasses.replace(in_acme, limits=(("api_key_requests", 2),))
    at = NOON + dt.timedelta(days=4)
    with tenancy.choose(own):
        asked_by(member, at)
        assert asked_by(member, at)["RateLimit-Limit"] == "2"
        with pytest.raises(TooManyRequests):
            asked_by(member, at)


def test_what_a_company_used_is_known_by_day(in_acme, globex, limit, member):
    limit(api_key_requests=2)
    at = NOON + dt.timedelta(days=5)
    before = counting.used(in_acme.id, at=at).get("api_requests", 0)
    for _number in range(2):
        asked_by(member, at)
    with pytest.raises(TooManyRequests):
        asked_by(member, at)

    found = counting.used(in_acme.id, at=at)
    assert (found["api_requests"] - before, found["api_refused"] > 0) == (2, True)
    assert counting.used(globex.id, at=at) == {}


def test_lost_counter_stops_nobody_and_is_logged_once(in_acme, settings, limit, member, caplog):
    address = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": address}}
    limit(api_key_requests=0)
    counting._away_until.pop(address, None)
    program = Program(in_acme, key_of(member))

    with caplog.at_level(logging.WARNING, "rapport.counting"):
        answers = [program.get("tags/") for _number in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit-Limit" not in answers[0]
    told = [record for record in caplog.records if record.name == "rapport.counting"]
    assert len(told) == 1
