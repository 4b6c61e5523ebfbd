"""The company's own page of its updates: what it shows, what it changes, who may, whose runs."""

import csv
import datetime as dt
import io

import pytest
from django.utils import timezone

from crm_core.audit.models import Entry
from crm_platform.kernel import features, tenancy
from tenants import queries
from tenants.models import Company
from tenants.upgrades.models import Release, SchemaRun, Setting, Wave

PAGE = "/settings/updates/"


@pytest.fixture
def ledger(house, neighbour):
    """`house` was upgraded to r1 and waits for r2; `neighbour` failed on the way to r1."""
    now = timezone.now()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        facts = {"built_at": now, "head": [], "script": "", "fingerprint": ""}
        first = Release.objects.create(version="r1", state=Release.State.DONE, **facts)
        second = Release.objects.create(
            version="r2", state=Release.State.PLANNED, previous=first, **facts
        )
        wave = Wave.objects.create(release=first, position=2, ring="rest")
        SchemaRun.objects.create(
            release=first, wave=wave, company_id=house.scope.id, state="done", started_at=now,
            finished_at=now, took_ms=41.4, checks=["fingerprint", "reads", "crm.moving.move_tags"],
        )  # fmt: skip
        SchemaRun.objects.create(
            release=first, wave=wave, company_id=neighbour.scope.id, state="failed", started_at=now,
            finished_at=now, error="ValueError: secret of the other one",
        )  # fmt: skip
        waves = [
            Wave.objects.create(release=second, position=n, ring=ring)
            for n, ring in enumerate(("canary", "early", "rest"))
        ]
        SchemaRun.objects.create(
            release=second, wave=waves[2], company_id=house.scope.id, planned_at=now,
            not_before=now + dt.timedelta(hours=9),
        )  # fmt: skip
        Company.objects.filter(pk__in=[house.scope.id, neighbour.scope.id]).update(release="r1")
    queries.forget_hosts()
    yield
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk__in=[house.scope.id, neighbour.scope.id]).update(release="")
        Setting.objects.all().delete()
        second.delete()
        first.delete()
    queries.forget_hosts()


def choice(**facts):
    return {"goes_early": "rest", "window_from": 22, "window_to": 4, "wait_until": "", **facts}


def entries(house):
    with tenancy.unit_of_work(house.scope):
        found = Entry.objects.filter(verb__startswith="updates.").order_by("pk")
        return [(entry.verb, entry.changes) for entry in found]


def run_of(house):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = SchemaRun.objects.select_related("wave").filter(company_id=house.scope.id)
        return rows.get(release__version="r2")


def test_page_proves_what_was_done_and_says_what_comes(house, ledger):
    shown = house.client(house.owner).get(PAGE).content.decode()

    assert "took 41 ms" in shown
    assert "Every table is exactly as the release describes it" in shown
    assert "Every table that changed can be read" in shown
    assert "Records were carried over: move_tags" in shown
    assert shown.count("r2") >= 2
    assert "From <time" in shown


def test_each_company_sees_its_own_runs_only(house, neighbour, ledger):
    mine = house.client(house.owner).get(PAGE).content.decode()
    theirs = neighbour.client(neighbour.owner).get(PAGE).content.decode()

    assert "Not done" not in mine
    assert "Not done" in theirs
    assert "Nothing was changed: your company" in theirs
    assert "took 41 ms" not in theirs
    assert "secret of the other one" not in mine + theirs
    file = neighbour.client(neighbour.owner).get(f"{PAGE}proof.csv").content.decode("utf-8-sig")
    assert [row[:2] for row in csv.reader(io.StringIO(file))][1:] == [["r1", "Not done"]]


def test_failure_after_the_tables_is_not_called_nothing(house, ledger):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        SchemaRun.objects.filter(company_id=house.scope.id, release__version="r1").update(
            state="failed"
        )

    shown = house.client(house.owner).get(PAGE).content.decode()

    assert "The tables are updated" in shown
    assert "Nothing was changed: your company" not in shown


def test_proof_is_a_table_to_keep(house, ledger):
    answer = house.client(house.owner).get(f"{PAGE}proof.csv")

    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"{house.scope.slug}-updates.csv" in answer.headers["Content-Disposition"]
    assert [row["Release"] for row in rows] == ["r2", "r1"]
    assert rows[1]["Milliseconds"] == "41"
    assert rows[1]["Checked"].count(";") == 2


def test_choice_is_kept_audited_and_told_to_operators(house, ledger):
    answer = house.client(house.owner).post(f"{PAGE}choose/", choice(goes_early="early"))

    assert answer.status_code == 302
    row = house.row
    assert (row.ring, row.window_from, row.window_to) == ("early", 22, 4)
    assert run_of(house).wave.ring == "early"
    said = {"turn": ["With most companies", "Early"],
            "hours": ["20:00\u201306:00", "22:00\u201304:00"]}  # fmt: skip
    assert entries(house) == [("updates.changed", said)]
    event = house.events("upgrades.")[0]
    assert event.actor.endswith(f"<{house.owner.email}>")
    assert event.facts["ring"] == ["rest", "early"]
    history = house.client(house.owner).get("/settings/history/").content.decode()
    assert "22:00\u201304:00" in history
    assert "Hours" in history


def test_wait_too_long_is_refused_at_its_field_and_nothing_is_kept(house, ledger):
    day = timezone.localdate() + dt.timedelta(days=40)

    answer = house.client(house.owner).post(f"{PAGE}choose/", choice(wait_until=day.isoformat()))

    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "can wait for 14 days at most" in shown
    assert 'id="id_wait_until_error"' in shown
    assert house.row.window_from == 20
    assert entries(house) == []


