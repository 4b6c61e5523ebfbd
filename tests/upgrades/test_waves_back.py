"""A wave goes back to the release before: by two operators, or by a command."""

import datetime as dt
import io

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from crm_platform.console.models import Approval, OperatorEntry
from crm_platform.identity.models import Session
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, NotFound
from tenants.models import Company
from tenants.upgrades import (
    applying,
    building,
    queries,
    rolling_back,
    running,
    services,
    tasks,
)
from tenants.upgrades.models import Release, SchemaRun
from tests.conftest import NOON
from tests.console.conftest import client_of, make_person
from tests.upgrades.conftest import again
from tests.upgrades.test_releases import clock, raw, run_of

State, PAGE = SchemaRun.State, "/releases/r2/back/"


@pytest.fixture
def second(ledger):
    """Another platform operator's browser."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        person = make_person("platform", name="Paul Platform")
        client = client_of(person)
    yield client
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Approval.objects.all().delete()
        Session.objects.filter(user=person).delete()
        type(person).objects.filter(pk=person.pk).update(is_active=False)


@pytest.fixture
def upgraded(fleet, future):
    """Three companies of one wave at r2."""
    companies = fleet(3)
    building.build_release(version="r2", at=NOON)
    services.plan_release(version="r2", at=NOON)
    services.start(version="r2", at=NOON)
    running.work(version="r2", clock=clock, any_hour=True)
    return companies


def releases_of(companies):
    return [again(company).release for company in companies]


def state_of_release():
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Release.objects.get(version="r2").state


def text_of(answer):
    return answer.content.decode()


def test_wave_goes_back_when_a_second_person_agrees(operator, second, upgraded, broker):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Release.objects.filter(version="r2").update(state=Release.State.RUNNING)
    assert "The rest: 3 companies" in text_of(operator.get("/releases/r2/"))

    answer = operator.post(PAGE, {"wave": "rest", "reason": "Reports are slow"})

    assert (answer.status_code, answer["Location"]) == (302, "/approvals/")
    assert state_of_release() == Release.State.STOPPED
    assert releases_of(upgraded) == ["r2"] * 3
    assert "that waits for a second person" in text_of(operator.get("/releases/r2/"))
    twice = operator.post(PAGE, {"wave": "rest", "reason": "Again"})
    assert twice.status_code == 422
    assert "Somebody asked for this already" in text_of(twice)

    with tenancy.unit_of_work(tenancy.PLATFORM):
        asked = Approval.objects.get()
    assert set(asked.company_ids) == {str(company.pk) for company in upgraded}
    agree = f"/approvals/{asked.pk}/agree/"
    assert operator.post(agree).status_code == 403
    assert broker.take() == []
    assert second.post(agree).status_code == 302

    rung = broker.take()
    assert [(each.name, each.given) for each in rung] == [
        (tasks.roll_back_company.name, {"run_id": run_id})
        for run_id in sorted(run_of(company).pk for company in upgraded)
    ]
    for each in rung:
        each.work()
    assert releases_of(upgraded) == ["r1"] * 3
    with tenancy.unit_of_work(tenancy.PLATFORM):
        verbs = list(OperatorEntry.objects.order_by("-pk").values_list("verb", flat=True)[:2])
    assert set(verbs) == {"approval.agreed", "release.wave_back"}


def test_release_started_again_meanwhile_is_stopped_with_a_reason_in_the_readers_language(
    operator, second, upgraded, broker
):
    operator.post(PAGE, {"wave": "rest", "reason": "Reports are slow"})
    with tenancy.unit_of_work(tenancy.PLATFORM):
        asked = Approval.objects.get()
        Release.objects.filter(version="r2").update(state=Release.State.RUNNING, state_reason="")

    assert second.post(f"/approvals/{asked.pk}/agree/").status_code == 302

    assert state_of_release() == Release.State.STOPPED
    assert "A wave is being rolled back." in text_of(second.get("/releases/r2/"))
    operator.post("/me/prefs/", {"language": "zh-hant"})
    assert "正在將一整" in text_of(operator.get("/releases/r2/"))


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [({"wave": "rest", "reason": " "}, 422, "required"),
     ({"wave": "canary", "reason": "Bad"}, 422, "not one of the available choices")],
)  # fmt: skip
def test_wave_that_cannot_be_meant_is_refused_at_its_field(
    operator, second, upgraded, given, status, says
):
    answer = operator.post(PAGE, given)

    assert answer.status_code == status
    assert says in text_of(answer)
    assert state_of_release() == Release.State.DONE
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not Approval.objects.exists()


def test_company_beyond_the_release_is_left_alone(operator, upgraded):
    ahead, *others = upgraded
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=ahead.pk).update(release="r3")
        wave = Release.objects.get(version="r2").waves.get(ring="rest")
    assert "The rest: 2 companies" in text_of(operator.get("/releases/r2/"))
    assert operator.post(f"/releases/runs/{run_of(ahead).pk}/back/").status_code == 409
    with pytest.raises(Conflict):
        rolling_back.roll_back(run_id=run_of(ahead).pk)
    assert rolling_back.roll_back_wave(wave_id=wave.pk, reason="Bad") == (2, [])
    assert releases_of(others) == ["r1", "r1"]
    assert again(ahead).release == "r3"


def test_first_release_has_no_way_back(operator, second, first):
    answer = operator.post("/releases/r1/back/", {"wave": "rest", "reason": "Bad"})

    assert answer.status_code == 409
    assert operator.post("/releases/r9/back/", {}).status_code == 404


def test_busy_company_is_tried_again_and_shown_in_the_end(operator, upgraded, broker):
    company, *_others = upgraded
    run_id = run_of(company).pk

    def roll_back(turn):
        with tenancy.choose(tenancy.PLATFORM):
            tasks.roll_back_company.run(run_id=run_id, turn=turn)

    with psycopg.connect(raw().info.dsn, password="") as reader:
        reader.execute(f'LOCK TABLE "{company.schema_name}".records_account IN ACCESS SHARE MODE')
        before = timezone.now()
        roll_back(turn=3)
        (rung,) = broker.take()
        assert rung.given == {"run_id": run_id, "turn": 4}
        wait = dt.datetime.fromisoformat(rung.not_before) - before
        assert wait.total_seconds() >= 3 * tasks.BUSY_SECONDS
        roll_back(turn=tasks.MOST_TURNS)
        assert broker.take() == []

    assert (run_of(company).state, again(company).release) == (State.DONE, "r2")
    page = text_of(operator.get("/releases/r2/"))
    assert "Locked" in page[page.index("Need somebody") : page.index("Upgraded last")]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = Release.objects.get(version="r2")
        assert [run.pk for run in queries.troubled_of(release)] == [run_id]

    roll_back(turn=1)
    assert (run_of(company).state, run_of(company).error) == (State.BACK, "")


def test_refused_roll_back_holds_no_lease(upgraded):
    run_id, before = run_of(upgraded[0]).pk, applying.living_leases()
    rolling_back.roll_back(run_id=run_id)
    for wrong in (run_id, 10**9):
        with pytest.raises((Conflict, NotFound)):
            rolling_back.roll_back(run_id=wrong)
    assert applying.living_leases() == before


def test_command_brings_a_wave_back(upgraded):
    out = io.StringIO()
    with pytest.raises(CommandError, match="one of the arguments"):
        call_command("release", "back", "r2")
    with pytest.raises(CommandError, match="nothing to undo"):
        call_command("release", "back", "r2", "--wave", "canary")

    call_command("release", "back", "r2", "--wave", "rest", stdout=out)

    assert "rest: 3 rolled back, 0 not" in out.getvalue()
    assert releases_of(upgraded) == ["r1"] * 3
