"""Workers that die, meet each other or lose PostgreSQL: nothing half, nothing skipped or twice."""

import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter

import pytest
from django.conf import settings

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.errors import Invalid
from tenants import provisioning
from tenants.models import Company, Domain, RetiredName
from tenants.upgrades import applying, rolling_back, running, services, spares
from tenants.upgrades.fingerprints import fingerprint_of
from tenants.upgrades.models import Release, SchemaRun, Setting, Spare
from tests import conftest
from tests.conftest import NOON
from tests.upgrades.test_releases import clock, raw, reads, released

KILLS, SEED = 100, 20261122


@pytest.fixture
def workers():
    """`workers()` → a process that runs one worker a line (its words: see `worker`)."""
    started = []

    def make(*words, module="tests.upgrades.future", environment=os.environ):
        places = f"{settings.BASE_DIR}:{settings.BASE_DIR / 'platform'}"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.upgrades.worker", module, *words],
            cwd=settings.BASE_DIR,
            env={**environment, "DJANGO_SETTINGS_MODULE": "crm_platform.settings_test",
                 "PYTHONPATH": places, "RAPPORT_TEST_DATABASE": conftest.TEST_DATABASE},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield make
    for process in started:
        process.stdin.close()
        process.wait(timeout=30)


def begin(process, line):
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def killed(process, line, after):
    """Start a worker and end it after that many seconds, if it still lives then."""
    child = begin(process, line)
    over, _w, _x = select.select([process.stdout], [], [], after)
    if not over:
        os.kill(child, signal.SIGKILL)
    assert process.stdout.readline() == "ended\n"
    return not over


def outcome(companies, release):
    """What became of each company, by its own tables: half, done and not begun."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        before = release.previous.fingerprint
        at = dict(Company.objects.values_list("pk", "release"))
    found = Counter()
    for company in companies:
        shape = fingerprint_of(raw(), company.schema_name)
        says = {release.fingerprint: "r2", before: "r1"}.get(shape, "half")
        found["half" if says != at[company.pk] else says] += 1
        rows = raw().execute(
            f"SELECT count(*) FROM {company.schema_name}.django_migrations WHERE name >= '0900'"
        )
        found["repeated"] += rows.fetchone()[0] > 2
    return found


@pytest.mark.slow
def test_workers_killed_in_the_middle_leave_no_company_half_done(fleet, future, workers, say):
    companies, release = fleet(40), released()
    chance, process, kills, tries = random.Random(SEED), workers(), 0, 0  # noqa: S311
    half = 0
    while kills < KILLS and tries < 4 * KILLS:
        tries += 1
        kills += killed(process, "r2", chance.uniform(0.005, 0.09))
        if tries % 10 == 0:
            wait_until_nobody_works()
            half += outcome(companies, release)["half"]
        if not waiting():
            take_back(chance.sample(companies, 12), release)
    wait_until_nobody_works()
    finish()
    found = outcome(companies, release)
    half += found["half"]
    say(
        f"upgrades killed: kills={kills}, seed={SEED}, companies={len(companies)}, half={half},"
        f" skipped={found['r1']}, repeated={found['repeated']}"
    )
    assert kills >= KILLS
    assert (half, found["r1"], found["repeated"], found["r2"]) == (0, 0, 0, len(companies))


def take_back(companies, release):
    """All are there already: roll these back, so that there is something to interrupt."""
    for company in companies:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            run = SchemaRun.objects.get(company=company)
        if run.state == SchemaRun.State.DONE:
            rolling_back.roll_back(run_id=run.pk)
            services.retry(run_id=run.pk, at=NOON)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Release.objects.filter(pk=release.pk).update(state=Release.State.RUNNING)


def finish():
    """Let workers go on until the release is over; a few turns must do."""
    for _turn in range(20):
        if not waiting():
            return
        running.work(version="r2", clock=clock, any_hour=True)
    raise AssertionError("The release does not come to its end.")


def waiting():
    with tenancy.unit_of_work(tenancy.PLATFORM):
        states = (SchemaRun.State.WAITING, SchemaRun.State.RUNNING, SchemaRun.State.DATA)
        return SchemaRun.objects.filter(state__in=states).exists()


@pytest.mark.slow
def test_makers_of_spares_killed_in_the_middle_leave_no_schema_behind(first, workers, say):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Setting.objects.create(pk=1, spares=400)
    before = schemas()
    chance, process = random.Random(SEED), workers()  # noqa: S311
    kills = sum(killed(process, "spares", chance.uniform(0.005, 0.12)) for _ in range(KILLS + 20))
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Setting.objects.update(spares=1)
    wait_until_nobody_works()
    spares.refill(at=NOON)

    with tenancy.unit_of_work(tenancy.PLATFORM):
        pool = set(Spare.objects.filter(lease=None).values_list("schema_name", flat=True))
        unsettled = Spare.objects.exclude(lease=None).count()
    orphans = schemas() - before - pool
    wrong = [s for s in pool if fingerprint_of(raw(), s) != first.fingerprint]
    say(
        f"provisioning killed: kills={kills}, seed={SEED}, spares={len(pool)},"
        f" orphans={len(orphans)}, half={len(wrong)}, unsettled={unsettled}"
    )
    assert kills >= KILLS
    assert (orphans, wrong, unsettled) == (set(), [], 0)


def wait_until_nobody_works():
    """A killed maker's session ends with the statement it was in."""
    for _look in range(600):
        if not applying.living_leases():
            return
        select.select([], [], [], 0.05)
    raise AssertionError("A killed maker's session does not end.")


