"""100,000 contacts from CSV through the import service, against a bare COPY of the same rows.

Builds a company of its own on the embedded servers of `.data/bench` (durable, as the demo's are)
and removes it afterwards. The last line is one JSON object.
"""

import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
TARGET_ROWS_A_SECOND, TARGET_MB = 5000, 300
AT = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
FIRST = (
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Eva",
    "Felix",
    "Grace",
    "Henry",
    "Iris",
    "Jack",
    "Kim",
    "Leo",
)
LAST = (
    "Smith",
    "Miller",
    "Garcia",
    "Rossi",
    "Novak",
    "Tanaka",
    "Dubois",
    "Larsen",
    "Kowalski",
    "Silva",
)
FAMILY, GIVEN = (
    "陳林黃張李王吳劉蔡楊",
    ("怡君", "志偉", "淑芬", "建宏", "雅婷", "俊傑", "美玲", "家豪"),
)
WORDS = (
    "Acme",
    "Globex",
    "Initech",
    "Umbra",
    "Vertex",
    "Nimbus",
    "Harbor",
    "Quartz",
    "Lumen",
    "Orbit",
)
TRADES = ("Trading", "Systems", "Foods", "Textiles", "Logistics", "Medical", "Energy", "Design")
CITIES = ("Taipei", "Hong Kong", "Singapore", "London", "Berlin", "Toronto", "Sydney", "Osaka")
TITLES = ("CEO", "Buyer", "Head of Sales", "Engineer", "Accountant", "Owner", "Assistant")


def rows(count: int) -> list[tuple[str, ...]]:
    """The same contacts each time: 5 % with Chinese names, one company for twenty people."""
    dice = random.Random(20261120)  # noqa: S311  (sample data)
    made = []
    for number in range(count):
        place = dice.randrange(count // 20 + 1)
        company = f"{WORDS[place % 10]} {TRADES[place // 10 % 8]} {place // 80}"
        if dice.random() < 0.05:
            name = dice.choice(FAMILY) + dice.choice(GIVEN)
            company = f"台北{FAMILY[place % 10]}氏科技{place // 400}有限公司"
        else:
            name = f"{dice.choice(FIRST)} {dice.choice(LAST)}"
        day = dt.date(2019, 1, 1) + dt.timedelta(days=dice.randrange(2500))
        made.append(
            (
                name,
                company,
                dice.choice(TITLES),
                f"person{number}@example.com",
                f"+886 2 {dice.randrange(10**8):08d}",
                dice.choice(CITIES),
                f"S-{number:06d}",
                day.isoformat(),
            )
        )
    return made


HEADER = ("Name", "Company", "Title", "Mail", "Phone", "City", "Source id", "Created")


def main() -> None:
    data = ROOT / ".data" / "bench"
    os.environ.update(RAPPORT_ENV="embedded", RAPPORT_DATA=str(data))
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm_platform.settings"
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    from crm_platform.ops import embedded

    with embedded.running(data) as servers:
        os.environ.update(servers.variables())
        import django

        django.setup()
        print(json.dumps(measured()))  # noqa: T201  (what a benchmark is for)


def measured() -> dict[str, Any]:
    """Build, import, compare, clean up."""
    from django.core.management import call_command

    from tests.benchmarks import throwaway

    call_command("migrate_platform", verbosity=0)
    with throwaway.company("bench-import") as scope, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contacts.csv"
        write_csv(path)
        counts, seconds, peak = imported(scope, path)
        copied = copy_seconds(scope)
    rate, yardstick = ROWS / seconds, ROWS / copied
    is_whole = counts["created"] == counts["total"] == ROWS
    fits = rate >= TARGET_ROWS_A_SECOND and peak < TARGET_MB
    return {
        "name": "import", "ok": bool(is_whole and fits), "rows": ROWS, **counts,
        "seconds": round(seconds, 2), "rows_per_s": round(rate),
        "copy_rows_per_s": round(yardstick),
        "ratio": round(rate / yardstick, 3), "peak_mb": round(peak),
        "target_rows_per_s": TARGET_ROWS_A_SECOND, "target_mb": TARGET_MB,
    }  # fmt: skip


def write_csv(path: Path) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(rows(ROWS))


def imported(scope: Any, path: Path) -> tuple[dict[str, int], float, float]:
    """Import in a process of its own, as a worker is one; seconds from upload to report."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_import", "child", str(scope.id), str(path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"},
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told = json.loads(child.stdout.splitlines()[-1])
    for line in told.pop("lines"):
        print(line)  # noqa: T201
    return told["counts"], told["seconds"], told["peak_mb"]


def child(company_id: str, path: str) -> None:
    """The measured part."""
    import uuid

    import django

    django.setup()
    from django.core.files import File
    from django.utils import timezone

    from crm_core.exchange import services
    from crm_core.exchange.models import ImportJob
    from crm_platform.identity.models import User
    from crm_platform.kernel import tenancy
    from tenants import queries

    scope = queries.working_scope(uuid.UUID(company_id))
    assert scope is not None
    before = peak_mb()
    began = time.perf_counter()
    with tenancy.unit_of_work(scope), open(path, "rb") as stream:  # noqa: PTH123
        actor = User.objects.select_related("role").first()
        assert actor is not None
        job = services.start_import(
            kind_name="contact", upload=File(stream), file_name="contacts.csv", actor=actor, at=AT
        )
        services.start(job=job, actor=actor, at=AT, ring=False)
    read = time.perf_counter()
    with tenancy.choose(scope):
        if os.environ.get("BENCH_PROFILE"):
            import cProfile
            import pstats

            profile = cProfile.Profile()
            profile.runcall(services.run, job_id=job.pk, clock=timezone.now)
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(28)
        else:
            services.run(job_id=job.pk, clock=timezone.now)
    ended = time.perf_counter()
    with tenancy.unit_of_work(scope):
        job = ImportJob.objects.get(pk=job.pk)
    counts = {n: getattr(job, n) for n in ("total", "created", "updated", "skipped", "failed")}
    peak = peak_mb()
    lines = [
        f"read and guessed in {read - began:.2f} s, brought in within {ended - read:.2f} s",
        f"memory before {before:.0f} MB, peak {peak:.0f} MB",
        f"CPU of this process {time.process_time():.1f} s",
    ]
    told = {"counts": counts, "seconds": ended - began, "peak_mb": peak, "lines": lines}
    print(json.dumps(told))  # noqa: T201


def peak_mb() -> float:
    """The most memory this process ever had in RAM (not its parent's, as getrusage would say)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def copy_seconds(scope: Any) -> float:
    """A bare COPY of the same rows into a table of the same columns and indexes."""
    from tests.benchmarks import throwaway

    return throwaway.bare_copy_seconds(scope, table="records_contact")


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], sys.argv[3])
    else:
        main()
