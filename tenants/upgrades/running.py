"""The worker: takes companies of the running wave one after the other until none is left.

Any number of workers may run at once, and any may die at any moment. A worker holds an advisory
lock for as long as it lives (`applying.take_lease`); a company whose worker is gone is taken again.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import DatabaseError, connection
from django.db.models import F, Q
from django.utils.module_loading import import_string

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from tenants import queries as register
from tenants.upgrades import applying, services, settling, words
from tenants.upgrades.models import Release, SchemaRun, Wave
from tenants.upgrades.rendering import Step

logger = logging.getLogger("rapport.upgrades")
State = SchemaRun.State

CLAIMED_AT_ONCE = 25
"""So many a turn; then the connection is made anew, for a DDL transaction walks the whole relation
cache of its backend when it ends."""
MOST_LOCK_RETRIES = 40
LOCK_RETRY = dt.timedelta(seconds=2)
ROWS_A_BATCH = 5_000
Clock = Callable[[], dt.datetime]
Rest = Callable[[float], None]


def no_rest(_seconds: float) -> None:
    """Go on at once."""


@dataclass(slots=True)
class Done:
    """What one worker did."""

    upgraded: int = 0
    failed: int = 0
    requeued: int = 0


def work(
    *, version: str, clock: Clock, until: Clock | None = None, any_hour: bool = False,
    rest: Rest = no_rest,
) -> Done:  # fmt: skip
    """Upgrade companies until the release is over, stopped, or nothing may be done now.

    `until` says when to give up (the worker is asked between two companies); `any_hour` disregards
    the companies' windows. `rest` waits as many seconds as a company took, before the next one: the
    people of the others have the machine for half of the time.
    """
    lease, done = applying.take_lease(), Done()
    try:
        while until is None or clock() < until():
            wave = services.advance(version=version, at=clock())
            if wave is None:
                break
            runs = _claim(wave, lease=lease, at=clock(), any_hour=any_hour)
            if not runs:
                break
            for run in runs:
                began = time.perf_counter()
                _upgrade(run, lease, done, clock)
                rest(time.perf_counter() - began)
            lease = _reconnected(lease)
    finally:
        applying.give_lease_back(lease)
        register.forget_hosts()
    return done


def _reconnected(lease: int) -> int:
    applying.give_lease_back(lease)
    owner_connection().close()
    return applying.take_lease()


def _claim(wave: Wave, *, lease: int, at: dt.datetime, any_hour: bool) -> list[SchemaRun]:
    """The next few companies of the wave: waiting ones, and those a dead worker had."""
    living = applying.living_leases()
    its_time = Q(not_before=None) | Q(not_before__lte=at)
    if any_hour:
        its_time |= Q(lock_retries=0)  # a window does not count, the wait of a busy company does
    due = (Q(state=State.WAITING) | Q(state=State.DATA, lease=None)) & its_time
    at_work = Q(state__in=(State.RUNNING, State.DATA), lease__isnull=False)
    orphaned = at_work & ~Q(lease__in=living)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        if not Release.objects.filter(pk=wave.release_id, state=Release.State.RUNNING).exists():
            return []
        found = list(
            wave.runs.select_for_update(skip_locked=True, of=("self",))
            .filter(due | orphaned)
            .select_related("company", "release__previous")
            .order_by("not_before", "pk")[:CLAIMED_AT_ONCE]
        )
        for run in found:
            run.lease = lease
            run.attempts += 1
            run.started_at = run.started_at or at
            if run.state != State.DATA:
                run.state = State.RUNNING
        fields = ["lease", "attempts", "started_at", "state"]
        SchemaRun.objects.bulk_update(found, fields)
        return found


def _upgrade(run: SchemaRun, lease: int, done: Done, clock: Clock) -> None:
    """One company, whatever becomes of it; its row says so afterwards."""
    try:
        task = services.task_of(run, lease=lease)
        if run.state == State.DATA or applying.apply(task):
            _follow(run, task, clock)
    except applying.LeaseLost:
        _give_up_lease(run, lease)
    except applying.Locked as error:
        done.requeued += 1
        _requeue(run, error, at=clock())
    except (psycopg.Error, DatabaseError, applying.Differs) as error:
        if _server_went(error):
            raise  # PostgreSQL went away: not the company's fault, and our lease went with it
        done.failed += 1
        _fail(run, error, at=clock())
    except Exception as error:
        done.failed += 1
        logger.exception("Company %s could not be upgraded", run.company_id)
        _fail(run, error, at=clock())
    else:
        done.upgraded += 1


SHUT_DOWN = (
    psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown, psycopg.errors.CannotConnectNow,
)  # fmt: skip


def _server_went(error: BaseException) -> bool:
    """Whether PostgreSQL ended a session of ours; it may say so before the socket closes.

    An operational error without a code never came from the server: the line was cut.
    """
    for each in (error, error.__cause__):
        is_cut = isinstance(each, psycopg.OperationalError) and each.sqlstate is None
        if is_cut or isinstance(each, SHUT_DOWN):
            return True
    return any(
        each.connection is None or each.connection.closed or each.connection.broken
        for each in (owner_connection(), connection)
    )


def _give_up_lease(run: SchemaRun, lease: int) -> None:
    """Nothing was done: let whoever comes next look again; a finished run stays finished."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        SchemaRun.objects.filter(pk=run.pk, lease=lease, state=State.RUNNING).update(
            state=State.FAILED, error="The company is not at the release this one comes from."
        )


