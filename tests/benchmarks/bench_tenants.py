"""What a company pays for its neighbours: a page, a backend's memory, a switch, an export."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import backend_memory, fleets
from tests.benchmarks.bench_upgrade import companies
from tests.benchmarks.fleets import say
from tests.benchmarks.ten import COUNT, Board, board_among_ten

SIZES = (200, 1000)
WARM = 20
"""Companies that a backend has in its caches when a switch or a small request is timed."""


def first_company(release):
    """A company with deals on its board; its scope and an owner's cookies."""
    from crm_platform.kernel import tenancy
    from tenants import queries
    from tests import factories

    (made,) = companies(range(1), release)
    scope = queries.scope_of(made, f"{made.slug}.testserver")
    with tenancy.unit_of_work(scope):
        factories.seed_company()
        owner = factories.user(role="owner")
        for number in range(300):
            factories.deal(owner, name=f"Deal {number}")
    name, value = factories.session_cookie(scope, owner)
    return made, scope, f"{name}={value}"


def boards_ms(boards: list[Board], repeats: int) -> list[float]:
    """Each board's median in the quietest of its four servers; the boards take turns.

    One server's rounds lie within a few percent of each other, two servers' up to a quarter
    apart: where a process comes to lie is the luck of the start.
    """
    turns = [[_of_one_server(board, repeats) for board in boards] for _turn in range(4)]
    return [min(times) for times in zip(*turns, strict=True)]


def _of_one_server(board: Board, repeats: int) -> float:
    from tests.benchmarks.server import Browser, web_server

    with web_server(board.environment, workers=1, quiet=True) as server:
        browser = Browser(server.port, board.host, board.cookies)
        rounds = []
        for _round in range(4):
            times = []
            for _turn in range(repeats):
                began = time.perf_counter()
                status, _body = browser.get("/deals/board/")
                times.append((time.perf_counter() - began) * 1000)
                if status != 200:
                    raise RuntimeError(f"Status {status}")
            rounds.append(statistics.median(times))
    return min(rounds[1:])


# -- switching -----------------------------------------------------------------------------------


def switch_ms(scopes) -> float:
    """Entering another company each time, beyond entering none: a bare BEGIN and COMMIT."""
    from django.db import connection

    from crm_platform.kernel import tenancy

    def each(act: Callable[[int], None]) -> float:
        times = []
        for turn in range(4000):
            began = time.perf_counter()
            act(turn)
            times.append(time.perf_counter() - began)
        return statistics.median(times[1000:]) * 1000

    def ours(turn: int) -> None:
        with tenancy.unit_of_work(scopes[turn % len(scopes)]):
            connection.begin()  # by itself: else it would wait for a first statement
            connection.only_asks = False  # its end is waited for, as the bare one's

    ours(0)
    pgconn = connection.connection.pgconn

    def bare(_turn: int) -> None:
        pgconn.exec_(b"BEGIN")
        pgconn.exec_(b"COMMIT")

    return min(each(ours) - each(bare) for _round in range(3))


def small_request_ms(hosts: list[str]) -> float:
    """One query through our middleware alone, in a process of its own, as the yardstick's."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.small", *hosts], cwd=fleets.ROOT,
        env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return float(done.stdout.strip().splitlines()[-1]) * 1000


def small_requests(superuser_url: str, hosts: list[str]) -> tuple[float, float]:
    """Ours and the yardstick's, in turn, the quietest of three each; milliseconds."""
    ours, theirs = [], []
    for _turn in range(3):
        ours.append(small_request_ms(hosts))
        theirs.append(fleets.rival(superuser_url, "requests", 3000)[0] * 1000)
    return min(ours), min(theirs)


# -- export --------------------------------------------------------------------------------------


def export_ms(company) -> float:
    """A sealed backup of the company, the quietest of three."""
    from django.utils import timezone

    from tenants.backups import dumping

    times = []
    for _turn in range(3):
        with TemporaryDirectory() as folder, Path(folder, "backup").open("wb") as out:
            began = time.perf_counter()
            dumping.dump(
                company=company, out=out, key="k" * 50, at=timezone.now(), beat=lambda: None
            )
            times.append((time.perf_counter() - began) * 1000)
    return min(times)


def pg_dump_ms(superuser_url: str, schema: str) -> float:
    """`pg_dump -n` of the same schema."""
    from crm_platform.ops.embedded_binaries import postgres_binaries

    program = postgres_binaries(None) / "pg_dump"
    fleet = superuser_url.rpartition("/")[0] + "/fleet"
    began = time.perf_counter()
    subprocess.run([str(program), "-n", schema, "-f", "/dev/null", fleet], check=True)
    return (time.perf_counter() - began) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=2, default=SIZES)
    parser.add_argument("--repeats", type=int, default=60)
    options = parser.parse_args()
    superuser = fleets.begin()
    from django.utils import timezone

    from tenants import queries
    from tenants.upgrades import building

    release = building.build_release(version="b1", at=timezone.now())
    first, scope, cookies = first_company(release)
    made, boards = [first], []
    with board_among_ten() as few:
        for size in options.sizes:
            say(f"the board among {size} companies, and among {COUNT} …")
            made += companies(range(len(made), size), release)
            fleets.settle(superuser)
            boards.append(boards_ms([few, Board(scope.host, cookies, {})], options.repeats))
    board_ratio = max(among_many / among_few for among_few, among_many in boards)
    scopes = [queries.scope_of(c, f"{c.slug}.testserver") for c in made]
    say("memory, switching …")
    memory = backend_memory.served(scopes).peak_mb
    unbounded = backend_memory.served(scopes, renewed=False).peak_mb
    switch = switch_ms(scopes[:WARM])
    say("export, pg_dump …")
    export, dumped = export_ms(made[-1]), pg_dump_ms(superuser, made[-1].schema_name)
    say("django-tenants …")
    fleets.rival(superuser, "prepare", 0)
    fleets.rival(superuser, "make", WARM)
    small, theirs = small_requests(superuser, [s.host for s in scopes[:WARM]])
    fleets.end(superuser)
    result = {
        "companies": list(options.sizes), "board_ms": [round(many, 1) for _few, many in boards],
        "board_among_ten_ms": [round(few, 1) for few, _many in boards],
        "board_ratio": round(board_ratio, 2),
        "backend_mib": round(memory), "backend_mib_not_recycled": round(unbounded),
        "switch_ms": round(switch, 3), "small_request_ms": round(small, 3),
        "tenant_main_middleware_ms": round(theirs, 3),
        "small_request_ratio": round(theirs / small, 2),
        "export_ms": round(export, 1), "pg_dump_ms": round(dumped),
        "export_ratio": round(dumped / export),
    }  # fmt: skip
    targets = {
        "board ≤ 1.15": board_ratio <= 1.15,
        "backend ≤ 150 MiB": memory <= 150, "switch ≤ 0.1 ms": switch <= 0.1,
        "request ≥ 1.8 ×": theirs / small >= 1.8, "export ≥ 100 ×": dumped / export >= 100,
    }  # fmt: skip
    missed = [name for name, met in targets.items() if not met]
    sys.stdout.write(
        json.dumps({"name": "tenants", "ok": not missed, **result, "missed": missed},
                   ensure_ascii=False) + "\n"
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
