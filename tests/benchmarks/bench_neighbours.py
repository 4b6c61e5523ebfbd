"""Pages of one company while another imports a million rows: p95 and p50 against idle.

Production processes on loopback: gunicorn, a worker, a worker for long jobs. The last line is one
JSON object; `--rows` says how many rows the noisy company imports.
"""

import argparse
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("RAPPORT_BENCH_DATA", ROOT / ".data" / "bench"))
TARGET = 1.5
PAGES = ("list", "contact", "board")
PAUSE_SECONDS = 0.01
"""Between two requests, as a person's browser would have far more."""
Times = dict[str, list[float]]


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def write_csv(path: Path, rows: int) -> None:
    """The contacts of `bench_import`, as many as wanted."""
    import csv

    from tests.benchmarks.bench_import import HEADER
    from tests.benchmarks.bench_import import rows as made

    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(made(rows))


@contextmanager
def workers(environment: dict[str, str], log: Path) -> Iterator[None]:
    """A worker and one for long jobs, as `crm worker` starts them."""
    command = [sys.executable, "-m", "crm_platform", "worker"]
    with log.open("wb") as out:
        started = [
            subprocess.Popen([*command, *more], env=environment, stdout=out, stderr=out)
            for more in ([], ["--long"])
        ]
        try:
            yield
        finally:
            for each in started:
                each.send_signal(signal.SIGTERM)
            for each in started:
                each.wait(60)


def begin_import(scope: Any, path: Path, rows: int) -> int:
    """Upload a file and put it in line, as the wizard does; the job's number."""
    from django.core.files import File
    from django.utils import timezone

    from crm_core.exchange import services
    from crm_platform.identity.models import User
    from crm_platform.kernel import tenancy

    with tenancy.unit_of_work(scope), path.open("rb") as stream:
        actor = User.objects.select_related("role").first()
        assert actor is not None
        job = services.start_import(
            kind_name="contact", upload=File(stream), file_name="contacts.csv", actor=actor,
            at=timezone.now(),
        )  # fmt: skip
        services.start(job=job, actor=actor, at=timezone.now())
    return int(job.pk)


def progress(scope: Any, job_id: int) -> tuple[str, int]:
    """The job's state and how many rows it dealt with."""
    from crm_core.exchange.models import ImportJob
    from crm_platform.kernel import tenancy

    with tenancy.unit_of_work(scope):
        job = ImportJob.objects.get(pk=job_id)
    return str(job.state), job.seen


def look(browser: Any, made: dict[str, Any], times: Times, turns: range) -> None:
    """Ask for each page `turns` times, in turn, and keep the milliseconds."""
    for turn in turns:
        for name in PAGES:
            began = time.perf_counter()
            status, body = made[name](browser, turn % 100)
            if status != 200:
                raise RuntimeError(f"{name}: status {status}: {body[:300]!r}")
            times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            select.select([], [], [], PAUSE_SECONDS)


def summary(times: Times) -> dict[str, dict[str, float]]:
    """p50 and p95 of each page and of all of them."""
    every = {**times, "all": [each for found in times.values() for each in found]}
    return {
        name: {
            "p50_ms": round(statistics.median(found), 2),
            "p95_ms": round(sorted(found)[int(len(found) * 0.95)], 2),
            "requests": len(found),
        }
        for name, found in every.items()
    }


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """The pages of `peer` while `bench-noisy` imports, and between the turns of its import."""
    from crm_platform.kernel import tenancy
    from tenants import queries
    from tenants.models import CompanyLimit
    from tests.benchmarks import bench_pages, throwaway
    from tests.benchmarks.company_data import PEER, analyze
    from tests.benchmarks.server import Browser, web_server

    quiet = bench_pages.prepare("peer", PEER)
    analyze(quiet)
    environment = {"RAPPORT_ENV": "embedded", "RAPPORT_DATA": str(DATA)}
    with (
        throwaway.company("bench-noisy") as noisy,
        tempfile.TemporaryDirectory() as folder,
        web_server(environment) as server,
        workers({**server.environment, "LOG_LEVEL": "INFO"}, Path(folder) / "log"),
    ):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            for kind, value in (("import_rows", options.rows), ("import_mb", 500)):
                CompanyLimit.objects.create(
                    company_id=noisy.id, kind=kind, value=value, reason="benchmark",
                    set_at=throwaway.AT,
                )  # fmt: skip
        found = queries.working_scope(noisy.id)
        assert found is not None
        cookies, token = bench_pages.sign_in(quiet)
        made = bench_pages.requests_of(quiet, token)
        path = Path(folder) / "contacts.csv"
        write_csv(path, options.rows)

        def ask(times: Times, turns: range) -> None:
            look(Browser(server.port, quiet.host, cookies), made, times, turns)

        ask({}, range(20))
        busy, idle, seconds = while_importing(found, path, options, ask)
        say(f"idle: {summary(idle)['all']}\nbusy: {summary(busy)['all']}, {seconds:.0f} s")
        if options.log:
            Path(options.log).write_bytes((Path(folder) / "log").read_bytes())
    return verdict(idle, busy, options.rows, seconds)


