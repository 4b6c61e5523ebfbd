"""T1 and T2: no fault of a connection, and no pooler, lets one company's query run in another's."""

import re
import tempfile

import psycopg
from django.db import connection
from django.test import Client

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.company.base import DatabaseWrapper
from tenants import provisioning
from tests import factories
from tests.isolation.companies import open_company, remove_twin
from tests.kernel import connections as checks

SESSION_SET = re.compile(r'(?:"|;)\s*(?:SET\s+(?!LOCAL\b)|RESET\b|DISCARD\b)', re.IGNORECASE)
SESSION_CONFIG = re.compile(r"set_config\('([A-Za-z_]+)',\s*[^,]+,\s*false\)", re.IGNORECASE)


def test_cancelled_and_terminated_connection_never_reads_the_other_company(way, pair, servers, say):
    found = checks.cancelled_while_switching(pair, servers.superuser_url, operations=20_000)

    say(f"T1 {way}, cancel and kill loop: {found}, refused={found.errors}, {found.notes[-1]}")
    assert found.wrong == 0, found.notes
    assert found.errors > 0, "Nothing was ever cancelled: the loop proves nothing"


def test_a_switch_of_company_that_is_cancelled_runs_nothing(way, pair, servers, say):
    found = checks.cancelled_at_the_switch(pair, servers.superuser_url)

    say(f"T1 {way}, cancelled at the switch: {found}, refused={found.errors}")
    assert found.wrong == 0, found.notes
    assert found.errors == 2, "A switch was not cancelled: the check proves nothing"


def test_failed_entry_never_lets_the_query_run(way, pair, say):
    found = checks.entered_although_broken(pair)

    say(f"T1 {way}, broken roles: {found}")
    assert found.wrong == 0, found.notes


def test_company_has_the_common_rights_but_is_no_way_to_become_them(pair):
    """`rapport_rw` has rights on the tables of every company: nobody may take that role."""
    rows = provisioning.owner_connection().connection.execute(
        "SELECT inherit_option, set_option FROM pg_auth_members"
        " WHERE roleid = 'rapport_rw'::regrole AND member = %s::regrole", [pair[0].role],
    ).fetchall()  # fmt: skip

    assert rows == [(True, False)]


def test_nothing_runs_outside_a_unit_of_work_or_in_another_ones(way, pair, say):
    found = checks.unguarded_statements(pair)

    say(f"T1 {way}, guard of statements: {found}")
    assert found.wrong == 0, found.notes


def test_dropped_schema_falls_back_to_nothing(way, database, say):
    scope = open_company("walldropped", first_id=13_000_001)
    provisioning.remove_schema(scope.schema)
    # The role goes with its schema: entering fails. With the role alone, there is nothing to read.
    owner = provisioning.owner_connection()
    owner.connection.execute(f'CREATE ROLE "{scope.role}" NOLOGIN')
    owner.connection.execute(f'GRANT "{scope.role}" TO rapport_app WITH INHERIT FALSE, SET TRUE')
    owner.connection.execute(f'GRANT rapport_rw TO "{scope.role}"')

    found = checks.gone_schema(scope)

    remove_twin(scope)
    say(f"T5 {way}, dropped schema: {found}")
    assert found.wrong == 0, found.notes


def test_connection_that_was_reset_on_the_way_enters_again(way, pair):
    with tenancy.unit_of_work(pair[0]):
        first = checks._read()
    connection.connection.pgconn.finish()

    with tenancy.unit_of_work(pair[1]):
        second = checks._read()

    assert (first[0], second[0]) == ("wallone", "walltwo")
    connection.close()


def test_no_statement_sets_anything_for_the_session(pair, monkeypatch, say):
    """What a walk through the pages really sends, by the wire's own trace."""
    connection.close()
    with tempfile.TemporaryFile("w+b") as trace:
        connect = DatabaseWrapper.get_new_connection

        def traced(self, parameters):
            made = connect(self, parameters)
            made.pgconn.trace(trace.fileno())
            return made

        monkeypatch.setattr(DatabaseWrapper, "get_new_connection", traced)
        walk(pair)
        connection.connection.pgconn.untrace()
        connection.close()
        trace.seek(0)
        sent = [line for line in trace.read().decode("utf-8", "replace").splitlines()
                if re.search(r"\t(Query|Parse)\t", line)]  # fmt: skip

    local = sum("SET LOCAL ROLE" in line for line in sent)
    wrong = [line[:200] for line in sent if SESSION_SET.search(line)]
    wrong += [name for line in sent for name in SESSION_CONFIG.findall(line) if name != "TimeZone"]
    say(f"T2 statements on the wire: wrong={len(wrong)}/{len(sent)}, units={local}")
    assert wrong == []
    assert local > 20


def walk(pair):
    """Some pages of both companies, signed in and not."""
    for scope in pair:
        with tenancy.unit_of_work(scope):
            owner = factories.user(role="owner")
        name, value = factories.session_cookie(scope, owner)
        client = Client(headers={"host": scope.host})
        client.get("/sign-in/")
        client.cookies[name] = value
        for path in ("", "deals/", "deals/board/", "contacts/", "search/?q=a", "settings/tags/"):
            assert client.get(f"/{path}").status_code == 200, path
        client.post("/contacts/new/", {"name": "Walker"})


def test_sixteen_threads_mix_nobody_up(way, pair, say):
    found = checks.read_by_threads(pair, threads=16, reads=150)

    say(f"T2 {way}, 16 threads: {found}")
    assert found.wrong == 0, found.notes


def test_backend_that_served_its_companies_is_renewed(pair):
    before, after = checks.served_by_one(pair)

    assert len(before) == 1
    assert before.isdisjoint(after)
    connection.close()


def test_pool_renews_a_backend_that_served_its_companies_whoever_asks(pair):
    with checks.pooled(size=1):
        before, after = checks.served_by_one(pair)

    assert len(before) == 1
    assert before.isdisjoint(after)


def test_pool_whose_every_connection_was_ended_serves_on(pair, servers):
    with checks.pooled(size=4):
        checks.read_by_threads(pair, threads=4, reads=20)
        with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'rapport_app' AND datname = %s",
                [connection.settings_dict["NAME"]],
            )
        found = checks.read_by_threads(pair, threads=4, reads=20)

    assert found.wrong == 0, found.notes
