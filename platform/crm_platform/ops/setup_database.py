"""`crm setup-database`: roles, rights and database on a PostgreSQL that is not ours to start."""

import argparse
import os
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import psycopg

from crm_platform.ops.console import complain, say
from crm_platform.ops.database_roles import APP, OWNER, create_database


def main(arguments: Sequence[str]) -> int:
    """Make what is missing; running it again changes nothing but the passwords."""
    parser = argparse.ArgumentParser(prog="crm setup-database", description=__doc__)
    parser.add_argument("--superuser-url", default=os.environ.get("DATABASE_SUPERUSER_URL", ""))
    chosen = parser.parse_args(arguments)
    app, owner = os.environ.get("DATABASE_URL", ""), os.environ.get("DATABASE_OWNER_URL", "")
    faults = faults_of(chosen.superuser_url, app, owner)
    if faults:
        complain(f"The database cannot be set up: {'; '.join(faults)}.")
        return 2
    database = urlsplit(app).path[1:]
    try:
        made = create_database(
            chosen.superuser_url,
            database=database,
            owner_password=_password(owner),
            app_password=_password(app),
        )
    except psycopg.OperationalError as error:
        complain(f"PostgreSQL does not let us in as superuser: {error}")
        return 1
    say(f"Database {database}: {'made' if made else 'was there'}; roles and rights are set.")
    return 0


def faults_of(superuser: str, app: str, owner: str) -> list[str]:
    """What is wrong with the three addresses, each as part of one sentence."""
    faults = []
    if not superuser:
        faults.append("say --superuser-url or set DATABASE_SUPERUSER_URL")
    for name, address, role in (("DATABASE_URL", app, APP), ("DATABASE_OWNER_URL", owner, OWNER)):
        if not address:
            faults.append(f"{name} is missing")
        elif unquote(urlsplit(address).username or "") != role:
            faults.append(f"{name} must sign in as {role}")
    if not faults and urlsplit(app).path != urlsplit(owner).path:
        faults.append("DATABASE_URL and DATABASE_OWNER_URL name different databases")
    return faults


def _password(address: str) -> str | None:
    password = urlsplit(address).password
    return unquote(password) if password else None