def test_wait_within_the_limit_is_shown_again(house, ledger):
    client = house.client(house.owner)
    day = timezone.localdate() + dt.timedelta(days=5)

    client.post(f"{PAGE}choose/", choice(wait_until=day.isoformat()))

    assert f'value="{day.isoformat()}"' in client.get(PAGE).content.decode()
    assert entries(house)[0][1]["not_before"] == ["", day.isoformat()]


def test_without_waits_there_is_no_such_field(house, ledger):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Setting.objects.update_or_create(pk=1, defaults={"longest_wait_days": 0})
    client = house.client(house.owner)

    assert 'name="wait_until"' not in client.get(PAGE).content.decode()
    day = timezone.localdate() + dt.timedelta(days=2)
    refused = client.post(f"{PAGE}choose/", choice(wait_until=day.isoformat()))
    assert refused.status_code == 422


def test_update_now_is_asked_for_once(house, ledger):
    client = house.client(house.owner)
    assert f'action="{PAGE}now/"' in client.get(PAGE).content.decode()

    client.post(f"{PAGE}now/")

    assert run_of(house).not_before <= timezone.now()
    assert run_of(house).wave.ring == "early"
    assert entries(house) == [("updates.hurried", {"release": [None, "r2"]})]
    assert f'action="{PAGE}now/"' not in client.get(PAGE).content.decode()


def test_nothing_waits_is_a_sentence(neighbour, ledger):
    client = neighbour.client(neighbour.owner)

    answer = client.post(f"{PAGE}now/")

    assert answer.status_code == 302
    assert "No update waits" in answer.headers.get("HX-Trigger", "")
    assert entries(neighbour) == []


def test_fixed_by_operators_shows_the_plan_and_offers_nothing(house, ledger):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=house.scope.id).update(upgrades_fixed=True)
    client = house.client(house.owner)

    shown = client.get(PAGE).content.decode()

    assert "Our operators have fixed" in shown
    assert "20:00\u201306:00" in shown
    assert "/choose/" not in shown
    assert "/now/" not in shown
    assert client.post(f"{PAGE}choose/", choice()).status_code == 422


def test_only_who_sets_the_company_up_comes_in(house, ledger):
    client = house.client(house.member)

    for path in (PAGE, f"{PAGE}proof.csv"):
        assert client.get(path).status_code == 403
    for path in ("choose/", "now/"):
        assert client.post(f"{PAGE}{path}", choice()).status_code == 403
    assert house.row.window_from == 20


def test_read_only_company_reads_its_proof_and_changes_nothing(house, ledger):
    house.put(Company.State.READ_ONLY)
    client = house.client(house.owner)

    assert client.get(PAGE).status_code == 200
    assert client.post(f"{PAGE}choose/", choice()).status_code == 403
    assert house.row.window_from == 20


def test_news_are_read_in_a_read_only_company_too(house, ledger):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Release.objects.filter(version="r1").update(notes={"en": {"all": ["It is new."]}})
    house.put(Company.State.READ_ONLY)
    client = house.client(house.member)
    assert "There is something new to read" in client.get("/help/").content.decode()

    assert "It is new." in client.get("/whats-new/").content.decode()

    assert "There is something new to read" not in client.get("/help/").content.decode()


# -- new features ----------------------------------------------------------------------------------


@pytest.fixture
def optional(monkeypatch):
    """One feature that is optional today, and one that everybody has by now."""
    today = timezone.localdate()
    monkeypatch.setattr(features, "_registered", dict(features._registered))
    for key, end in (("tried", 30), ("kept", -1)):
        features.register(features.Feature(
            key=key, title=f"The {key} one", description="It is tried.",
            opens=today - dt.timedelta(days=9), becomes_default=today + dt.timedelta(days=end),
        ))  # fmt: skip


def switch(house, person, key, on):
    return house.client(person).post(f"{PAGE}feature/", {"key": key, "on": on})


def is_on(house, key):
    scope = queries.scope_of_host(house.scope.host)
    with tenancy.choose(scope):
        return features.is_on(key, at=timezone.now())


def features_said(house):
    with tenancy.unit_of_work(house.scope):
        found = Entry.objects.filter(verb__startswith="feature.").order_by("pk")
        return [(entry.verb, entry.changes) for entry in found]


def test_admin_switches_a_feature_on_and_off_for_the_company_alone(house, neighbour, optional):
    page = house.client(house.owner).get(PAGE).content.decode()
    assert "The tried one" in page
    assert "The kept one" not in page

    assert switch(house, house.owner, "tried", "1").status_code == 302

    assert (is_on(house, "tried"), is_on(neighbour, "tried")) == (True, False)
    assert "Turn off" in house.client(house.owner).get(PAGE).content.decode()
    switch(house, house.owner, "tried", "1")
    switch(house, house.owner, "tried", "0")
    assert not is_on(house, "tried")
    said = {"feature": [None, "The tried one"]}
    assert features_said(house) == [("feature.switched_on", said), ("feature.switched_off", said)]
    assert [event.facts["on"] for event in house.events("feature.")] == [True, False]


@pytest.mark.parametrize(
    ("key", "says"), [("kept", "not optional"), ("nothing", "no such feature")]
)
def test_what_is_not_optional_cannot_be_switched(house, optional, key, says):
    answer = switch(house, house.owner, key, "0")

    assert says in answer.headers["HX-Trigger"]
    assert house.row.features == {}
    assert features_said(house) == []


def test_member_switches_nothing(house, optional):
    assert switch(house, house.member, "tried", "1").status_code == 403
    assert house.row.features == {}