def schemas():
    rows = raw().execute(r"SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\_%'").fetchall()
    return {name for (name,) in rows}


def test_two_runners_of_one_wave_share_it(fleet, future, workers, say):
    companies, release = fleet(16), released()
    one, other = workers(), workers()
    for process in (one, other):
        begin(process, "r2")
    for process in (one, other):
        assert process.stdout.readline() == "ended\n"
    running.work(version="r2", clock=clock, any_hour=True)

    found = outcome(companies, release)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        attempts = list(SchemaRun.objects.values_list("attempts", flat=True))
    say(f"two runners: companies={len(companies)}, {dict(found)}, attempts={sum(attempts)}")
    assert found["r2"] == 16
    assert attempts == [1] * 16


def test_postgresql_that_ends_every_session_in_the_middle(fleet, future, workers, servers, say):
    """As a restart does: all sessions end at once, again and again."""
    import psycopg

    companies, release = fleet(20), released()
    process, ends = workers(), 0
    with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
        while waiting() and ends < 120:
            begin(process, "r2")
            over = False
            while not over:
                over = bool(select.select([process.stdout], [], [], 0.15)[0])
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename LIKE 'rapport%' AND pid <> pg_backend_pid()"
                )
                ends += 1
            process.stdout.readline()
            owner_connection().close()
            from django.db import connection

            connection.close()
    found = outcome(companies, release)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        failed = SchemaRun.objects.filter(state=SchemaRun.State.FAILED)
        errors = list(failed.values_list("error", flat=True))
    say(f"sessions ended: times={ends}, failed={len(errors)}, {dict(found)}")
    assert errors == []
    assert found["half"] == found["repeated"] == 0
    finish()
    assert outcome(companies, release)["r2"] == 20


def test_spare_is_taken_by_one_company_and_is_of_the_newest_release(first):
    from tests.tenants.test_building import again, request

    with tenancy.unit_of_work(tenancy.PLATFORM):
        Setting.objects.create(pk=1, spares=2)
    assert spares.refill(at=NOON) == 2
    assert spares.refill(at=NOON) == 0
    with tenancy.unit_of_work(tenancy.PLATFORM):
        pool = set(Spare.objects.values_list("schema_name", flat=True))

    made = [again(request()) for _ in range(3)]

    assert {company.schema_name for company in made[:2]} == pool
    assert made[2].schema_name not in pool
    assert [company.release for company in made] == ["r1", "r1", ""]
    from tenants import services as register

    for company in (made[0], made[2]):
        assert register.build(company_id=company.pk, at=NOON) == Company.State.TRIAL
    assert reads(made[0]) == reads(again(made[2])) == 0


def test_name_that_is_not_free_takes_no_spare(first):
    from tests.tenants.test_building import again, request

    with tenancy.unit_of_work(tenancy.PLATFORM):
        Setting.objects.create(pk=1, spares=2)
        RetiredName.objects.create(name="once-there", retired_at=NOON)
    spares.refill(at=NOON)
    made = request()

    for slug in (made.slug, "once-there"):
        with pytest.raises(Invalid, match="Another company has this address name"):
            request(slug=slug)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Domain.objects.create(company=again(made), host=f"own-host.{settings.BASE_DOMAIN}")
    with pytest.raises(Invalid, match="Another company has this address name"):
        request(slug="own-host")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not Company.objects.filter(slug="own-host").exists(), "Half of it was kept"
        assert Spare.objects.count() == 1
        assert spares.take(slug="never-there") is not None
        RetiredName.objects.filter(name="once-there").delete()


def test_spares_of_an_older_release_are_never_given_out(first, future):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Setting.objects.create(pk=1, spares=1)
    spares.refill(at=NOON)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        old = Spare.objects.get().schema_name
    released()

    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert spares.take(slug="never-there") is None
    assert spares.refill(at=NOON) == 1
    assert not provisioning.schema_exists(old)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert spares.take(slug="never-there")[1] == "r2"
