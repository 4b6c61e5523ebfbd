"""A company's schema is the same to PostgreSQL's own eyes, whichever way it came to be."""

import re
import subprocess

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from crm_platform.ops.embedded_binaries import postgres_binaries
from tenants import provisioning
from tenants.upgrades import running
from tests.conftest import TEST_DATABASE
from tests.upgrades.test_releases import clock, raw, released


@pytest.fixture
def dump_of(servers):
    """`dump_of(schema, *options)` → what `pg_dump` writes of it, line by line."""
    program = postgres_binaries(None) / "pg_dump"
    address = psycopg.conninfo.make_conninfo(servers.superuser_url, dbname=TEST_DATABASE)

    def dump(schema, *options):
        times = f"--exclude-table-data={schema}.django_migrations"
        command = [program, "--inserts", "-n", schema, times, *options, address]
        written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        lines = re.sub(rf"\b{schema}\b", "company", written).splitlines()
        # Since 2025 a dump stands between two lines with a random word.
        return [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]

    return dump


def migrated(schema):
    """Made by Django's own way, which gives no rights."""
    raw().execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    provisioning.migrate_schema(schema)


def rows_of_migrations(schema):
    found = raw().execute(f"SELECT app, name FROM {schema}.django_migrations")
    return set(found.fetchall())


def test_made_by_the_script_migrated_and_upgraded_are_one_dump(fleet, future, dump_of, say):
    [old] = fleet(1)
    released()
    assert running.work(version="r2", clock=clock, any_hour=True).upgraded == 1
    new, by_django = provisioning.new_schema_name(), provisioning.new_schema_name()
    try:
        provisioning.build_schema(new)
        migrated(by_django)
        whole = [dump_of(each) for each in (new, old.schema_name)]
        made = [dump_of(each, "--no-acl", "--no-owner") for each in (new, by_django)]
        rows = [rows_of_migrations(each) for each in (new, old.schema_name, by_django)]
    finally:
        provisioning.remove_schema(new)
        provisioning.remove_schema(by_django)

    assert whole[0] == whole[1]
    assert made[0] == made[1]
    assert rows[0] == rows[1] == rows[2]
    assert any(line.startswith("GRANT") for line in whole[0])
    assert sum(line.startswith("CREATE TABLE") for line in made[0]) > 20
    say(f"pg_dump: {len(whole[0])} lines, {len(rows[0])} migrations, equal each way")
