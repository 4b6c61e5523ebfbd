"""Databases of their own for benchmarks of many companies: ours (`fleet`) and the yardstick's."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("RAPPORT_BENCH_DATA", ROOT / ".data" / "bench"))
os.environ["RAPPORT_DATA"] = str(DATA)
os.environ["RAPPORT_TEST_DATABASE"] = "fleet"
os.environ["DJANGO_SETTINGS_MODULE"] = "crm_platform.settings_test"


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def begin() -> str:
    """Servers, two empty databases, Django set up; returns the superuser's address."""
    import psycopg

    from crm_platform.ops import embedded

    servers = embedded.start(DATA)
    with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
        for name in ("fleet", "rival"):
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute("CREATE DATABASE rival")
        roles = admin.execute(r"SELECT rolname FROM pg_roles WHERE rolname LIKE 't\_%'").fetchall()
        for (role,) in roles:
            try:
                admin.execute(f'DROP ROLE "{role}"')
            except psycopg.errors.DependentObjectsStillExist:
                continue
    embedded.create_database(servers.superuser_url, database="fleet")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate_platform", verbosity=0)
    return servers.superuser_url


def rival(superuser_url: str, act: str, count: int, **extra: str) -> list[float]:
    """Seconds that django-tenants takes for each of `count` acts (see `rival.run`)."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.rival.run", act, str(count)],
        env={**os.environ, "RIVAL_DATABASE_URL": superuser_url,
             "DJANGO_SETTINGS_MODULE": "tests.benchmarks.rival.settings", **extra},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def crowd(superuser_url: str, count: int, script: str) -> None:
    """As many schemas more beside the yardstick's tenants: its commands look at all of them."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    for start in range(0, count, 50):
        with psycopg.connect(superuser_url, dbname="rival", autocommit=True) as raw:
            for number in range(start, min(start + 50, count)):
                name = Identifier(f"crowd{number}")
                head = SQL("CREATE SCHEMA {}; SET search_path TO {}; ").format(name, name)
                with raw.transaction():
                    raw.execute(head + SQL(script))


def settle(superuser_url: str, database: str = "fleet") -> None:
    """Statistics for every table, and nothing left to be written by the server meanwhile.

    Otherwise what is measured after making many schemas is PostgreSQL's own tidying up.
    """
    import psycopg

    with psycopg.connect(superuser_url, dbname=database, autocommit=True) as admin:
        admin.execute("VACUUM (ANALYZE)")
        admin.execute("CHECKPOINT")


def end(superuser_url: str) -> None:
    """Drop what was made."""
    import psycopg
    from django.db import connections

    connections.close_all()
    with psycopg.connect(superuser_url, autocommit=True) as admin:
        for name in ("fleet", "rival"):
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
