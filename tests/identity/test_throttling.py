"""Guessing is slowed down per address and place, and never for another company (T35)."""

import datetime as dt

import pytest
from django.test import override_settings

from crm_platform.identity.client import Client as Place
from crm_platform.identity.services import passwords, sessions
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid, TooMany
from tests import factories

NOON = factories.NOON
PASSWORD, WRONG = "correct horse battery", "wrong password"
HERE, THERE = Place(ip="203.0.113.7"), Place(ip="198.51.100.1")


def guess(email, place=HERE, at=NOON, password=WRONG):
    sessions.sign_in(email=email, password=password, client=place, at=at)


def guess_wrong(email, times, place=HERE, at=NOON):
    for _ in range(times):
        with pytest.raises(Invalid):
            guess(email, place, at)


def test_sixth_guess_in_a_quarter_is_refused_even_when_right_and_says_when_to_come_back(member):
    guess_wrong(member.email, 5)

    with pytest.raises(TooMany) as refusal:
        guess(member.email, password=PASSWORD, at=NOON + dt.timedelta(minutes=4))

    assert str(refusal.value) == "Too many tries. Try again in 11 minutes."


def test_after_the_quarter_one_may_try_again(member):
    guess_wrong(member.email, 5)

    guess(member.email, password=PASSWORD, at=NOON + dt.timedelta(minutes=15))


def test_guesses_from_elsewhere_do_not_lock_the_person_out(member):
    guess_wrong(member.email, 5, THERE)

    guess(member.email, HERE, password=PASSWORD)


def test_unknown_addresses_are_counted_like_known_ones(in_acme):
    guess_wrong("nobody@example.com", 5)

    with pytest.raises(TooMany):
        guess("nobody@example.com")


def test_right_password_forgets_the_wrong_ones(member):
    guess_wrong(member.email, 4)
    guess(member.email, password=PASSWORD)

    guess_wrong(member.email, 5)


def test_one_place_guessing_many_addresses_is_refused_after_fifty(in_acme):
    for number in range(50):
        guess_wrong(f"n{number}@example.com", 1)

    with pytest.raises(TooMany):
        guess("another@example.com")


def test_ipv6_neighbours_count_as_one_place(in_acme):
    for number in range(50):
        guess_wrong(f"n{number}@example.com", 1, Place(ip=f"2001:db8::{number:x}"))

    with pytest.raises(TooMany):
        guess("another@example.com", Place(ip="2001:db8::ffff"))


def test_lock_of_one_company_leaves_the_other_open(member, globex):
    guess_wrong(member.email, 5)

    with tenancy.unit_of_work(globex):
        twin = factories.user(email=member.email)
        guess(twin.email, password=PASSWORD)


def allowed_of(client, email, tries, **headers):
    codes = []
    for number in range(tries):
        values = {name: value.format(n=number) for name, value in headers.items()}
        answer = client.post(
            "/sign-in/", {"email": email, "password": "wrong password"}, headers=values
        )
        codes.append(answer.status_code != 429)
    return sum(codes)


def test_made_up_forwarding_headers_give_no_more_guesses(member, acme, client_for):
    tries = 60

    direct = allowed_of(client_for(acme), member.email, tries, **{"X-Forwarded-For": "10.0.0.{n}"})

    assert direct == 5


@override_settings(TRUSTED_PROXY_COUNT=1)
def test_behind_one_proxy_only_its_own_word_counts(member, acme, client_for):
    spoofed = {"X-Forwarded-For": "10.0.0.{n}, 203.0.113.9"}

    assert allowed_of(client_for(acme), member.email, 30, **spoofed) == 5


def test_refused_sign_in_keeps_its_count_over_http(member, acme, client_for):
    client = client_for(acme)
    for _ in range(5):
        answer = client.post("/sign-in/", {"email": member.email, "password": "wrong password"})
        assert answer.status_code == 422

    answer = client.post("/sign-in/", {"email": member.email, "password": PASSWORD})

    assert answer.status_code == 429
    assert "Try again in 15 minutes" in answer.content.decode()


def test_reset_mails_to_one_address_are_few_and_the_answer_does_not_tell(member):
    from crm_platform.identity.models import OutgoingMail

    for number in range(6):
        place = Place(ip=f"203.0.113.{number}")
        passwords.request_reset(email=member.email, client=place, at=NOON)

    assert OutgoingMail.objects.filter(to=member.email).count() == 3


def test_own_password_is_asked_a_few_times_only(member):
    for _ in range(5):
        with pytest.raises(Invalid):
            passwords.change_password(
                user=member, old="wrong", new="another good one", keep=None, at=NOON
            )

    with pytest.raises(TooMany):
        passwords.change_password(
            user=member, old=PASSWORD, new="another good one", keep=None, at=NOON
        )
