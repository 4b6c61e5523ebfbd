"""What a company decides about its upgrades, and what it may see of them."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid
from tenants.lifecycle import changes
from tenants.models import Company
from tenants.upgrades import building, choices, proof, running, services
from tenants.upgrades.models import Release, SchemaRun, Setting, Wave
from tests.conftest import NOON
from tests.upgrades.conftest import again
from tests.upgrades.test_releases import clock, run_of

DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 11, 20)


NEWS = {"en": {"all": ["Something is new."]}}
"""A release that changes no table is built in a moment, and upgraded to like any other."""


@pytest.fixture
def pair(fleet):
    """Two companies in Taipei (20:00 there at NOON) before a planned release; r2 is not begun."""
    made = fleet(2, time_zone="Asia/Taipei", window_from=22, window_to=4)
    building.build_release(version="r2", at=NOON, notes=NEWS)
    services.plan_release(version="r2", at=NOON)
    return made


def choose(company, *, early=False, start=22, end=4, until=None, at=NOON):
    return choices.choose(
        company_id=company.pk, goes_early=early, window_from=start, window_to=end,
        wait_until=until, actor="Wai <w@example.com>", at=at,
    )  # fmt: skip


def standing(company, at=NOON):
    return proof.standing_of(company.pk, at=at)


def hurry(company, at=NOON):
    return choices.hurry(company_id=company.pk, actor="Wai", at=at)


def wave_of(company):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return SchemaRun.objects.select_related("wave").get(company=company).wave.ring


def events(company, verb):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return [e.facts for e in changes.history(company.pk) if e.verb == verb]


def test_new_hours_move_the_upgrade_that_waits_and_nobody_elses(pair):
    mine, other = pair
    before = run_of(other).not_before
    assert run_of(mine).not_before == NOON + dt.timedelta(hours=2)

    found = choose(mine, start=23, end=5)

    assert found == {"window_from": [22, 23], "window_to": [4, 5]}
    assert run_of(mine).not_before == NOON + dt.timedelta(hours=3)
    assert run_of(other).not_before == before
    assert events(mine, "upgrades.chosen") == [found]
    assert choose(mine, start=23, end=5) == {}
    assert len(events(mine, "upgrades.chosen")) == 1


def test_same_hour_twice_is_any_hour(pair):
    choose(pair[0], start=5, end=5)

    assert run_of(pair[0]).not_before == NOON


def test_company_that_goes_early_changes_its_wave_and_back(pair):
    choose(pair[0], early=True)
    assert (wave_of(pair[0]), wave_of(pair[1])) == ("early", "rest")
    choose(pair[0])
    assert wave_of(pair[0]) == "rest"


def test_wave_that_is_over_takes_nobody_any_more(pair):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Wave.objects.filter(ring="early").update(state=Wave.State.DONE)

    choose(pair[0], early=True)

    assert wave_of(pair[0]) == "rest"
    assert again(pair[0]).ring == Company.Ring.EARLY


def test_canary_stays_one(pair):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=pair[0].pk).update(ring="canary")

    choose(pair[0], early=True)

    assert again(pair[0]).ring == Company.Ring.CANARY


def test_wait_begins_on_that_day_there_and_within_the_hours(pair):
    choose(pair[0], until=TODAY + 3 * DAY)

    assert again(pair[0]).upgrade_after == dt.datetime(2026, 11, 22, 16, 0, tzinfo=dt.UTC)
    assert run_of(pair[0]).not_before == dt.datetime(2026, 11, 22, 16, 0, tzinfo=dt.UTC)
    choose(pair[0], start=9, end=12, until=TODAY + 3 * DAY)
    assert run_of(pair[0]).not_before == dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


def test_wait_beyond_the_limit_is_refused_with_the_day_and_the_days(pair):
    last = TODAY + 14 * DAY
    assert standing(pair[0]).last_day == last
    with pytest.raises(Invalid, match=r"14 days at most, so until 4 Dec") as refused:
        choose(pair[0], until=last + DAY)

    assert refused.value.field == "wait_until"
    assert again(pair[0]).upgrade_after is None
    choose(pair[0], until=last)


def test_wait_counts_from_the_plan_so_nobody_waits_for_ever(pair):
    later = NOON + 10 * DAY

    with pytest.raises(Invalid, match="until 4 Dec"):
        choose(pair[0], until=TODAY + 15 * DAY, at=later)

    choose(pair[0], until=TODAY + 14 * DAY, at=later)


def test_limit_that_operators_lowered_ends_a_longer_wait(pair):
    choose(pair[0], until=TODAY + 10 * DAY)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Setting.objects.update_or_create(pk=1, defaults={"longest_wait_days": 2})

    choices.plan_anew(company_id=pair[0].pk, moves=False, at=NOON)

    assert run_of(pair[0]).not_before == NOON + 2 * DAY + dt.timedelta(hours=2)


@pytest.mark.parametrize("day", [TODAY, TODAY - DAY])
def test_day_gone_by_is_refused(pair, day):
    with pytest.raises(Invalid, match="in the future"):
        choose(pair[0], until=day)


@pytest.mark.parametrize("hours", [(24, 1), (1, -1)])
def test_hours_that_are_none_are_refused(pair, hours):
    with pytest.raises(Invalid, match="0 to 23"):
        choose(pair[0], start=hours[0], end=hours[1])


def test_what_operators_fixed_is_theirs(pair):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=pair[0].pk).update(upgrades_fixed=True)

    for act in (choose, hurry):
        with pytest.raises(Conflict, match="operators have fixed"):
            act(pair[0])


def test_rehearsal_has_no_choice(pair):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=pair[0].pk).update(live=pair[1])

    with pytest.raises(Conflict, match="rehearsal"):
        choose(pair[0])
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=pair[0].pk).update(live=None)


def test_update_now_is_done_outside_the_hours_before_the_others(pair, broker):
    mine, other = pair
    choose(mine, until=TODAY + 3 * DAY)
    services.start(version="r2", at=NOON)
    assert running.work(version="r2", clock=clock).upgraded == 0
    assert standing(mine).coming.may_hurry

    hurry(mine)

    assert again(mine).upgrade_after is None
    assert broker.names() == ["tenants.upgrades.tasks.ring_for_upgrades"]
    assert running.work(version="r2", clock=clock).upgraded == 1
    assert (again(mine).release, again(other).release) == ("r2", "r1")
    assert run_of(other).state == SchemaRun.State.WAITING
    assert events(mine, "upgrades.hurried") == [{"release": "r2"}]


def test_update_now_waits_for_the_canaries(pair):
    mine, canary = pair
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run = SchemaRun.objects.get(company=canary)
        run.wave = Wave.objects.get(ring="canary")
        run.save()
    services.start(version="r2", at=NOON)

    hurry(mine)

    assert running.work(version="r2", clock=clock).upgraded == 0
    assert not standing(mine).coming.may_hurry


def test_nothing_to_hurry_is_refused(pair):
    services.start(version="r2", at=NOON)
    running.work(version="r2", clock=clock, any_hour=True)
    with pytest.raises(Conflict, match="No update waits"):
        hurry(pair[0])
    with tenancy.unit_of_work(tenancy.PLATFORM):
        SchemaRun.objects.filter(company=pair[0]).update(state="waiting")
        Release.objects.filter(version="r2").update(state="stopped")
    with pytest.raises(Conflict, match="on hold"):
        hurry(pair[0])


def test_company_sees_its_own_runs_and_what_comes(pair):
    mine, other = pair
    before = standing(mine)
    assert (before.company.release, before.coming.release.version) == ("r1", "r2")
    assert [run.company_id for run in before.runs] == [mine.pk]
    services.start(version="r2", at=NOON)
    running.work(version="r2", clock=clock, any_hour=True)

    after = standing(mine)

    assert after.coming is None
    assert after.company.release == "r2"
    assert [run.company_id for run in after.runs] == [mine.pk]
    assert after.runs[0].checks == ["fingerprint", "reads"]
    assert after.runs[0].took_ms > 0
    assert after.runs[0].finished_at >= after.runs[0].started_at - DAY
    assert [run.company_id for run in standing(other).runs] == [other.pk]


def test_standing_costs_four_queries(pair):
    with tenancy.unit_of_work(tenancy.PLATFORM), CaptureQueriesContext(connection) as captured:
        standing(pair[0])

    assert len([q for q in captured if "SAVEPOINT" not in q["sql"]]) == 4


def test_release_that_is_only_built_is_announced_without_a_day(fleet):
    company = fleet(1)[0]
    building.build_release(version="r2", at=NOON, notes=NEWS)

    coming = standing(company).coming

    assert (coming.release.version, coming.run, coming.may_hurry) == ("r2", None, False)
