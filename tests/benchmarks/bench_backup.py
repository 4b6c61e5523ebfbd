"""Back up a company of 100,000 records, erase it, restore it: equal, how fast, how much memory.

Against a bare COPY of the same rows in the same run. BENCH_ROWS sets the records. Builds all on the
embedded servers of `.data/bench` and removes it afterwards. The last line is a JSON object.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
SLUG = "bench-backup"
TARGET_MB = 30
"""Memory beyond the idle process, whatever the rows."""


def main() -> None:
    data = ROOT / ".data" / "bench"
    os.environ.update(RAPPORT_ENV="embedded", RAPPORT_DATA=str(data))
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm_platform.settings"
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    from crm_platform.ops import embedded

    with embedded.running(data) as servers, tempfile.TemporaryDirectory() as folder:
        os.environ.update(servers.variables())
        os.environ.update(
            BACKUP_DIR=f"{folder}/backups", MEDIA_ROOT=f"{folder}/media",
            BACKUP_KEY=uuid.uuid4().hex + uuid.uuid4().hex,
        )  # fmt: skip
        import django

        django.setup()
        print(json.dumps(measured(Path(folder))))  # noqa: T201  (what a benchmark is for)


def measured(folder: Path) -> dict[str, Any]:
    """Fill, back up, erase, restore, compare, clean up."""
    from django.core.management import call_command

    from tests.benchmarks import throwaway

    call_command("migrate_platform", verbosity=0)
    forget()
    with throwaway.company(SLUG) as scope, forgotten():
        fill(scope, folder)
        bare_out, bare_in = bare_copies(scope)
        made = in_child("back_up", str(scope.id))
        before = sums(scope.schema)
        erase(scope)
        back = in_child("restore", made["backup"])
        after = sums(back["schema"])
        is_equal = before == after and back["is_equal"]
    peak = max(made["peak_mb"], back["peak_mb"])
    grown = max(each["peak_mb"] - each["idle_mb"] for each in (made, back))
    rows = made["rows"]
    return {
        "name": "backup", "ok": bool(is_equal and grown < TARGET_MB), "records": ROWS, "rows": rows,
        "is_equal": is_equal, "files": made["files"], "archive_mb": made["archive_mb"],
        "out_s": made["seconds"], "out_rows_per_s": round(rows / made["seconds"]),
        "in_s": back["seconds"], "in_rows_per_s": round(rows / back["seconds"]),
        "bare_out_s": round(bare_out, 2), "bare_in_s": round(bare_in, 2),
        "out_times_bare": round(made["seconds"] / bare_out, 1),
        "in_times_bare": round(back["seconds"] / bare_in, 1),
        "peak_mb": round(peak), "grown_mb": round(grown), "idle_mb": round(made["idle_mb"]),
        "target_mb": TARGET_MB,
    }  # fmt: skip


def fill(scope: Any, folder: Path) -> None:
    from crm_platform.kernel import tenancy
    from tests.benchmarks import company_data

    size = company_data.Size(
        accounts=ROWS // 20, contacts=ROWS * 2 // 5, deals=ROWS // 10, activities=ROWS * 9 // 20
    )
    with tenancy.unit_of_work(scope):
        company_data.Filler(size).fill()
    files = folder / "media" / str(scope.id)
    files.mkdir(parents=True)
    for number in range(100):
        (files / f"{number}.bin").write_bytes(os.urandom(50_000))


def tables_of(schema: str) -> list[str]:
    from tenants.backups import catalogue

    return [table.name for table in catalogue.tables(catalogue.owner(), schema)]


def bare_copies(scope: Any) -> tuple[float, float]:
    """Seconds of COPY alone, out of and into the tables, nothing done with the text."""
    from psycopg.sql import SQL, Identifier

    from tenants.backups import catalogue

    raw, out, into = catalogue.owner(), 0.0, 0.0
    for name in tables_of(scope.schema):
        source, target = Identifier(scope.schema, name), Identifier(scope.schema, "bench_copy")
        raw.execute(SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(target, source))
        with raw.cursor() as cursor:
            began = time.perf_counter()
            with cursor.copy(SQL("COPY {} TO STDOUT").format(source)) as copy:
                blocks = [bytes(block) for block in copy]
            out += time.perf_counter() - began
            began = time.perf_counter()
            with raw.transaction(), cursor.copy(SQL("COPY {} FROM STDIN").format(target)) as copy:
                for block in blocks:
                    copy.write(block)
            into += time.perf_counter() - began
        raw.execute(SQL("DROP TABLE {}").format(target))
    return out, into


def sums(schema: str) -> dict[str, tuple[int, str]]:
    """Rows and checksum of every table, computed by PostgreSQL, not by what is measured."""
    from psycopg.sql import SQL, Identifier

    from tenants.backups import catalogue

    found = {}
    for name in tables_of(schema):
        query = SQL("SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)), 0) FROM {} r")
        row = catalogue.owner().execute(query.format(Identifier(schema, name))).fetchone()
        found[name] = (row[0], str(row[1]))
    return found


def erase(scope: Any) -> None:
    """Schema, role and files of the company are gone; only the register's row stays."""
    from django.conf import settings

    from tenants import provisioning

    provisioning.remove_schema(scope.schema)
    shutil.rmtree(Path(settings.MEDIA_ROOT) / str(scope.id))


def in_child(what: str, argument: str) -> dict[str, Any]:
    """Do it in a process of its own, as a worker is one."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_backup", "child", what, argument],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"},
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def child(what: str, argument: str) -> None:
    """The measured part."""
    import django

    django.setup()
    from django.utils import timezone

    from tenants.backups import restoring, services

    idle, began = peak_mb(), time.perf_counter()
    if what == "back_up":
        made = services.back_up(company_id=uuid.UUID(argument), clock=timezone.now)
        told: dict[str, Any] = {
            "backup": str(made.pk), "rows": made.row_count, "files": made.file_count,
            "archive_mb": round(made.size_bytes / 1e6, 1),
        }  # fmt: skip
    else:
        run = restoring.restore(
            backup_id=uuid.UUID(argument), slug="bench-restored", clock=timezone.now
        )
        told = {"schema": run.schema_name, "is_equal": run.is_equal, "run": str(run.pk)}
    seconds = round(time.perf_counter() - began, 2)
    print(json.dumps({**told, "seconds": seconds, "peak_mb": peak_mb(), "idle_mb": idle}))  # noqa: T201


def peak_mb() -> float:
    """The most memory this process ever had in RAM."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def forgotten() -> Iterator[None]:
    """Leave nothing of the block's backups and restores behind."""
    try:
        yield
    finally:
        forget()


def forget() -> None:
    from crm_platform.kernel import tenancy
    from tenants import provisioning
    from tenants.backups.models import Backup, RestoreRun
    from tenants.models import Company, Domain

    with tenancy.unit_of_work(tenancy.PLATFORM):
        runs = RestoreRun.objects.filter(company__slug=SLUG)
        schemas = list(runs.values_list("schema_name", flat=True))
        runs.delete()
        Backup.objects.filter(company__slug=SLUG).delete()
        Domain.objects.filter(company__slug="bench-restored").delete()
        Company.objects.filter(slug="bench-restored").delete()
    for schema in schemas:
        provisioning.remove_schema(schema)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], sys.argv[3])
    else:
        main()