class Tap:
    """Lets the worker for long jobs take messages, or none, as `crm worker --long` runs on."""

    def __init__(self) -> None:
        from celery import current_app

        self._control, self.is_open = current_app.control, True
        self._names: list[str] = []
        for _attempt in range(60):  # they are still starting
            found = self._control.inspect(timeout=1).active_queues() or {}
            self._names = [
                name for name, queues in found.items() if any(q["name"] == "long" for q in queues)
            ]
            if self._names:
                return
        raise RuntimeError("No worker for long jobs answered")

    def turn(self, *, is_open: bool) -> None:
        act = self._control.add_consumer if is_open else self._control.cancel_consumer
        act("long", destination=self._names)
        self.is_open = is_open


def while_importing(
    scope: Any, path: Path, options: argparse.Namespace, ask: Any
) -> tuple[Times, Times, float]:
    """The pages' times while the import is at work, between its turns, and its seconds of work.

    The worker is given messages for some seconds and none for some, so that both are measured
    under whatever else the machine does; the company's place for long jobs tells them apart.
    """
    tap = Tap()
    job_id = begin_import(scope, path, options.rows)
    path.unlink()
    busy: Times = {}
    idle: Times = {}
    began, turned, at_work, place = time.perf_counter(), time.perf_counter(), 0.0, 0
    while True:
        state, seen = progress(scope, job_id)
        if state not in ("ready", "running"):
            break
        before, since = is_at_work(scope), time.perf_counter()
        times: Times = {}
        ask(times, range(place, place + 3))
        place += 3
        now = time.perf_counter()
        if before == is_at_work(scope):
            at_work += (now - since) * before
            for name, found in times.items():
                (busy if before else idle).setdefault(name, []).extend(found)
        if before and not tap.is_open:
            turned = now  # the turn that had begun goes on
        if now - turned > (options.open_seconds if tap.is_open else options.shut_seconds):
            tap.turn(is_open=not tap.is_open)
            turned = now
        if now - began > options.longest:
            raise RuntimeError(f"The import did not end: {state}, {seen} rows")
    if (state, seen) != ("done", options.rows):
        raise RuntimeError(f"The import ended otherwise: {state}, {seen} rows")
    return busy, idle, at_work


def is_at_work(scope: Any) -> bool:
    """Whether a long job of the company runs now."""
    from django.utils import timezone

    from crm_platform.kernel import counting

    return bool(counting.places_taken("long", scope.id, at=timezone.now()))


def verdict(idle: Times, busy: Times, rows: int, seconds: float) -> dict[str, Any]:
    """The ratios, of each page and of all."""
    calm, loud = summary(idle), summary(busy)
    ratios = {
        name: {key: round(loud[name][f"{key}_ms"] / calm[name][f"{key}_ms"], 2)
               for key in ("p50", "p95")}
        for name in loud
    }  # fmt: skip
    return {
        "name": "neighbours", "ok": ratios["all"]["p95"] <= TARGET, "rows": rows,
        "ratio_p95": ratios["all"]["p95"], "ratio_p50": ratios["all"]["p50"], "target": TARGET,
        "ratios": ratios, "idle": calm, "busy": loud, "import_seconds": round(seconds, 1),
        "rows_per_s": round(rows / seconds), "load": [round(each, 1) for each in os.getloadavg()],
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument(
        "--open-seconds", type=float, default=60.0, help="the import may begin turns"
    )
    parser.add_argument("--shut-seconds", type=float, default=8.0, help="it is idle")
    parser.add_argument("--longest", type=float, default=3600.0)
    parser.add_argument("--log", help="keep the workers' log here")
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

        call_command("migrate_platform", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        sys.stdout.write(json.dumps(measured(options)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
