"""A connection a thread, psycopg's pool, PgBouncer: ms a page; a backend's memory by companies."""

import argparse
import json
import os
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("RAPPORT_BENCH_DATA", ROOT / ".data" / "bench"))
MOST_MB = 150
ROUNDS, WARM_UP = 6, 30


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def measured_pages(repeats: int, stack: ExitStack) -> dict[str, dict[str, float]]:
    """Each way's p50 ms and CPU ms of the contact list, in turn so that all see the same noise."""
    from django.db import connection

    from tests.benchmarks import bench_pages
    from tests.benchmarks.company_data import PEER, analyze
    from tests.benchmarks.server import Browser, cpu_seconds, tree_of, web_server
    from tests.kernel import pooler

    scope = bench_pages.prepare("peer", PEER)
    analyze(scope)
    host, name = connection.settings_dict["HOST"], connection.settings_dict["NAME"]
    base = {"RAPPORT_ENV": "embedded", "RAPPORT_DATA": str(DATA)}
    direct = f"postgresql://rapport_app@{quote(host, safe='')}/{name}"
    ways = {
        "direct": {"DATABASE_URL": direct},
        "pool": {"DATABASE_URL": direct, "RAPPORT_DB_POOL": "4"},
    }
    if pooler.program() is not None:
        port = stack.enter_context(pooler.running(name, host))
        ways["pgbouncer"] = {"DATABASE_URL": f"postgresql://rapport_app@127.0.0.1:{port}/{name}"}
    cookies, _token = bench_pages.sign_in(scope)
    servers = {
        way: stack.enter_context(web_server({**base, **more}, workers=1, quiet=True))
        for way, more in ways.items()
    }
    browsers = {way: Browser(each.port, scope.host, cookies) for way, each in servers.items()}
    rounds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for turn in range(ROUNDS + 1):
        for way, browser in browsers.items():
            times = []
            before = cpu_seconds(tree_of(servers[way].pid))
            for _number in range(repeats if turn else WARM_UP):
                began = time.perf_counter()
                status, body = browser.get("/contacts/")
                if status != 200:
                    raise RuntimeError(f"{way}: status {status}: {body[:300]!r}")
                times.append((time.perf_counter() - began) * 1000)
            cpu = (cpu_seconds(tree_of(servers[way].pid)) - before) * 1000 / len(times)
            if turn:
                rounds[way].append((statistics.median(times), cpu))
    # Neighbours on the machine only ever add: the quietest round is the nearest to the truth.
    return {
        way: {"p50_ms": round(min(p for p, _c in found), 2),
              "web_cpu_ms": round(min(c for _p, c in found), 2)}
        for way, found in rounds.items()
    }  # fmt: skip


def measured_units(turns: int, stack: ExitStack) -> dict[str, float]:
    """Microseconds of one unit of work with one small query, by way; the quietest of rounds."""
    from django.db import connection

    from crm_platform.identity.models import Role
    from crm_platform.kernel import tenancy
    from tests.benchmarks import bench_pages
    from tests.benchmarks.company_data import PEER
    from tests.kernel import connections as ways
    from tests.kernel import pooler

    scope = bench_pages.prepare("peer", PEER)
    host, name = connection.settings_dict["HOST"], connection.settings_dict["NAME"]
    entered: dict[str, Any] = {"direct": ExitStack, "pool": lambda: ways.pooled(size=2)}
    if pooler.program() is not None:
        port = stack.enter_context(pooler.running(name, host))
        entered["pgbouncer"] = lambda: ways.through(port, max_age=1800)
    found: dict[str, list[float]] = {way: [] for way in entered}
    for _round in range(ROUNDS):
        for way, enter in entered.items():
            with enter():
                times = []
                for _turn in range(turns):
                    began = time.perf_counter()
                    with tenancy.unit_of_work(scope):
                        Role.objects.order_by("pk").first()
                    connection.close_if_unusable_or_obsolete()  # as at a request's end
                    times.append((time.perf_counter() - began) * 1e6)
                found[way].append(statistics.median(times))
    return {way: round(min(medians)) for way, medians in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=100)
    options = parser.parse_args()
    os.environ.update(RAPPORT_ENV="embedded", RAPPORT_DATA=str(DATA))
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm_platform.settings"
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / 'platform'}"
    from crm_platform.ops import embedded

    with embedded.running(DATA) as servers:
        os.environ.update(servers.variables())
        import django

        django.setup()
        from django.core.management import call_command

        from tests.benchmarks import backend_memory

        call_command("migrate_platform", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        with ExitStack() as stack:
            pages = measured_pages(options.repeats, stack)
        say(f"pages: {pages}")
        with ExitStack() as stack:
            units = measured_units(400, stack)
        say(f"units of work, µs: {units}")
        scopes = backend_memory.many_scopes(options.companies)
        renewed = backend_memory.served(scopes)
        kept = backend_memory.served(scopes, renewed=False)
        say(f"memory: {renewed}, never renewed: {kept}")
    result = {
        "name": "connections", "ok": renewed.peak_mb <= MOST_MB, "companies": options.companies,
        "backend_mb": renewed.peak_mb, "target_mb": MOST_MB, "backends": renewed.backends,
        "backend_mb_never_renewed": kept.peak_mb, "pages": pages, "unit_us": units,
    }  # fmt: skip
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
