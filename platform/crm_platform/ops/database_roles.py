"""The database roles Rapport stands on, and the statements that make them.

`rapport_owner` owns every schema and makes the companies' roles; `rapport_app` serves requests and
has no right of its own: it may only become a company's role, or `rapport_public` for the
platform's own tables.
"""

import psycopg
from psycopg import sql

OWNER, APP = "rapport_owner", "rapport_app"
COMPANIES_RIGHTS, PUBLIC_RIGHTS = "rapport_rw", "rapport_public"
DATABASE = "rapport"
PUBLIC_APPEND_ONLY = ("console_operatorentry", "tenants_companyevent")
"""Tables of the platform that its serving role may add to and read, but never change."""
FIRST_WITH_BUILTIN_LOCALE = 170000


def database_bootstrap_statements(
    *, owner_password: str | None = None, app_password: str | None = None
) -> list[str]:
    """Every role and right, to be run as superuser, connected to the database they are for.

    Running them again changes nothing, except that a password given is set. Roles belong to the
    whole server, the rest to the one database (each test database needs them, too).
    """
    return [*_role_statements(owner_password, app_password), *_right_statements()]


def _role_statements(owner_password: str | None, app_password: str | None) -> list[str]:
    logins = {OWNER: owner_password, APP: app_password}
    made = [_create_if_absent(role) for role in (OWNER, APP, COMPANIES_RIGHTS, PUBLIC_RIGHTS)]
    plain = "NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS"
    return [
        *made,
        f"ALTER ROLE {OWNER} LOGIN CREATEROLE INHERIT {plain}",
        f"ALTER ROLE {APP} LOGIN NOCREATEROLE NOINHERIT {plain}",
        f"ALTER ROLE {COMPANIES_RIGHTS} NOLOGIN NOCREATEROLE {plain}",
        f"ALTER ROLE {PUBLIC_RIGHTS} NOLOGIN NOCREATEROLE {plain}",
        *(_password(role, password) for role, password in logins.items() if password),
        f"ALTER ROLE {APP} SET search_path = ''",
        f"GRANT {COMPANIES_RIGHTS} TO {OWNER} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        f"GRANT {PUBLIC_RIGHTS} TO {OWNER} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        f"GRANT {PUBLIC_RIGHTS} TO {APP} WITH INHERIT FALSE, SET TRUE",
    ]


def _right_statements() -> list[str]:
    rows, counters = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT, UPDATE"
    by_owner = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}"
    in_public = f"{by_owner} IN SCHEMA public"
    return [
        _on_this_database(f"ALTER DATABASE %I OWNER TO {OWNER}"),
        _on_this_database("REVOKE ALL ON DATABASE %I FROM PUBLIC"),
        _on_this_database(f"GRANT CONNECT ON DATABASE %I TO {APP}"),
        f"ALTER SCHEMA public OWNER TO {OWNER}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {PUBLIC_RIGHTS}",
        f"GRANT {rows} ON ALL TABLES IN SCHEMA public TO {PUBLIC_RIGHTS}",
        f"GRANT {counters} ON ALL SEQUENCES IN SCHEMA public TO {PUBLIC_RIGHTS}",
        # The grant above is for all tables there are; run again, it must not reopen these.
        *(_closed_to_changes(table) for table in PUBLIC_APPEND_ONLY),
        f"{in_public} GRANT {rows} ON TABLES TO {PUBLIC_RIGHTS}",
        f"{in_public} GRANT {counters} ON SEQUENCES TO {PUBLIC_RIGHTS}",
        f"{by_owner} GRANT {rows} ON TABLES TO {COMPANIES_RIGHTS}",
        f"{by_owner} GRANT {counters} ON SEQUENCES TO {COMPANIES_RIGHTS}",
    ]


def _closed_to_changes(table: str) -> str:
    revoke = f"REVOKE UPDATE, DELETE, TRUNCATE ON public.{table} FROM {PUBLIC_RIGHTS}"
    return f"DO $$ BEGIN IF to_regclass('public.{table}') IS NOT NULL THEN {revoke}; END IF; END $$"


def _create_if_absent(role: str) -> str:
    exists = f"SELECT FROM pg_roles WHERE rolname = '{role}'"
    return f"DO $$ BEGIN IF NOT EXISTS ({exists}) THEN CREATE ROLE {role}; END IF; END $$"


def _on_this_database(statement: str) -> str:
    return f"DO $$ BEGIN EXECUTE format('{statement}', current_database()); END $$"


def _password(role: str, password: str) -> str:
    return f"ALTER ROLE {role} PASSWORD {sql.quote(password)}"


def create_database(
    superuser_url: str,
    *,
    database: str = DATABASE,
    owner_password: str | None = None,
    app_password: str | None = None,
) -> bool:
    """Make `database` if it is absent, with every role and right. Says whether it was absent.

    The database sorts and compares by code point (C.UTF-8) on every server, so that an index means
    the same after a move. Safe to run again, and after it was cut off.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [database])
        absent = found.fetchone() is None
        if absent:
            connection.execute(_create_statement(database, connection.info.server_version))
    # Whoever runs without synchronous_commit must still find the roles after a crash.
    options = "-c synchronous_commit=on"
    with psycopg.connect(superuser_url, dbname=database, options=options) as connection:
        for statement in database_bootstrap_statements(
            owner_password=owner_password, app_password=app_password
        ):
            connection.execute(sql.SQL(statement))
    return absent


def _create_statement(database: str, server_version: int) -> sql.Composed:
    locale = "LOCALE 'C.UTF-8'"
    if server_version >= FIRST_WITH_BUILTIN_LOCALE:
        locale = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'"
    return sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' {}").format(
        sql.Identifier(database), sql.SQL(locale)
    )
