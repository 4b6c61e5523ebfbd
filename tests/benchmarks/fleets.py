"""Databases of their own for benchmarks of many companies: ours (`fleet`) and the yardstick's."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("RAPPORT_BENCH_DATA", ROOT / ".data" / "bench"))
DROPPED = DATA.with_name(f"{DATA.name}.dropped")
"""Its time is when databases of ours were dropped last."""
FORGOTTEN_SECONDS = 360
"""ext4 without a journal, which this may be, looks at each file deleted so recently when it makes a
new one (`recently_deleted` in Linux's fs/ext4/ialloc.c). A fleet is 200,000 files: for minutes
after it was dropped, making a schema among 1,000 takes half as long again."""
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
        drop_databases(admin)
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
    """Statistics for every table, and nothing left to be written by the server or the system.

    Otherwise what is measured after making many schemas is the tidying up after that.
    """
    import psycopg

    with psycopg.connect(superuser_url, dbname=database, autocommit=True) as admin:
        admin.execute("VACUUM (ANALYZE)")
        admin.execute("CHECKPOINT")
    os.sync()


def end(superuser_url: str) -> None:
    """Drop what was made."""
    import psycopg
    from django.db import connections

    connections.close_all()
    with psycopg.connect(superuser_url, autocommit=True) as admin:
        drop_databases(admin)


def drop_databases(admin: Any) -> None:
    """Ours and the yardstick's, as far as they are there."""
    there = admin.execute(
        "SELECT datname FROM pg_database WHERE datname = ANY(%s)", [["fleet", "rival"]]
    ).fetchall()
    for (name,) in there:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        DROPPED.touch()


def rest() -> None:
    """Wait until making files is not slowed down by an earlier run's (see FORGOTTEN_SECONDS)."""
    left = DROPPED.stat().st_mtime + FORGOTTEN_SECONDS - time.time() if DROPPED.exists() else 0
    if left > 0:
        say(f"{left:.0f} s of rest: files of an earlier run were deleted a moment ago …")
        time.sleep(left)


@dataclass(frozen=True, slots=True)
class Peer:
    """A process with servers of its own that answers with a line of JSON."""

    process: subprocess.Popen[str]
    places: dict[str, str]

    def hear(self) -> Any:
        """Its next line."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("It ended without a word; what it said is above.")
        return json.loads(line)

    def ask(self, word: str) -> Any:
        """What it answers to a line."""
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.hear()


@contextmanager
def beside(module: str, name: str, *arguments: str) -> Iterator[Peer]:
    """`python -m module arguments` with data of its own as long as the block runs.

    What is compared is measured in turn: a machine is not as fast at the end of a long run as it
    was at its beginning. The process ends with its standard input.
    """
    data = str(DATA.with_name(f"{DATA.name}-{name}"))
    places = {"RAPPORT_BENCH_DATA": data, "RAPPORT_DATA": data}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, text=True,
        env={**os.environ, **places}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Peer(process, places)
    finally:
        process.stdin.close()
        process.wait(120)
