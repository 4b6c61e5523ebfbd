"""Releases: built once, proven, run company by company, undone."""

import datetime as dt
import itertools

import psycopg
import pytest

from crm_core.records.models import Account
from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.errors import Conflict, Invalid
from tenants import provisioning, queries
from tenants.models import Company
from tenants.upgrades import auditing, building, rolling_back, running, services
from tenants.upgrades import queries as ledger_queries
from tenants.upgrades.fingerprints import fingerprint_of, lines_of
from tenants.upgrades.models import Release, SchemaRun, Wave
from tests import factories
from tests.conftest import NOON
from tests.upgrades.conftest import again, company_at

State = SchemaRun.State


def clock():
    return NOON


def raw():
    connection = owner_connection()
    connection.ensure_connection()
    return connection.connection


def released(**options):
    """r2 built, planned and started."""
    release = building.build_release(version="r2", at=NOON, **options)
    services.plan_release(version="r2", at=NOON)
    services.start(version="r2", at=NOON)
    return release


def run_of(company):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return SchemaRun.objects.select_related("company").get(company=company)


def states():
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return sorted(SchemaRun.objects.values_list("state", flat=True))


def test_script_of_a_release_is_what_djangos_migrations_make(first):
    """Same columns, types, defaults, indexes, constraints, sequences, rights, migration rows."""
    by_script, by_django = provisioning.new_schema_name(), provisioning.new_schema_name()
    provisioning.build_schema(by_script, script=first.script)
    name = psycopg.sql.Identifier(by_django)
    raw().execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(name))
    provisioning.migrate_schema(by_django)
    for table in provisioning.APPEND_ONLY:
        raw().execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {by_django}.{table} FROM rapport_rw")
    try:
        assert lines_of(raw(), by_script) == lines_of(raw(), by_django)
        assert fingerprint_of(raw(), by_script) == first.fingerprint
        wanted = auditing.head_of(first.head)
        for absent in ("t_never_made", "pg_catalog"):  # no schema, and no table in it
            found = auditing.heads_of(raw(), [by_script, absent, by_django])
            assert found == {by_script: wanted, by_django: wanted}
    finally:
        provisioning.remove_schema(by_script)
        provisioning.remove_schema(by_django)


def test_worker_rests_as_long_as_each_company_took(future, fleet):
    fleet(3)
    released()
    rests = []
    done = running.work(version="r2", clock=clock, any_hour=True, rest=rests.append)
    assert (done.upgraded, len(rests)) == (3, 3)
    assert min(rests) > 0


def test_first_release_takes_in_companies_that_are_as_it_says(first, ledger):
    company = company_at(first)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=company.pk).update(release="")

    assert building.adopt(release=first) == 1
    assert again(company).release == "r1"


def test_nothing_new_is_no_release(first):
    with pytest.raises(Conflict, match="Nothing changed"):
        building.build_release(version="r2", at=NOON)


def test_upgrade_makes_every_company_what_a_new_one_is(fleet, future):
    companies = fleet(3)
    release = released()

    done = running.work(version="r2", clock=clock, any_hour=True)

    assert (done.upgraded, done.failed) == (3, 0)
    assert again(release).state == Release.State.DONE
    fresh = company_at(again(release))
    for company in companies:
        assert again(company).release == "r2"
        assert lines_of(raw(), company.schema_name) == lines_of(raw(), fresh.schema_name)
        assert run_of(company).checks == ["fingerprint", "reads"]
        assert run_of(company).took_ms > 0
    assert auditing.audit(release, companies) == ([c.pk for c in companies], [])
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not ledger_queries.lagging(release).exists()


def test_running_it_again_does_nothing_twice(fleet, future):
    fleet(2)
    released()
    running.work(version="r2", clock=clock, any_hour=True)

    done = running.work(version="r2", clock=clock, any_hour=True)

    assert (done.upgraded, done.failed, done.requeued) == (0, 0, 0)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert list(SchemaRun.objects.values_list("attempts", flat=True)) == [1, 1]


def test_company_made_while_a_release_runs_is_at_the_new_one(fleet, future):
    fleet(1)
    release = released()

    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert ledger_queries.newest() == release


def test_broken_company_stops_its_wave_and_the_others_go_on_working(fleet, future, client_for):
    good, bad, waits = fleet(3, ring=Company.Ring.REST)
    breaks(bad)
    released()
    services.hold(run_id=run_of(waits).pk)

    done = running.work(version="r2", clock=clock, any_hour=True)

    assert (done.upgraded, done.failed) == (1, 1)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = Release.objects.get(version="r2")
        assert (release.state, Wave.objects.get(ring="rest").state) == ("stopped", "stopped")
    assert "has no district" in run_of(bad).error
    assert (again(bad).release, again(good).release, again(waits).release) == ("r1", "r2", "r1")
    for company in (good, bad, waits):
        assert reads(company) == 0 if company is not bad else reads(company) == 1


def breaks(company):
    scope = queries.scope_of(company)
    with tenancy.unit_of_work(scope):
        from crm_platform.identity.services import roles

        roles.seed_roles()
        owner = factories.user(role="owner")
        factories.account(owner, name="Breaks the release")


def mend(company):
    with tenancy.unit_of_work(queries.scope_of(company)):
        Account.objects.update(name="Fine now")


def reads(company):
    """How many accounts the running code's models find there."""
    with tenancy.unit_of_work(queries.scope_of(company)):
        return Account.objects.count()


