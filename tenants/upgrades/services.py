"""The only code that changes releases, waves and runs, apart from the worker's own steps."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants.upgrades import applying, planning, preflights, queries, words
from tenants.upgrades.models import Release, SchemaRun, Setting, Wave

State, RunState = Release.State, SchemaRun.State


# -- waves ---------------------------------------------------------------------------------------


def plan_release(*, version: str, at: dt.datetime) -> Release:
    """Put every lagging company into a wave, with the moment its window opens.

    Safe to repeat: runs that exist stay as they are.

    Raises:
        NotFound: there is no such release.
        Conflict: it is finished.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = locked(version)
        if release.state == State.DONE:
            raise Conflict(_("This release is finished."))
        _enrol(release, at=at)
        if release.state == State.BUILT:
            release.state = State.PLANNED
            release.save(update_fields=["state"])
        return release


def _enrol(release: Release, *, at: dt.datetime) -> None:
    """Runs for companies that lag behind and have none."""
    setting = queries.setting()
    waves: dict[str, Wave] = {
        ring: Wave.objects.get_or_create(
            release=release, position=position, defaults={"ring": ring}
        )[0]
        for position, ring in enumerate(planning.RINGS)
    }
    absent = queries.lagging(release).exclude(runs__release=release)
    found = planning.places(
        absent, at=at, early_percent=setting.early_percent,
        longest_wait=dt.timedelta(days=setting.longest_wait_days),
    )  # fmt: skip
    SchemaRun.objects.bulk_create(
        [
            SchemaRun(
                release=release, wave=waves[place.ring], company=place.company, planned_at=at,
                not_before=place.not_before,
            )
            for place in found
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    Wave.objects.filter(
        release=release, state=Wave.State.DONE, runs__state=RunState.WAITING
    ).update(state=Wave.State.RUNNING, finished_at=None)


def start(*, version: str, at: dt.datetime) -> Release:
    """Let the workers begin, or begin again after a stop.

    Raises:
        NotFound: there is no such release.
        Conflict: it is not planned, or finished.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = locked(version)
        if release.state not in (State.PLANNED, State.STOPPED, State.RUNNING):
            raise Conflict(_("Plan this release first."))
        _enrol(release, at=at)
        release.state, release.state_reason = State.RUNNING, ""
        release.save(update_fields=["state", "state_reason"])
        release.waves.filter(state=Wave.State.STOPPED).update(state=Wave.State.RUNNING)
    return release


def stop(*, version: str, reason: str) -> None:
    """Take no further company; those at work finish.

    Raises:
        NotFound: there is no such release.
        Conflict: it is not running.
        Invalid: no reason given.
    """
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the release."), field="reason")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = locked(version)
        if release.state != State.RUNNING:
            raise Conflict(_("This release is not running."))
        halt(release, reason.strip())


def halt(release: Release, reason: str) -> None:
    """Stop inside the running unit of work; the worker's own way when too many failed."""
    release.state, release.state_reason = State.STOPPED, reason[:500]
    release.save(update_fields=["state", "state_reason"])
    release.waves.filter(state=Wave.State.RUNNING).update(state=Wave.State.STOPPED)


def advance(*, version: str, at: dt.datetime) -> Wave | None:
    """The wave to work on now: the running one, or the next when that one is over.

    None when the release is not running, or was finished by this call. A failed company does not
    keep its wave from ending, but the release is finished only when none is left behind.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = locked(version)
        if release.state != State.RUNNING:
            return None
        for wave in release.waves.select_for_update().order_by("position"):
            if wave.state == Wave.State.DONE:
                continue
            open_runs = wave.runs.filter(
                state__in=(RunState.WAITING, RunState.RUNNING, RunState.DATA)
            )
            if open_runs.exists():
                if wave.state == Wave.State.WAITING:
                    wave.state, wave.started_at = Wave.State.RUNNING, at
                    wave.save(update_fields=["state", "started_at"])
                return wave
            wave.state, wave.finished_at = Wave.State.DONE, at
            wave.save(update_fields=["state", "finished_at"])
        _finish(release, at=at)
        return None


def _finish(release: Release, *, at: dt.datetime) -> None:
    _enrol(release, at=at)
    if release.waves.filter(state=Wave.State.RUNNING).exists():
        return
    if not halt_for_those_left(release):
        release.state = State.DONE
        release.save(update_fields=["state"])


def halt_for_those_left(release: Release) -> bool:
    """No release is over while a company of it stands elsewhere; whether one does."""
    left = release.runs.filter(state__in=(RunState.FAILED, RunState.HELD, RunState.BACK)).count()
    if left:
        halt(release, words.reason_left(left))
    return bool(left)


# -- single companies ----------------------------------------------------------------------------


def retry(*, run_id: int, at: dt.datetime) -> SchemaRun:
    """Try a failed, held or rolled-back company again, now, from where it stands.

    Raises:
        NotFound: there is no such run.
        Conflict: it is waiting, at work or done.
    """
    return _change_run(run_id, (RunState.FAILED, RunState.HELD, RunState.BACK), RunState.WAITING,
                       not_before=at, error="", lock_retries=0, lease=None)  # fmt: skip


def hold(*, run_id: int) -> SchemaRun:
    """Leave a company at its release until somebody retries it.

    Raises:
        NotFound: there is no such run.
        Conflict: it is at work or done.
    """
    return _change_run(run_id, (RunState.WAITING, RunState.FAILED), RunState.HELD)


def _change_run(run_id: int, sources: tuple[str, ...], to: str, **facts: Any) -> SchemaRun:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run = (
            SchemaRun.objects.select_for_update(of=("self",))
            .select_related("company", "release").filter(pk=run_id).first()
        )  # fmt: skip
        if run is None:
            raise NotFound(_("There is no such run."))
        if run.state not in sources:
            raise Conflict(_("The run is in another state now. Reload the page."))
        if to == RunState.WAITING and run.company.release == run.release.version:
            to = RunState.DATA  # its tables are new: only what follows was cut off
        for name, value in {"state": to, **facts}.items():
            setattr(run, name, value)
        run.save()
        if to in (RunState.WAITING, RunState.DATA):
            Wave.objects.filter(pk=run.wave_id, state=Wave.State.DONE).update(
                state=Wave.State.RUNNING, finished_at=None
            )
        return run


def forget_company(*, company_id: UUID) -> None:
    """Take a company that is erased out of the waves that wait for it, and drop its copies."""
    open_states = (RunState.WAITING, RunState.FAILED, RunState.HELD, RunState.BACK)
    SchemaRun.objects.filter(company_id=company_id, state__in=open_states).delete()
    preflights.forget_company(company_id=company_id)


def task_of(run: SchemaRun, *, lease: int, back: bool = False) -> applying.Task:
    """What the worker is to do; the run comes with its company and release."""
    release = run.release
    before = release.previous
    return applying.Task(
        run_id=run.pk, company_id=run.company_id, schema=run.company.schema_name, lease=lease,
        release=release.version, previous=before.version if before else "",
        steps=tuple(release.steps), back=back, tables=release.shape["tables"],
        fingerprint=release.shape["before" if back else "after"],
        within=release.shape.get("within", ""),
    )  # fmt: skip


# -- settings ------------------------------------------------------------------------------------


def change_setting(
    *, spares: int, parallel: int, early_percent: int, longest_wait_days: int
) -> Setting:
    """How many spare schemas are kept and how upgrades run.

    Raises:
        Invalid: a number is out of bounds.
    """
    bounds = {"spares": (spares, 0, 500), "parallel": (parallel, 1, 16),
              "early_percent": (early_percent, 0, 100),
              "longest_wait_days": (longest_wait_days, 0, 60)}  # fmt: skip
    for name, (value, least, most) in bounds.items():
        if not least <= value <= most:
            raise Invalid(
                _("Give a number from %(least)d to %(most)d.") % {"least": least, "most": most},
                field=name,
            )
    with tenancy.unit_of_work(tenancy.PLATFORM):
        setting, _made = Setting.objects.update_or_create(
            pk=1, defaults={name: value for name, (value, _l, _m) in bounds.items()}
        )
    return setting


def locked(version: str) -> Release:
    """A release that nobody else changes meanwhile.

    Raises:
        NotFound: there is none.
    """
    release = Release.objects.select_for_update(of=("self",)).filter(version=version).first()
    if release is None:
        raise NotFound(_("There is no such release."))
    return release
