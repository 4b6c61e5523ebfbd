"""The same companies on a cluster: sent statement by statement, moved, measured.

The first tests run on plain PostgreSQL, which takes the same statements; those marked `citus` need
a cluster and skip without one.
"""

import json
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.ops import doctor
from tenants import provisioning, sharding
from tenants.upgrades import applying, auditing, running
from tenants.upgrades.fingerprints import fingerprint_of, lines_of
from tests.upgrades.test_releases import clock, raw, released

CLUSTER = os.environ.get("CITUS_DATABASE_URL", "")


@pytest.fixture
def sharded(settings):
    settings.SHARDING = sharding.CITUS


def test_script_parts_at_the_separator_into_its_statements(first):
    parts = first.script.split(sharding.SEPARATOR)
    statements = provisioning.company_statements()
    assert len(parts) == len(statements) + 2 + len(provisioning.APPEND_ONLY)
    assert not [part for part in parts if part.count("CREATE ") != part.startswith("CREATE ")]


def test_schema_sent_by_statement_is_the_one_sent_as_a_message(sharded, first):
    schema = provisioning.new_schema_name()
    provisioning.build_schema(schema, script=first.script)
    try:
        assert fingerprint_of(raw(), schema) == first.fingerprint
        [may_enter] = raw().execute(
            "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [schema]
        ).fetchone()  # fmt: skip
        assert may_enter
    finally:
        provisioning.remove_schema(schema)


def test_upgrade_sent_by_statement_makes_the_same_tables(first, future, fleet, settings):
    plain, cluster = fleet(2)
    release = released()
    running.work(version="r2", clock=clock, any_hour=True)
    by_message = lines_of(raw(), plain.schema_name)
    settings.SHARDING = sharding.CITUS
    fresh = provisioning.new_schema_name()
    provisioning.build_schema(fresh, script=first.script)
    try:
        with owner_connection().working_in(fresh), transaction.atomic(using="owner"):
            applying.take_steps(owner_connection(), fresh, release.steps)
        assert lines_of(raw(), fresh) == by_message == lines_of(raw(), cluster.schema_name)
        assert auditing.heads_of(raw(), [fresh])[fresh] == auditing.head_of(release.head)
    finally:
        provisioning.remove_schema(fresh)


def test_moving_is_refused_where_there_is_nowhere_to_move(acme):
    with pytest.raises(CommandError, match="This database is no cluster"):
        call_command("company_move", acme.slug, to="worker-2:5432")
    with pytest.raises(CommandError, match="There is no such company"):
        call_command("company_move", "no-such-company", to="worker-2:5432")


def test_doctor_tells_when_setting_and_database_contradict_each_other(database):
    from django.conf import settings

    address = settings.ENVIRONMENT.database_url
    assert doctor.scale_out(address, "none").startswith("one server")
    with pytest.raises(ValueError, match="RAPPORT_SHARDING is citus, but"):
        doctor.scale_out(address, "citus")


@pytest.mark.citus
@pytest.mark.skipif(not CLUSTER, reason="CITUS_DATABASE_URL names no cluster")
def test_company_lives_on_one_worker_and_moves_without_loss(tmp_path):
    said = subprocess.run(
        [sys.executable, "-m", "tests.upgrades.on_cluster"],
        env={**os.environ, "RAPPORT_DATA": str(tmp_path), "RAPPORT_SHARDING": "citus"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-3000:]
    found = json.loads(said.stdout.splitlines()[-1])
    assert found["workers"] >= 2
    assert found["moved"]
    assert found["rows"] == found["wanted"]
    assert found["size"] > 0
    assert found["is_whole"]
