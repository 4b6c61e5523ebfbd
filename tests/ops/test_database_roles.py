"""The application's login has no right of its own: it may only become somebody who has."""

import os

import psycopg
import pytest
from psycopg import errors

from crm_platform.ops import setup_database
from crm_platform.ops.database_roles import create_database, database_bootstrap_statements

COMPANY = """
CREATE SCHEMA t_one;
CREATE ROLE t_one;
GRANT rapport_rw TO t_one WITH INHERIT TRUE, SET FALSE;
GRANT t_one TO rapport_app WITH INHERIT FALSE, SET TRUE;
GRANT USAGE ON SCHEMA t_one TO t_one;
CREATE TABLE t_one.deal (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
CREATE TABLE public.company (id bigint PRIMARY KEY);
"""


@pytest.fixture(scope="module")
def servers(running_servers):
    with psycopg.connect(running_servers.owner_url) as owner:
        owner.execute(COMPANY)
    return running_servers


@pytest.fixture
def app(servers):
    with psycopg.connect(servers.database_url) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM t_one.deal",
        "SELECT * FROM public.company",
        "CREATE SCHEMA other",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "SET ROLE rapport_owner",
        "SET ROLE postgres",
        "SET ROLE rapport_rw",
    ],
)
def test_the_application_s_login_may_do_nothing_of_its_own(app, statement):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)


def test_without_a_company_no_table_is_found_by_its_name(app):
    with pytest.raises(errors.UndefinedTable):
        app.execute("SELECT * FROM deal")


def test_a_company_s_role_writes_its_own_rows_only(app):
    app.execute("SET LOCAL ROLE t_one")
    assert app.execute("INSERT INTO t_one.deal (name) VALUES ('x') RETURNING id").fetchone() == (1,)

    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("SELECT * FROM public.company")


def test_a_company_s_role_changes_no_table(app):
    app.execute("SET LOCAL ROLE t_one")

    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("DROP TABLE t_one.deal")


def test_the_platform_s_role_reads_no_company(app):
    app.execute("SET LOCAL ROLE rapport_public")
    assert app.execute("SELECT * FROM public.company").fetchall() == []

    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("SELECT * FROM t_one.deal")


def test_the_statements_may_run_again(running_servers):
    with psycopg.connect(running_servers.superuser_url, dbname="rapport") as superuser:
        for statement in database_bootstrap_statements(app_password="it's; a -- password"):
            superuser.execute(statement)
    assert create_database(running_servers.superuser_url) is False


def test_a_database_compares_by_code_point(running_servers):
    with psycopg.connect(running_servers.owner_url) as owner:
        assert owner.execute("SELECT lower('ÄÉ'), 'a' > 'Z'").fetchone() == ("äé", True)


def test_setup_database_makes_another_database(running_servers, monkeypatch, capsys):
    sockets = running_servers.database_url.rsplit("/", 1)[0].split("@")[1]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://rapport_app:one@{sockets}/second")
    monkeypatch.setenv("DATABASE_OWNER_URL", f"postgresql://rapport_owner:two@{sockets}/second")

    first = setup_database.main(["--superuser-url", running_servers.superuser_url])
    again = setup_database.main(["--superuser-url", running_servers.superuser_url])

    assert (first, again) == (0, 0)
    assert "Database second: made" in capsys.readouterr().out
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        owner.execute("CREATE SCHEMA t_two")


def test_setup_database_names_what_is_missing(monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@h/d")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    monkeypatch.delenv("DATABASE_SUPERUSER_URL", raising=False)

    assert setup_database.main([]) == 2
    told = capsys.readouterr().err
    assert "--superuser-url" in told
    assert "DATABASE_URL must sign in as rapport_app" in told
    assert "DATABASE_OWNER_URL is missing" in told