def _follow(run: SchemaRun, task: applying.Task, clock: Clock) -> None:
    """What comes after the tables: indexes beside the work, rows in batches, constraints proven.

    In this order, so that rows are found quickly and are right before they are proven.
    """
    steps = [step for step in task.steps if step["data"]]
    applying.settle_indexes(task)
    _move_rows(run, register.scope_of(run.company), steps)
    applying.settle_constraints(task)
    checks = [*applying.CHECKS, *(step["data"] for step in steps)]
    if settling.constraints_of(task.steps):
        checks.append("constraints")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        SchemaRun.objects.filter(pk=run.pk).update(
            state=State.DONE, finished_at=clock(), checks=checks, error=""
        )


def _move_rows(run: SchemaRun, scope: tenancy.Scope, steps: list[Step]) -> None:
    """Large data steps, batch by batch, each in its own transaction; the cursor is kept between.

    A step is a function `(cursor, size) -> cursor or None` that may meet rows it moved before.
    """
    for step in steps:
        name = step["data"]
        function: Any = import_string(name)
        cursor = run.cursor.get(name)
        while cursor != "over":
            with tenancy.unit_of_work(scope):
                following = function(cursor, ROWS_A_BATCH)
            cursor = "over" if following is None else following
            run.cursor[name] = cursor
            with tenancy.unit_of_work(tenancy.PLATFORM):
                SchemaRun.objects.filter(pk=run.pk).update(cursor=run.cursor)


def _requeue(run: SchemaRun, error: Exception, *, at: dt.datetime) -> None:
    """The people there are busy: another time, a little later with each try."""
    if run.lock_retries >= MOST_LOCK_RETRIES:
        _fail(run, error, at=at)
        return
    wait = LOCK_RETRY * min(run.lock_retries + 1, 15)
    facts = {
        "not_before": at + wait, "lock_retries": F("lock_retries") + 1, "lease": None,
        "error": f"Locked: {error}"[:4000],
    }  # fmt: skip
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = SchemaRun.objects.filter(pk=run.pk)
        # One whose tables are new already goes on from there.
        if not rows.filter(state=State.DATA).update(**facts):
            rows.update(state=State.WAITING, **facts)


def _fail(run: SchemaRun, error: Exception, *, at: dt.datetime) -> None:
    """Note it, and stop the release when its wave has more failures than it may."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = Release.objects.select_for_update(of=("self",)).get(pk=run.release_id)
        SchemaRun.objects.filter(pk=run.pk).update(
            state=State.FAILED, finished_at=at, error=f"{type(error).__name__}: {error}"[:4000]
        )
        failed = SchemaRun.objects.filter(wave_id=run.wave_id, state=State.FAILED).count()
        if failed > release.most_failures and release.state == Release.State.RUNNING:
            services.halt(release, words.reason_failed(failed))
