"""What follows a company's transaction: indexes of big tables, rows, constraints proven."""

import os
import random
import select
import signal

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from crm_platform.identity.services import roles
from crm_platform.kernel import tenancy
from tenants import queries
from tenants.models import Company
from tenants.upgrades import applying, building, rolling_back, running, services, settling
from tenants.upgrades.fingerprints import fingerprint_of, lines_of
from tenants.upgrades.models import Release, SchemaRun
from tests import factories
from tests.conftest import NOON
from tests.upgrades.conftest import again, company_at, forget
from tests.upgrades.moving import DOOR
from tests.upgrades.test_faults import (  # noqa: F401  workers is a fixture
    begin,
    killed,
    take_back,
    waiting,
    workers,
)
from tests.upgrades.test_releases import clock, raw, released, run_of

State = SchemaRun.State
KILLS, SEED = 25, 20261122


@pytest.fixture
def confined(settings, first):
    """From here on the running code has a constraint more."""
    settings.MIGRATION_MODULES = {"records": "tests.upgrades.confined"}
    forget()
    yield
    settings.MIGRATION_MODULES = {}
    forget()


@pytest.fixture
def door(servers):
    """A connection that holds workers in the middle until it ends."""
    with psycopg.connect(raw().info.dsn, autocommit=True) as held:
        held.execute("SELECT pg_advisory_lock(%s)", [DOOR])
        yield held


def with_account(company, name="Wide Ltd"):
    with tenancy.unit_of_work(queries.scope_of(company)):
        roles.seed_roles()
        return factories.account(factories.user(role="owner"), name=name)


def proven(company):
    rows = raw().execute(
        "SELECT conname, convalidated FROM pg_constraint WHERE connamespace = %s::regnamespace"
        " AND (conname = 'account_has_district' OR conname LIKE '%%district_account%%')",
        [company.schema_name],
    )
    return sorted(is_valid for _name, is_valid in rows.fetchall())


def district_of(company):
    query = f"SELECT district FROM {company.schema_name}.records_account"
    return raw().execute(query).fetchone()[0]


def enter(process, door):
    """A worker that stands between a company's transaction and what follows it."""
    child = begin(process, "r2")
    for _look in range(600):
        waits = door.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted",
            [DOOR],
        ).fetchone()
        if waits:
            return child
        select.select([], [], [], 0.02)
    raise AssertionError("The worker does not come to the data step.")


def test_constraint_binds_new_rows_at_once_and_is_proven_for_old_ones(fleet, confined):
    (company,) = fleet(1)
    with_account(company)
    release = released()
    assert release.shape["within"] != release.shape["after"]

    done = running.work(version="r2", clock=clock, any_hour=True)

    assert (done.upgraded, done.failed) == (1, 0)
    assert (proven(company), district_of(company)) == ([True, True], "everywhere")
    assert run_of(company).checks[-1] == "constraints"
    assert lines_of(raw(), company.schema_name) == lines_of(raw(), fresh().schema_name)


def fresh():
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return company_at(Release.objects.get(version="r2"))


def test_worker_killed_between_the_tables_and_the_proof(fleet, confined, workers, door):  # noqa: F811
    (company,) = fleet(1)
    account = with_account(company)
    release = released()
    child = enter(process := workers(module="tests.upgrades.confined"), door)
    os.kill(child, signal.SIGKILL)
    assert process.stdout.readline() == "ended\n"

    assert (again(company).release, run_of(company).state) == ("r2", State.DATA)
    assert proven(company) == [False, False]
    with (
        pytest.raises(IntegrityError, match="account_has_district"),
        tenancy.unit_of_work(queries.scope_of(company)),
        transaction.atomic(),
    ):
        factories.account(account.owner, name="New")

    door.execute("SELECT pg_advisory_unlock(%s)", [DOOR])
    wait_for_the_dead()
    running.work(version="r2", clock=clock, any_hour=True)

    assert (run_of(company).state, run_of(company).attempts) == (State.DONE, 2)
    assert proven(company) == [True, True]
    assert fingerprint_of(raw(), company.schema_name) == release.fingerprint


def wait_for_the_dead():
    """A killed worker's session ends with the statement it was in."""
    for _look in range(600):
        if not applying.living_leases():
            return
        select.select([], [], [], 0.02)
    raise AssertionError("A killed worker's session does not end.")


def test_proof_that_finds_the_table_taken_is_put_off_and_goes_on_from_there(
    fleet, confined, workers, door  # noqa: F811
):  # fmt: skip
    (company,) = fleet(1)
    released()
    enter(process := workers(module="tests.upgrades.confined"), door)
    table = f"{company.schema_name}.records_account"
    with psycopg.connect(raw().info.dsn) as maintenance:
        maintenance.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        door.execute("SELECT pg_advisory_unlock(%s)", [DOOR])
        assert process.stdout.readline() == "ended\n"

        run = run_of(company)
        assert (run.state, run.lock_retries, run.lease) == (State.DATA, 1, None)
        assert run.error.startswith("Locked")
        assert running.work(version="r2", clock=clock).upgraded == 0
    now = run.not_before
    assert running.work(version="r2", clock=lambda: now).upgraded == 1
    assert (run_of(company).state, proven(company)) == (State.DONE, [True, True])


