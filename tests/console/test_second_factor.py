"""Before the second factor an operator sees one page; codes are good once and guessing is slow."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from crm_platform.console.models import OperatorEntry
from crm_platform.console.services import operators
from crm_platform.identity.models import Attempt, RecoveryCode, SecondFactor, Session
from crm_platform.identity.services import second_factor as services
from crm_platform.kernel import sealing, tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed, TooMany
from tests.conftest import NOON
from tests.console.conftest import HOST, PASSWORD, client_of, enrol, make_person
from tests.console.test_roles import VALUES
from tests.isolation.addresses import every_address

SEALED = re.compile(r'name="sealed" value="([^"]+)"')
SECRET = re.compile(r"data-secret>([A-Z2-7 ]+)<")


@pytest.fixture
def person(platform_unit):
    return make_person("support")


def test_without_it_every_address_leads_to_the_one_page(person, settings, say):
    client, asked, wrong = client_of(person, confirmed=False), 0, []
    open_ones = ("identity:second_factor", "identity:sign_out", "identity:prefs")
    for address in every_address(settings.OPERATORS_URLCONF):
        if address.name in open_ones or address.name.startswith("ui:"):
            continue
        for method in ("get", "post"):
            answer = getattr(client, method)(address.paths(VALUES)[0])
            asked += 1
            if answer.headers.get("Location", "").partition("?")[0] != "/second-factor/":
                wrong.append(f"{method} {address.route}: {answer.status_code}")

    say(f"second factor: {asked} requests without it, {len(wrong)} let through")
    assert wrong == []
    assert client.get("/second-factor/").status_code == 200


def test_password_then_enrolment_then_console(person):
    client = Client(headers=HOST)
    client.post("/sign-in/", {"email": person.email, "password": PASSWORD})
    page = client.get("/", follow=True).content.decode()
    secret = SECRET.search(page)[1].replace(" ", "")
    sealed = SEALED.search(page)[1]
    assert secret not in sealed
    assert "data:image/svg+xml" in page

    wrong = client.post("/second-factor/", {"sealed": sealed, "code": "000000"})
    code = services.code_of(secret, at=timezone.now())
    done = client.post("/second-factor/", {"sealed": sealed, "code": code})

    assert wrong.status_code == 422
    assert (
        len(re.findall(r'<code class="code">[a-z2-9]{5}-[a-z2-9]{5}</code>', done.content.decode()))
        == 10
    )
    assert client.get("/").status_code == 200
    assert secret not in SecondFactor.objects.get(user=person).secret


def test_code_opens_this_browser_once_and_no_other(person):
    secret = enrol(person)
    one, other = client_of(person, confirmed=False), client_of(person, confirmed=False)
    code = services.code_of(secret, at=timezone.now())

    first = one.post("/second-factor/", {"code": code, "next": "/me/security/"})
    again = other.post("/second-factor/", {"code": code})

    assert (first.status_code, first.headers["Location"]) == (302, "/me/security/")
    assert again.status_code == 422
    assert other.get("/").status_code == 302
    assert one.get("/").status_code == 200


def test_drift_of_one_step_is_forgiven_and_an_older_code_never(person):
    secret = enrol(person)

    def give(at_code, at=NOON):
        return services.confirm(
            user=person, code=services.code_of(secret, at=at_code), session=None, at=at
        )

    step = dt.timedelta(seconds=30)
    give(NOON - step)
    for moment in (NOON - step, NOON - 2 * step, NOON + 2 * step):
        with pytest.raises(Invalid):
            give(moment)
    give(NOON)
    give(NOON + step)
    with pytest.raises(Invalid):
        give(NOON)  # an earlier step than the last one taken


def test_guessing_is_stopped_for_the_person_wherever_it_comes_from(person):
    secret = enrol(person)
    for _try in range(5):
        with pytest.raises(Invalid):
            services.confirm(user=person, code="123", session=None, at=NOON)

    right = services.code_of(secret, at=NOON)
    with pytest.raises(TooMany):
        services.confirm(user=person, code=right, session=None, at=NOON)
    answer = client_of(person, confirmed=False)
    Attempt.objects.update(at=timezone.now())
    assert answer.post("/second-factor/", {"code": "1"}).status_code == 429
    later = NOON + dt.timedelta(days=1)
    Attempt.objects.update(at=NOON)
    services.confirm(user=person, code=services.code_of(secret, at=later), session=None, at=later)


def test_recovery_code_is_kept_as_a_hash_and_good_once(person):
    secret = services.new_secret()
    codes = services.enrol(
        user=person, secret=secret, code=services.code_of(secret, at=NOON), session=None, at=NOON
    )

    assert not RecoveryCode.objects.filter(code_hash__in=codes).exists()
    assert services.confirm(user=person, code=codes[0].upper(), session=None, at=NOON)
    assert services.codes_left(person) == 9
    with pytest.raises(Invalid):
        services.confirm(user=person, code=codes[0], session=None, at=NOON)
    with pytest.raises(Conflict):
        services.enrol(
            user=person, secret=secret, code=services.code_of(secret, at=NOON), session=None,
            at=NOON,
        )  # fmt: skip


def test_new_recovery_codes_need_a_code_and_end_the_old(person):
    secret = enrol(person)
    client = client_of(person)
    assert client.post("/second-factor/", {"code": "000000"}).status_code == 422

    page = client.post("/second-factor/", {"code": services.code_of(secret, at=timezone.now())})

    assert page.status_code == 200
    assert services.codes_left(person) == 10
    assert "10" in client.get("/second-factor/").content.decode()


def test_ones_own_pages_stand_in_the_console_once_the_second_step_is_done(person):
    enrol(person)
    before = client_of(person, confirmed=False).get("/second-factor/").content.decode()
    client = client_of(person)
    after = [client.get(path) for path in ("/me/", "/me/security/", "/second-factor/")]
    after.append(client.post("/me/security/password/", {"old": "wrong", "new": "x"}))

    assert 'href="/support/"' not in before
    for answer in after:
        page = answer.content.decode()
        assert answer.status_code in (200, 422)
        for place in ("/", "/support/", "/me/", "/me/security/", "/second-factor/"):
            assert f'href="{place}"' in page, place
        assert 'action="/sign-out/"' in page


def test_only_another_platform_operator_resets_it_with_a_reason(operator, platform_operator):
    person = make_person("support", name="Sam Support")
    enrol(person)
    client_of(person)
    with pytest.raises(NotAllowed):
        operators.reset_second_factor(
            person=platform_operator, reason="mine", actor=platform_operator, at=NOON
        )
    without = operator.post(f"/operators/{person.pk}/second-factor/", {"reason": " "})

    operator.post(f"/operators/{person.pk}/second-factor/", {"reason": "lost the phone"})

    assert without.status_code == 422
    assert not SecondFactor.objects.filter(user=person).exists()
    assert not Session.objects.filter(user=person).exists()
    entry = OperatorEntry.objects.get(verb="second_factor.reset")
    assert (entry.actor_id, entry.object_id, entry.reason) == (
        platform_operator.pk, str(person.pk), "lost the phone",
    )  # fmt: skip


def test_sealed_secret_opens_for_its_purpose_and_company_only(platform_unit, acme, settings):
    sealed = sealing.encrypt("a", "secret")

    assert sealing.decrypt("a", sealed, refusal="no") == "secret"
    with pytest.raises(Invalid):
        sealing.decrypt("b", sealed, refusal="no")
    with tenancy.choose(acme), pytest.raises(Invalid):
        sealing.decrypt("a", sealed, refusal="no")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 9
    assert sealing.decrypt("a", sealed, refusal="no") == "secret"


def test_people_of_a_company_are_not_asked(in_acme, acme, owner, client_for):
    assert client_for(acme, owner).get("/me/").status_code == 200
