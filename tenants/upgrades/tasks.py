"""Background work of releases: the broker only rings; what is to do stands in the ledger."""

import datetime as dt
import time

from django.utils import timezone

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, NotFound
from crm_platform.kernel.tasks import platform_task, send
from tenants.upgrades import preflights, queries, rolling_back, running, spares
from tenants.upgrades.models import Release

TURN = dt.timedelta(minutes=4)
"""A worker's task gives up after so long and is rung again, so that deploys need not wait."""
MOST_TURNS, BUSY_SECONDS = 10, 5
"""How often a busy company is tried to be rolled back, a little later each time: 4 minutes."""


@platform_task(atomic_body=False)
def ring_for_upgrades() -> None:
    """Send as many workers as operators allow to the running release. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = Release.objects.filter(state=Release.State.RUNNING).first()
        parallel = queries.setting().parallel
    if release is not None:
        for _worker in range(parallel):
            send(upgrade_companies, tenancy.PLATFORM, version=release.version)


@platform_task(atomic_body=False)
def upgrade_companies(*, version: str) -> None:
    """Upgrade companies whose window is open, for a while. Safe beside others of its kind."""
    end = timezone.now() + TURN
    running.work(version=version, clock=timezone.now, until=lambda: end, rest=time.sleep)


@platform_task(atomic_body=False)
def roll_back_company(*, run_id: int, turn: int = 1) -> None:
    """Bring one company back to the release before. A second time finds nothing to do.

    Where people are at work it is tried again later; in the end the board shows it as not done.
    """
    try:
        rolling_back.roll_back(run_id=run_id)
    except rolling_back.Busy:
        if turn < MOST_TURNS:
            send(
                roll_back_company, tenancy.PLATFORM, in_seconds=BUSY_SECONDS * turn, run_id=run_id,
                turn=turn + 1,
            )  # fmt: skip
    except (Conflict, NotFound):
        return


@platform_task(atomic_body=False)
def refill_spares() -> None:
    """Keep the pool of finished schemas as full as operators want it. Idempotent."""
    spares.refill(at=timezone.now())


@platform_task(atomic_body=False)
def try_release(*, preflight_id: int) -> None:
    """Try a release on a copy of one company. A second time finds nothing to do."""
    preflights.run(preflight_id=preflight_id, clock=timezone.now)


@platform_task(atomic_body=False)
def sweep_preflights() -> None:
    """Drop what dead workers left, and ring for dry runs that nobody began. Idempotent."""
    preflights.tidy(at=timezone.now())
    for preflight_id in preflights.waiting_ids():
        send(try_release, tenancy.PLATFORM, preflight_id=preflight_id)
