"""Dry runs: a release tried on a throw-away copy of a company, which is gone afterwards."""

import io
import os
import select
import signal

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants.models import Company
from tenants.upgrades import building, preflights, queries, running, services, words
from tenants.upgrades.fingerprints import fingerprint_of
from tenants.upgrades.models import Preflight
from tenants.upgrades.planning import estimate_by
from tests.conftest import NOON
from tests.upgrades.conftest import again
from tests.upgrades.test_faults import begin, schemas, workers  # noqa: F401  a fixture
from tests.upgrades.test_releases import breaks, clock, raw
from tests.upgrades.test_settling import (  # noqa: F401  two fixtures
    confined,
    door,
    wait_for_the_dead,
    with_account,
)

State = Preflight.State


@pytest.fixture
def big(fleet):
    """The biggest of three companies, with an account in it."""
    companies = fleet(3)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for number, company in enumerate(companies):
            Company.objects.filter(pk=company.pk).update(size_bytes=(number + 1) * 1000)
    with_account(companies[-1])
    return companies[-1]


@pytest.fixture
def release(big, future):
    return building.build_release(version="r2", at=NOON)


def tried(**how):
    (asked,) = preflights.ask(version="r2", at=NOON, **how)
    return preflights.run(preflight_id=asked.pk, clock=clock)


def tables_of(company):
    return fingerprint_of(raw(), company.schema_name)


def accounts_of(company):
    return raw().execute(f"SELECT * FROM {company.schema_name}.records_account").fetchall()


def test_dry_run_tells_time_locks_and_rows_and_leaves_no_trace(release, big):
    before, kept, there = tables_of(big), accounts_of(big), schemas()

    seen = tried(biggest=1)

    assert (seen.company, seen.state, seen.error) == (big, State.GREEN, "")
    assert seen.took_ms > 0
    assert seen.after_ms is not None
    assert seen.rows > 5
    assert seen.size_bytes > 100_000
    # A new column, a new index and a key to it; the new table itself is nobody's yet.
    assert seen.locks["records_account"] == "AccessExclusiveLock"
    assert seen.locks["records_contact"] == "AccessExclusiveLock"
    assert "records_territory" not in seen.locks
    assert (seen.rewritten, seen.verdict) == ([], [])
    assert (seen.schema_name, seen.lease, seen.finished_at) == ("", None, NOON)
    assert (tables_of(big), accounts_of(big), schemas()) == (before, kept, there)
    assert again(big).release == "r1"


def test_company_whose_data_breaks_the_release_is_told_before_anybody_is_upgraded(release, big):
    breaks(big)
    there = schemas()

    seen = tried(slugs=[big.slug])

    assert seen.state == State.RED
    assert "has no district" in seen.error
    assert schemas() == there
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not queries.is_proven(release)
        assert queries.fleet_estimate_ms(release) is None


def test_what_follows_the_transaction_is_tried_as_well(big, confined):  # noqa: F811
    building.build_release(version="r2", at=NOON)
    assert tried(biggest=1).state == State.GREEN

    breaks(big)
    seen = tried(biggest=1)
    assert seen.state == State.RED
    assert "account_has_district" in seen.error


def test_newest_dry_run_of_a_company_counts_and_the_fleet_is_estimated(release, big):
    breaks(big)
    tried(biggest=1)
    raw().execute(f"UPDATE {big.schema_name}.records_account SET name = 'Fine now'")

    seen = tried(biggest=1)

    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert queries.is_proven(release)
        assert queries.fleet_estimate_ms(release) == pytest.approx(seen.took_ms * 3)
    assert estimate_by([(10, 100), (30, 200)], [0, 100, 1000]) == pytest.approx(10 + 20 + 110)


def test_company_is_not_asked_for_twice_and_two_workers_do_it_once(release, big):
    (one,) = preflights.ask(version="r2", at=NOON, biggest=1)
    (same,) = preflights.ask(version="r2", at=NOON, slugs=[big.slug])
    assert one == same
    first = preflights.run(preflight_id=one.pk, clock=clock)
    assert preflights.run(preflight_id=one.pk, clock=clock).finished_at == first.finished_at
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Preflight.objects.count() == 1


REFUSED = (
    ({"version": "r9"}, NotFound), ({"version": "r1"}, Conflict),
    ({"slugs": ["nobody"]}, NotFound), ({"biggest": 0}, Invalid), ({"biggest": 99}, Invalid),
)  # fmt: skip


def test_what_cannot_be_tried_is_refused(release):
    for how, refusal in REFUSED:  # one release for all: making it takes longer than trying
        with pytest.raises(refusal):
            preflights.ask(**{"version": "r2", "at": NOON, **how})
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not Preflight.objects.exists()


def test_worker_killed_in_the_middle_leaves_no_copy(big, confined, workers, door, say):  # noqa: F811
    building.build_release(version="r2", at=NOON)
    there = schemas()
    preflights.ask(version="r2", at=NOON, biggest=1)
    child = begin(process := workers(module="tests.upgrades.confined"), "check")
    wait_at(door)
    assert len(schemas() - there) == 1
    assert preflights.tidy(at=NOON) == 0, "its worker lives"
    os.kill(child, signal.SIGKILL)
    process.stdout.readline()
    door.execute("SELECT pg_advisory_unlock_all()")
    wait_for_the_dead()
    assert preflights.tidy(at=NOON) == 1

    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = Preflight.objects.get()
    assert (row.state, row.error, row.schema_name) == (State.RED, words.CUT_OFF, "")
    assert schemas() == there
    with translation.override("zh-hant"):
        assert words.dry_run_error(row.error).startswith("工作程序")
    say(f"dry run killed: copies left={len(schemas() - there)}")


def wait_at(door):  # noqa: F811
    for _look in range(600):
        if door.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND objid = 4711").fetchone():
            return
        select.select([], [], [], 0.02)
    raise AssertionError("Nobody comes to the door.")


def test_copy_goes_with_a_company_that_is_erased(release, big):
    (asked,) = preflights.ask(version="r2", at=NOON, biggest=1)
    from tenants import provisioning

    copy, there = provisioning.new_schema_name(), schemas()
    provisioning.build_schema(copy)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Preflight.objects.filter(pk=asked.pk).update(schema_name=copy, state=State.RUNNING)
        services.forget_company(company_id=big.pk)
        assert not Preflight.objects.exists()
    assert schemas() == there


def test_copy_is_nobodys_company(release, big):
    """Neither its host nor its caches and files lead to the copy."""
    from tenants.upgrades import copying

    scope = copying.scope_of_copy(big, "t_copy")
    assert scope.id != big.pk
    assert (scope.schema, scope.role, scope.host) == ("t_copy", "t_copy", "")


def command(*words):
    out, err = io.StringIO(), io.StringIO()
    call_command("release", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_command_shows_what_was_seen_and_warns_before_a_run(release, big):
    services.plan_release(version="r2", at=NOON)
    out, _err = command("check", "r2", "--companies", big.slug)
    assert big.slug in out
    assert "records_account: AccessExclusiveLock" in out
    assert "3 companies: about" in out

    breaks(big)
    with pytest.raises(CommandError, match="not proven"):
        command("check", "r2", "--biggest", "1")


def test_run_without_a_green_dry_run_warns(fleet, future):
    fleet(1)
    building.build_release(version="r2", at=NOON)
    services.plan_release(version="r2", at=NOON)

    _out, err = command("run", "r2", "--any-hour")

    assert "No dry run of r2 went well yet" in err
    assert running.work(version="r2", clock=clock).upgraded == 0
