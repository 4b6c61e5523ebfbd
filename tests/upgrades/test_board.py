"""The operators' board of releases: what it shows, what it does, what it keeps in the audit."""

import pytest

from crm_platform.console.models import OperatorEntry
from crm_platform.kernel import tenancy
from tenants.upgrades import building, preflights, running
from tenants.upgrades.models import Release, SchemaRun, Setting
from tests.conftest import NOON
from tests.upgrades.conftest import again
from tests.upgrades.test_releases import breaks, clock, mend, run_of


def act(client, path, **values):
    return client.post(path, values)


def test_board_walks_a_release_from_plan_to_its_end(operator, broker, fleet, future):
    good, bad = fleet(2)
    breaks(bad)
    building.build_release(version="2026.11.22", at=NOON, most_failures=3)
    board = "/releases/2026.11.22/"
    assert "2026.11.22" in operator.get("/releases/").content.decode()
    assert "Not planned yet" in operator.get(board).content.decode()

    assert act(operator, f"{board}plan/").status_code == 302
    assert act(operator, f"{board}start/").status_code == 302
    assert broker.names() == ["tenants.upgrades.tasks.ring_for_upgrades"]
    running.work(version="2026.11.22", clock=clock, any_hour=True)

    shown = operator.get(board).content.decode()
    assert "has no district" in shown
    assert good.name in shown
    assert again(bad).release == "r1"

    mend(bad)
    assert act(operator, f"/releases/runs/{run_of(bad).pk}/retry/").status_code == 302
    assert act(operator, f"{board}start/").status_code == 302
    running.work(version="2026.11.22", clock=clock, any_hour=True)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Release.objects.get(version="2026.11.22").state == Release.State.DONE
        verbs = list(
            OperatorEntry.objects.filter(verb__startswith="release.")
            .order_by("pk").values_list("verb", flat=True)
        )  # fmt: skip
    assert verbs[-4:] == [
        "release.planned", "release.started", "release.retried", "release.started"
    ]  # fmt: skip


def test_hold_and_roll_back_from_the_board(operator, broker, fleet, future):
    good, bad = fleet(2)
    breaks(bad)
    building.build_release(version="r2", at=NOON, most_failures=3)
    act(operator, "/releases/r2/plan/")
    act(operator, "/releases/r2/start/")
    running.work(version="r2", clock=clock, any_hour=True)

    broker.take()
    act(operator, f"/releases/runs/{run_of(bad).pk}/hold/")
    act(operator, f"/releases/runs/{run_of(good).pk}/back/")

    assert run_of(bad).state == SchemaRun.State.HELD
    (rung,) = broker.take()
    assert rung.name == "tenants.upgrades.tasks.roll_back_company"
    rung.work()
    rung.work()
    assert (run_of(good).state, again(good).release) == (SchemaRun.State.BACK, "r1")


def test_dry_run_from_the_board_is_shown_in_words(operator, broker, fleet, future):
    good, bad = fleet(2)
    breaks(bad)
    building.build_release(version="r2", at=NOON)
    assert "No dry run has shown" in operator.get("/releases/r2/").content.decode()

    assert act(operator, "/releases/r2/check/", biggest="2").status_code == 302
    assert broker.names() == ["tenants.upgrades.tasks.try_release"] * 2
    part = operator.get("/releases/r2/", headers={"HX-Request": "true", "HX-Target": "dry-runs"})
    assert 'hx-trigger="every 2s"' in part.content.decode()
    assert "<html" not in part.content.decode()
    for row_id in preflights.waiting_ids():
        preflights.run(preflight_id=row_id, clock=clock)

    shown = operator.get("/releases/r2/").content.decode()
    for word in ("Went well", "Went wrong", "has no district", "everybody waits", good.name):
        assert word in shown
    assert 'hx-target="this" hx-swap="outerHTML"' not in shown.partition('id="dry-runs"')[2][:300]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert OperatorEntry.objects.filter(verb="release.checked").latest("pk").facts == {
            "companies": 2
        }


@pytest.mark.parametrize(
    ("path", "values", "status"),
    [
        ("/releases/r1/plan/", {}, 409),
        ("/releases/r1/stop/", {"reason": "x"}, 409),
        ("/releases/r1/stop/", {"reason": " "}, 422),
        ("/releases/nothing/plan/", {}, 404),
        ("/releases/r1/check/", {"biggest": "2"}, 409),
        ("/releases/r1/check/", {"biggest": "999"}, 422),
        ("/releases/runs/999999/retry/", {}, 404),
        ("/releases/runs/999999/explode/", {}, 404),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(operator, first, path, values, status):
    answer = act(operator, path, **values)

    assert answer.status_code in (status, 302)
    assert answer.status_code < 500
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Release.objects.get(version="r1").state == Release.State.DONE


def test_settings_are_bounded_and_kept(operator, first):
    good = {"spares": 7, "parallel": 3, "early_percent": 20, "longest_wait_days": 5}

    assert act(operator, "/releases/", **{**good, "spares": 5000}).status_code == 422
    assert act(operator, "/releases/", **good).status_code == 302
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Setting.objects.get().spares == 7


def test_running_board_reads_itself_again(operator, fleet, future):
    fleet(1)
    building.build_release(version="r2", at=NOON)
    act(operator, "/releases/r2/plan/")
    act(operator, "/releases/r2/start/")

    part = operator.get("/releases/r2/", headers={"HX-Request": "true", "HX-Target": "waves"})

    assert 'hx-trigger="every 2s"' in part.content.decode()
    assert "<html" not in part.content.decode()