def test_row_that_breaks_the_rule_fails_the_company_until_it_is_mended(fleet, confined):
    bad, good = fleet(2)
    with_account(bad, "Breaks the release")
    released(most_failures=3)
    running.work(version="r2", clock=clock, any_hour=True)

    assert (run_of(bad).state, run_of(good).state) == (State.FAILED, State.DONE)
    assert "account_has_district" in run_of(bad).error
    assert again(bad).release == "r2"
    with tenancy.unit_of_work(queries.scope_of(bad)), connection.cursor() as sql:
        sql.execute("UPDATE records_account SET name = 'Fine now', district = 'here'")

    assert services.retry(run_id=run_of(bad).pk, at=NOON).state == State.DATA
    services.start(version="r2", at=NOON)
    running.work(version="r2", clock=clock, any_hour=True)

    assert (run_of(bad).state, proven(bad)) == (State.DONE, [True, True])
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Release.objects.get(version="r2").state == Release.State.DONE


def test_big_table_gets_an_index_on_a_column_of_the_same_release(fleet, future, monkeypatch):
    (company,) = fleet(1)
    monkeypatch.setattr(settling, "BIG_TABLE_ROWS", -1)  # every table counts as big
    release = released()

    assert running.work(version="r2", clock=clock, any_hour=True).upgraded == 1

    assert run_of(company).state == State.DONE
    assert fingerprint_of(raw(), company.schema_name) == release.fingerprint


def test_company_goes_back_and_its_rows_are_moved_again_the_next_time(fleet, confined, first):
    (company,) = fleet(1)
    with_account(company)
    released()
    running.work(version="r2", clock=clock, any_hour=True)

    rolling_back.roll_back(run_id=run_of(company).pk)
    assert fingerprint_of(raw(), company.schema_name) == first.fingerprint

    services.retry(run_id=run_of(company).pk, at=NOON)
    services.start(version="r2", at=NOON)
    running.work(version="r2", clock=clock, any_hour=True)
    assert (run_of(company).state, district_of(company)) == (State.DONE, "everywhere")


@pytest.mark.slow
def test_workers_killed_while_indexes_and_proofs_follow(fleet, confined, workers, say):  # noqa: F811
    companies, release = fleet(10), released()
    for company in companies[:4]:
        with_account(company)
    process = workers("big", module="tests.upgrades.confined")
    whole = tables_of(company_at(release).schema_name, release)
    chance, kills, half, between = random.Random(SEED), 0, 0, 0  # noqa: S311
    while kills < KILLS:
        kills += killed(process, "r2", chance.uniform(0.01, 0.15))
        wrong, unsettled = standing(companies, release, whole)
        half, between = half + wrong, between + unsettled
        if not waiting():
            take_back(chance.sample(companies, 6), release)
    for _turn in range(20):
        if waiting():
            begin(process, "r2")
            assert process.stdout.readline() == "ended\n"

    wrong, unsettled = standing(companies, release, whole)
    say(
        f"follow-up killed: kills={kills}, seed={SEED}, companies={len(companies)},"
        f" seen between={between}, half={half + wrong}, unsettled={unsettled}"
    )
    assert between > 0
    assert (half + wrong, unsettled) == (0, 0)
    assert {again(company).release for company in companies} == {"r2"}


def standing(companies, release, whole):
    """(companies whose tables are not what the ledger says, those with something left to do)."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        at = dict(Company.objects.values_list("pk", "release"))
        states = dict(SchemaRun.objects.values_list("company_id", "state"))
        before = release.previous.fingerprint
    wrong = unsettled = 0
    for company in companies:
        shape = fingerprint_of(raw(), company.schema_name)
        if at[company.pk] == "r1":
            wrong += shape != before
        elif states[company.pk] == State.DATA:
            unsettled += 1
            wrong += tables_of(company.schema_name, release) != whole
        else:
            wrong += shape != release.fingerprint
    return wrong, unsettled


def tables_of(schema, release):
    """What a schema is made of, apart from what follows the transaction."""
    follows = settling.index_names(release.steps)
    return {
        line.replace(" NOT VALID", "")
        for line in lines_of(raw(), schema)
        if not (line.startswith("index ") and any(name in line for name in follows))
    }


def test_constraint_stays_in_the_whole_script_as_it_will_be(first, confined):
    release = building.build_release(version="r2", at=NOON)

    assert "NOT VALID" not in release.script
    assert [step["constraints"] for step in release.steps if step["constraints"]]
