"""A company is made whole or not at all, wherever its maker is cut off."""

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password

from crm_platform.identity.models import Role, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants import provisioning, queries, services, tasks
from tenants.models import Company, Domain, RetiredName
from tests.conftest import NOON, unique
from tests.locks import wait_until_free

ROOT = Path(__file__).resolve().parents[2]
State = Company.State


def new_owner():
    return services.NewOwner(
        name="Ann", email="ann@example.com", password_hash=make_password("correct horse battery")
    )


def request(slug="", **facts):
    given = {
        "name": "Firma",
        "language": "en",
        "time_zone": "Asia/Taipei",
        "currency": "TWD",
        **facts,
    }
    return services.request_company(
        slug=slug or f"firma-{unique()}", owner=new_owner(), at=NOON, **given
    )


def again(company):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Company.objects.get(pk=company.pk)


def assert_is_whole(company):
    company = again(company)
    assert company.state == State.TRIAL
    assert provisioning.missing_tables(company.schema_name) == set()
    assert company.pending_owner is None
    with tenancy.unit_of_work(queries.working_scope(company.pk)):
        assert User.objects.filter(role__key="owner").count() == 1
        assert Role.objects.count() == 5


def test_build_makes_a_whole_company_and_a_second_time_changes_nothing(database):
    company = request()

    assert services.build(company_id=company.pk, at=NOON) == State.TRIAL
    assert services.build(company_id=company.pk, at=NOON) == State.TRIAL

    assert_is_whole(company)
    assert again(company).attempts == 1


def test_whole_schema_left_by_an_earlier_attempt_is_adopted(database):
    company = request()
    provisioning.build_schema(company.schema_name)

    services.build(company_id=company.pk, at=NOON)

    assert_is_whole(company)


def test_schema_with_a_missing_table_is_never_opened_but_made_anew(database):
    company = request()
    provisioning.build_schema(company.schema_name)
    connection = provisioning.owner_connection()
    connection.connection.execute(f"DROP TABLE {company.schema_name}.identity_session CASCADE")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=company.pk).update(state=State.BUILDING)
    with pytest.raises(Conflict):
        services.activate(company_id=company.pk, at=NOON)

    services.build(company_id=company.pk, at=NOON)

    assert_is_whole(company)


def test_failed_build_is_noted_and_the_next_attempt_succeeds(database, settings):
    company = request()
    settings.COMPANY_SEEDERS = ["tests.tenants.test_building.seeder_that_fails"]
    with pytest.raises(RuntimeError):
        services.build(company_id=company.pk, at=NOON)
    assert (again(company).state, "no seed" in again(company).error) == (State.FAILED, True)

    settings.COMPANY_SEEDERS = []
    services.build(company_id=company.pk, at=NOON)

    assert_is_whole(company)


def seeder_that_fails(**_facts):
    raise RuntimeError("no seed today")


def test_second_builder_leaves_a_company_being_built_alone(database):
    company = request()
    connection = provisioning.owner_connection()
    connection.ensure_connection()
    params = connection.get_connection_params()
    login = {k: params[k] for k in ("host", "port", "user", "password", "dbname") if params.get(k)}
    with psycopg.connect(**login, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [company.pk.int & 0x7FFF_FFFF_FFFF_FFFF])

        assert services.build(company_id=company.pk, at=NOON) == State.REQUESTED

    wait_until_free(company.pk)
    assert services.build(company_id=company.pk, at=NOON) == State.TRIAL


@pytest.fixture(scope="module")
def builder(database):
    paths = [str(ROOT), str(ROOT / "platform"), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
    }
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("builder.py"))],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    process.stdin.close()
    process.wait(timeout=20)


@pytest.mark.parametrize("run", range(10))
def test_maker_killed_at_any_point_leaves_a_company_that_is_finished_next_time(builder, run):
    chance = random.Random(run)  # noqa: S311  the same ten moments each time
    company = request()
    builder.stdin.write(f"{company.pk}\n")
    builder.stdin.flush()
    child = int(builder.stdout.readline())

    # A kill after a while of the child's life; no end is waited for, so it falls anywhere.
    select.select([builder.stdout], [], [], chance.uniform(0.0, 0.6))
    os.kill(child, signal.SIGKILL)
    assert builder.stdout.readline() == "ended\n"

    left = again(company)
    if left.state == State.TRIAL:
        assert provisioning.missing_tables(left.schema_name) == set()
    else:
        assert queries.working_scope(company.pk) is None
    wait_until_free(company.pk)
    assert services.build(company_id=company.pk, at=NOON) == State.TRIAL
    assert_is_whole(company)


@pytest.mark.parametrize(
    "slug",
    [
        "www",
        "api",
        "a",
        "ab",
        "UPPER",
        "a b",
        "-abc",
        "abc-",
        "a--b",
        "1abc",
        "xn--abc",
        "台北",
        "a.b",
        "",
        "a" * 41,
        "operators",
        "acme\n",
    ],
)
def test_address_names_that_cannot_be_are_refused(acme, slug):
    with pytest.raises(Invalid) as refusal:
        services.request_company(
            slug=slug,
            owner=new_owner(),
            at=NOON,
            name="X",
            language="en",
            time_zone="UTC",
            currency="USD",
        )
    assert refusal.value.field == "slug"


def test_taken_address_name_is_refused_and_nothing_is_half_done(acme):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        before = Company.objects.count()

    with pytest.raises(Invalid) as refusal:
        request("acme")

    assert refusal.value.field == "slug"
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Company.objects.count() == before


def test_removed_companys_names_are_never_given_out_again(database):
    company = request()
    services.build(company_id=company.pk, at=NOON)

    services.remove(company_id=company.pk, at=NOON)
    services.remove(company_id=company.pk, at=NOON)

    with pytest.raises(Invalid):
        request(company.slug)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        names = set(RetiredName.objects.values_list("name", flat=True))
        assert {company.slug, company.schema_name} <= names
        assert not Domain.objects.filter(company=company).exists()
    assert queries.working_scope(company.pk) is None
    assert provisioning.schema_exists(company.schema_name)


def test_schema_names_are_random_and_an_existing_one_is_refused(database):
    company = request()
    provisioning.build_schema(company.schema_name)

    with pytest.raises(psycopg.errors.Error):
        provisioning.build_schema(company.schema_name)
    assert len({provisioning.new_schema_name() for _ in range(200)}) == 200


def test_sweep_sends_the_unfinished_again(database, broker):
    company = request()

    with tenancy.choose(tenancy.PLATFORM):
        tasks.sweep_companies.run()

    assert {"company_id": str(company.pk)} in [rung.given for rung in broker.take()]


def test_measuring_counts_people_and_bytes(database):
    company = request()
    services.build(company_id=company.pk, at=NOON)

    services.measure(company_id=company.pk, at=NOON)

    found = again(company)
    assert found.user_count == 1
    assert found.size_bytes > 100_000
    assert found.measured_at == NOON


def test_rename_changes_the_shown_name_only(database):
    company = request()

    services.rename(company_id=company.pk, name=" 台北  科技 ")

    found = again(company)
    assert (found.name, found.slug) == ("台北 科技", company.slug)
    with pytest.raises(Invalid):
        services.rename(company_id=company.pk, name=" ")


def test_absent_company_is_refused(database):
    import uuid

    with pytest.raises(NotFound):
        services.build(company_id=uuid.uuid4(), at=NOON)