def test_three_ways_out_of_a_broken_release(fleet, future):
    one, other = fleet(2)
    breaks(one)
    released(most_failures=5)
    running.work(version="r2", clock=clock, any_hour=True)
    assert run_of(one).state == State.FAILED

    services.hold(run_id=run_of(one).pk)
    assert run_of(one).state == State.HELD

    mend(one)
    services.retry(run_id=run_of(one).pk, at=NOON)
    services.start(version="r2", at=NOON)
    running.work(version="r2", clock=clock, any_hour=True)
    assert (run_of(one).state, again(one).release) == (State.DONE, "r2")

    rolling_back.roll_back(run_id=run_of(other).pk)
    assert (run_of(other).state, again(other).release) == (State.BACK, "r1")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        first = Release.objects.get(version="r1")
    assert fingerprint_of(raw(), other.schema_name) == first.fingerprint


def test_wave_is_rolled_back_whole(fleet, future):
    companies = fleet(3)
    release = released()
    running.work(version="r2", clock=clock, any_hour=True)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        wave = release.waves.get(ring="rest")

    done, refused = rolling_back.roll_back_wave(wave_id=wave.pk, reason="Bad")

    assert (done, refused) == (3, [])
    assert {again(company).release for company in companies} == {"r1"}


def test_long_report_puts_the_company_off_and_is_not_disturbed(fleet, future, servers):
    (company,) = fleet(1)
    released()
    with psycopg.connect(raw().info.dsn, password="") as reader:
        reader.execute(f'LOCK TABLE "{company.schema_name}".records_account IN ACCESS SHARE MODE')

        done = running.work(version="r2", clock=clock, any_hour=True)

        assert (done.upgraded, done.requeued) == (0, 1)
        assert run_of(company).state == State.WAITING
        assert run_of(company).not_before == NOON + running.LOCK_RETRY
        assert again(company).release == "r1"
    later = NOON + dt.timedelta(minutes=1)
    assert running.work(version="r2", clock=lambda: later).upgraded == 1


def test_window_is_waited_for_unless_told_otherwise(fleet, future):
    (company,) = fleet(1, time_zone="Asia/Taipei", window_from=22, window_to=5)
    released()

    assert running.work(version="r2", clock=clock).upgraded == 0
    opens = dt.datetime(2026, 11, 20, 14, 0, tzinfo=dt.UTC)  # NOON is 20:00 in Taipei
    assert run_of(company).not_before == opens
    assert running.work(version="r2", clock=lambda: opens).upgraded == 1


def test_canaries_go_first_and_the_rest_waits_for_them(fleet, future):
    canary, rest = fleet(1, ring="canary")[0], fleet(1)[0]
    breaks(canary)
    released()

    running.work(version="r2", clock=clock, any_hour=True)

    assert (run_of(canary).state, run_of(rest).state) == (State.FAILED, State.WAITING)
    assert states() == ["failed", "waiting"]


def test_stopped_release_takes_no_further_company(fleet, future):
    fleet(2)
    released()
    services.stop(version="r2", reason="Something looks wrong")

    assert running.work(version="r2", clock=clock, any_hour=True).upgraded == 0
    services.start(version="r2", at=NOON)
    assert running.work(version="r2", clock=clock, any_hour=True).upgraded == 2


def test_next_release_waits_until_this_one_is_finished(fleet, future, settings):
    fleet(1)
    building.build_release(version="r2", at=NOON)

    with pytest.raises(Conflict, match="not finished"):
        building.build_release(version="r3", at=NOON)


def test_company_served_at_both_releases_by_the_code_that_has_only_the_first(
    fleet, future, settings, first
):
    """The old code meets wider tables, and the code with an index more meets a lacking one."""
    from django.test import Client

    one, other = fleet(2)
    released()
    services.hold(run_id=run_of(other).pk)
    running.work(version="r2", clock=clock, any_hour=True)
    settings.MIGRATION_MODULES = {}
    from tests.upgrades.conftest import forget

    forget()

    assert (again(one).release, again(other).release) == ("r2", "r1")
    for company in (one, other):
        client = Client(headers={"host": f"{company.slug}.testserver"})
        assert client.get("/sign-in/").status_code == 200
        breaks(company)
        assert reads(company) == 1


def test_unsafe_migration_is_no_release(fleet, future, settings):
    settings.MIGRATION_MODULES = {"records": "tests.upgrades.unsafe"}
    from tests.upgrades.conftest import forget

    forget()
    with pytest.raises(Invalid) as refused:
        building.build_release(version="r2", at=NOON)

    told = str(refused.value)
    for word in ("NOT NULL without", "removes", "renames", "cannot be undone"):
        assert word in told


@pytest.mark.parametrize(("hour", "expected"), [(19, 22), (21, 22), (22, 22), (3, 3), (6, 22)])
def test_windows_that_pass_midnight(hour, expected):
    from tenants.upgrades.planning import opens_at

    company = Company(time_zone="UTC", window_from=22, window_to=5)
    at = dt.datetime(2026, 11, 20, hour, 30, tzinfo=dt.UTC)

    opens = opens_at(company, at=at, longest_wait=dt.timedelta(days=14))

    assert opens.hour == expected
    assert opens >= at


def test_wait_of_a_company_ends_with_the_longest_one_allowed():
    from tenants.upgrades.planning import opens_at

    company = Company(
        time_zone="UTC", window_from=0, window_to=0, upgrade_after=NOON + dt.timedelta(days=90)
    )
    assert opens_at(company, at=NOON, longest_wait=dt.timedelta(days=14)) == NOON + dt.timedelta(14)


def test_every_migration_of_this_code_is_safe():
    from tenants.upgrades import linting

    loader = provisioning.company_loader()
    faults = list(
        itertools.chain.from_iterable(
            linting.faults_of(migration) for migration in provisioning.company_plan(loader)
        )
    )
    assert faults == []
