"""What people are told in each state, and the owner's way back."""

import datetime as dt

import pytest
from django.utils import timezone

from crm_platform.console.services.operators import make_operator
from crm_platform.identity.models import OutgoingMail, User
from crm_platform.kernel import tenancy
from tenants.lifecycle import changes, clock
from tenants.lifecycle.states import Who
from tenants.models import Company
from tests.conftest import NOON, unique

State = Company.State
DAY = dt.timedelta(days=1)
PASSWORD = "correct horse battery"


def banner(house, person, path="/accounts/"):
    text = house.client(person).get(path).content.decode()
    _before, found, after = text.partition('<div class="banner"')
    return after.partition("</div>")[0] if found else ""


def test_trial_is_told_to_those_who_run_the_company_only(house):
    house.put(State.TRIAL, until=timezone.now() + 9 * DAY)

    assert "Trial: 9 days left." in banner(house, house.owner)
    assert banner(house, house.member) == ""
    house.put(State.ACTIVE)
    assert banner(house, house.owner) == ""


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.PAST_DUE, "The trial or the paid time has ended. Everything still works. On"),
        (State.READ_ONLY, "Read-only since 20 Nov 2026. Everything can be read"),
    ],
)
def test_what_stops_people_is_told_to_everybody(house, state, words):
    house.put(state, until=NOON + 9 * DAY)

    assert words in banner(house, house.owner)
    assert words in banner(house, house.member)
    assert "What you can do" in banner(house, house.owner)
    assert "Who can help" in banner(house, house.member)
    page = house.client(house.member).get("/standing/").content.decode()
    assert house.owner.email in page


@pytest.mark.parametrize("state", [State.SUSPENDED, State.CLOSED])
def test_stopped_company_shows_its_page_and_its_owner_comes_in_to_ask(house, state):
    email = f"op-{unique()}@example.com"
    with tenancy.unit_of_work(tenancy.PLATFORM):
        make_operator(email=email, password=PASSWORD, reset=False, at=NOON)
    house.put(state)
    client = house.client()
    for path in ("/", "/accounts/", "/api/v1/accounts/", "/settings/people/", "/me/"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert house.scope.name not in answer.content.decode()
    assert client.get("/api/v1/accounts/").json()["code"] == state

    client.post("/sign-in/", {"email": house.owner.email, "password": PASSWORD})
    assert client.get("/accounts/").status_code == 403
    assert house.owner.name in house.client(house.member).get("/standing/").content.decode()
    answer = client.post("/standing/ask/", {"message": "We paid today."})

    assert answer.headers["Location"] == "/standing/"
    asked = house.events("owner.asked")[0]
    assert asked.facts == {"message": "We paid today.", "state": state}
    assert house.owner.email in asked.actor
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert "We paid today." in OutgoingMail.objects.get(to=email).body
        User.objects.filter(email=email).update(is_active=False)


def test_asking_is_for_owners_says_something_and_is_limited(house):
    house.put(State.SUSPENDED)
    member, owner = house.client(house.member), house.client(house.owner)

    assert member.post("/standing/ask/", {"message": "x"}).status_code == 422
    assert owner.post("/standing/ask/", {"message": " "}).status_code == 422
    answers = [owner.post("/standing/ask/", {"message": "x"}).status_code for _ in range(4)]

    assert answers == [302, 302, 302, 422]
    assert len(house.events("owner.asked")) == 3


def test_owner_closes_by_typing_the_name_and_takes_it_back_as_it_was(house):
    until = NOON + 400 * DAY
    house.put(State.TRIAL, until=until)
    client = house.client(house.owner)
    assert "nothing is lost until then" in client.get("/settings/company/close/").content.decode()
    assert client.post("/settings/company/close/", {"name": "Something"}).status_code == 422
    assert house.row.state == State.TRIAL

    answer = client.post("/settings/company/close/", {"name": house.scope.name})

    row = house.row
    assert (answer.status_code, row.state) == (302, State.CLOSED)
    assert row.state_until - row.state_since == 30 * DAY
    assert client.get("/accounts/").status_code == 403
    assert "Open the company again" in client.get("/standing/").content.decode()
    assert client.post("/standing/reopen/").status_code == 302
    assert (house.row.state, house.row.state_until) == (State.TRIAL, until)
    assert client.get("/accounts/").status_code == 200
    assert client.post("/standing/reopen/").status_code == 409


def test_nobody_else_closes_or_opens(house):
    admin_like = house.client(house.member)
    name = {"name": house.scope.name}
    assert admin_like.post("/settings/company/close/", name).status_code == 403
    house.put(State.CLOSED)
    for person in (house.owner, house.member):
        assert house.client(person).post("/standing/reopen/").status_code in (403, 409)
    assert house.row.state == State.CLOSED


def test_company_that_ran_out_is_opened_by_operators_alone(house):
    house.put(State.SUSPENDED, until=NOON)
    changes.move(
        company_id=house.scope.id, to=State.CLOSED, who=Who.CLOCK, actor=clock.ACTOR, at=NOON
    )
    assert (
        "Open the company again" not in house.client(house.owner).get("/standing/").content.decode()
    )

    changes.move(company_id=house.scope.id, to=State.ACTIVE, who=Who.OPERATOR, actor="op", at=NOON)

    assert house.client(house.owner).get("/accounts/").status_code == 200
