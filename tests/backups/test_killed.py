"""kill -9 at a random moment of a backup or a restore: the next attempt makes it whole."""

import datetime as dt
import os
import random
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from crm_platform.kernel import tenancy
from tenants import queries as register
from tenants.backups import dumping, restoring, services
from tenants.backups.models import Backup, RestoreRun
from tenants.backups.store import store
from tests.backups.figures import clock, schemas, sums
from tests.conftest import unique
from tests.locks import TO_BE_KILLED, wait_until_gone

ROOT = Path(__file__).resolve().parents[2]
RUNS = 6


@pytest.fixture
def maker(database, places):
    paths = [str(ROOT), str(ROOT / "platform"), os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("restorer.py")), str(places / "media"),
         str(places / "backups")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths),
             "DJANGO_SETTINGS_MODULE": "crm_platform.settings_test", **TO_BE_KILLED},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    process.stdin.close()
    process.wait(timeout=20)


def kill_after(maker, words, seconds):
    maker.stdin.write(f"{words}\n")
    maker.stdin.flush()
    child = int(maker.stdout.readline())
    select.select([maker.stdout], [], [], seconds)
    with suppress(ProcessLookupError):  # it was quicker
        os.kill(child, signal.SIGKILL)
    assert maker.stdout.readline() == "ended\n"


@pytest.mark.slow
def test_restore_killed_anywhere_shows_nothing_half_made_and_is_whole_next_time(
    kept_company, maker, say
):
    scope = kept_company()
    backup = services.back_up(company_id=scope.id, clock=clock)
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)  # noqa: S311
    before, cut = schemas(), 0
    for _ in range(RUNS):
        slug = f"copy-{unique()}"
        kill_after(maker, f"restore {backup.pk} {slug}", dice.uniform(0.0, 0.5))
        wait_until_gone()
        register.forget_hosts()
        with tenancy.unit_of_work(tenancy.PLATFORM):
            half = RestoreRun.objects.filter(slug=slug, state="running").first()
        assert half is None or register.scope_of_host(f"{slug}.testserver") is None
        cut += half is not None

        run = restoring.restore(backup_id=backup.pk, slug=slug, clock=clock)

        assert run.is_equal
        new = sums(run.schema_name)
        differing = {t for t, value in sums(scope.schema).items() if new[t] != value}
        assert differing <= {"exchange_importjob"}
        before.add(run.schema_name)
        assert schemas() == before
    say(f"restore killed {RUNS} times, {cut} of them in the middle: all whole, seed={seed}")


@pytest.mark.slow
def test_backup_killed_anywhere_is_made_by_the_next_worker(kept_company, maker, say):
    scope = kept_company()
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)  # noqa: S311
    cut = 0
    for _ in range(RUNS):
        backup = services.ask(company_id=scope.id, at=timezone.now())
        kill_after(maker, f"backup {backup.pk} -", dice.uniform(0.0, 0.1))
        wait_until_gone()
        with tenancy.unit_of_work(tenancy.PLATFORM):
            left = Backup.objects.get(pk=backup.pk)
        cut += left.state == "running"

        made = services.run(backup_id=backup.pk, clock=clock)

        assert made.state == "done"
        with store().reading(made.name) as stream:
            contents = dumping.read_back(stream, django_settings.BACKUP_KEYS)
        assert contents.row_count == made.row_count
    assert len(store().names(str(scope.id))) == RUNS
    services.forget_old(at=timezone.now() + services.DRAFTS_LIVE + dt.timedelta(minutes=1))
    folder = Path(django_settings.BACKUP_DIR) / str(scope.id)
    assert [path for path in folder.iterdir() if path.name.startswith(".")] == []
    say(f"backup killed {RUNS} times, {cut} of them in the middle: all whole, seed={seed}")
