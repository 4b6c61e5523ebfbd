"""What a company decides about its own upgrades, within the limits that operators set.

Each function opens a unit of work of the platform. Runs are locked before their company, in the
worker's order.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid
from crm_platform.kernel.models import apply_changes
from crm_platform.kernel.periods import local_date, start_of_day
from crm_platform.kernel.tasks import later
from crm_platform.ui.times import day_text
from tenants.lifecycle import changes
from tenants.models import Company
from tenants.upgrades import planning, queries, tasks
from tenants.upgrades.models import Release, SchemaRun, Wave

CHOSEN, HURRIED = "upgrades.chosen", "upgrades.hurried"
RunState = SchemaRun.State


def choose(
    *, company_id: UUID, goes_early: bool, window_from: int, window_to: int,
    wait_until: dt.date | None, actor: str, at: dt.datetime,
) -> dict[str, list[Any]]:  # fmt: skip
    """Say when a company is upgraded; an upgrade that waits is planned anew.

    Returns what changed as {field: [old, new]}, plain values.

    Hours are the company's own, 0 to 23; the same hour twice means any. `wait_until` is the first
    day, there, on which it may be upgraded. What operators made a canary stays one.

    Raises:
        NotFound: there is no such company.
        Conflict: operators decide for it, or it is a rehearsal, which has no hours.
        Invalid: hours that are none, a day gone by, or one beyond the longest wait.
    """
    for name, hour in (("window_from", window_from), ("window_to", window_to)):
        if not 0 <= hour < 24:
            raise Invalid(_("Give hours from 0 to 23."), field=name)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run, company = _locked(company_id)
        _demand_free(company)
        ring = Company.Ring.EARLY if goes_early else Company.Ring.REST
        values = {
            "ring": company.ring if company.ring == Company.Ring.CANARY else ring,
            "window_from": window_from, "window_to": window_to,
            "upgrade_after": _wait(company, run, wait_until, at),
        }  # fmt: skip
        found: dict[str, list[Any]] = apply_changes(company, values)
        if found:
            _plan_anew(company, run, at=at, moves="ring" in found)
            changes.note(company_id, CHOSEN, actor=actor, at=at, facts=found)
    return found


def hurry(*, company_id: UUID, actor: str, at: dt.datetime) -> SchemaRun:
    """Let the upgrade that waits for the company's hours or day begin now.

    Its turn comes before that of other companies, but after the canaries'.

    Raises:
        NotFound: there is no such company.
        Conflict: operators decide for it, nothing waits, or the release is stopped.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run, company = _locked(company_id)
        _demand_free(company)
        if run is None:
            raise Conflict(_("No update waits for your company. Reload the page."))
        if run.release.state == Release.State.STOPPED:
            raise Conflict(
                _("This update is on hold while our operators look into it. It goes on by itself.")
            )
        if company.upgrade_after:
            apply_changes(company, {"upgrade_after": None})
        _to_earliest_wave(run)
        run.not_before = at
        run.save(update_fields=["not_before", "wave"])
        facts = {"release": run.release.version}
        changes.note(company_id, HURRIED, actor=actor, at=at, facts=facts)
        later(tasks.ring_for_upgrades)
    return run


def plan_anew(*, company_id: UUID, moves: bool, at: dt.datetime) -> None:
    """Give a company's waiting upgrade its moment again, after operators changed something.

    `moves`: also the wave of its ring.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run, company = _locked(company_id)
        _plan_anew(company, run, at=at, moves=moves)


def last_day(company: Company, run: SchemaRun | None, *, days: int, at: dt.datetime) -> dt.date:
    """The latest day to which the company may put an upgrade off, by `days` at most.

    They count from when the upgrade that waits was planned, so that nobody puts it off for ever.
    """
    since = run.planned_at if run and run.planned_at else at
    return local_date(since + dt.timedelta(days=days), company.time_zone)


def _locked(company_id: UUID) -> tuple[SchemaRun | None, Company]:
    run = (
        SchemaRun.objects.select_for_update(of=("self",))
        .select_related("release", "wave")
        .filter(company_id=company_id, state=RunState.WAITING)
        .order_by("-pk")
        .first()
    )
    return run, changes.lock(company_id)


def _demand_free(company: Company) -> None:
    if company.upgrades_fixed:
        raise Conflict(_("Our operators have fixed when your company is updated. Ask them."))
    if company.live_id:
        raise Conflict(_("A rehearsal is updated first and has no hours of its own."))


def _wait(
    company: Company, run: SchemaRun | None, day: dt.date | None, at: dt.datetime
) -> dt.datetime | None:
    """The moment at which the wait for `day` ends.

    Raises:
        Invalid: it is no day to come, or beyond what operators allow.
    """
    if day is None:
        return None
    if day <= local_date(at, company.time_zone):
        raise Invalid(_("Choose a day in the future, or leave it empty."), field="wait_until")
    days = queries.setting().longest_wait_days
    last = last_day(company, run, days=days, at=at)
    if day > last:
        raise Invalid(
            ngettext(
                "An update can wait for %(count)d day at most, so until %(day)s."
                " Choose an earlier day, or ask our operators.",
                "An update can wait for %(count)d days at most, so until %(day)s."
                " Choose an earlier day, or ask our operators.",
                days,
            ) % {"count": days, "day": day_text(last)},
            field="wait_until",
        )  # fmt: skip
    return start_of_day(day, company.time_zone)


def _plan_anew(company: Company, run: SchemaRun | None, *, at: dt.datetime, moves: bool) -> None:
    if run is None:
        return
    wait = dt.timedelta(days=queries.setting().longest_wait_days)
    run.not_before = planning.opens_at(company, at=at, longest_wait=wait, since=run.planned_at)
    if moves and not company.live_id:
        _to_wave(run, company.ring)
    run.save(update_fields=["not_before", "wave"])


def _to_wave(run: SchemaRun, ring: str) -> None:
    """Move a waiting run to its ring's wave; one that is over takes nobody any more."""
    open_waves = run.release.waves.exclude(state=Wave.State.DONE)
    run.wave = open_waves.filter(ring=ring).first() or run.wave


def _to_earliest_wave(run: SchemaRun) -> None:
    """The first wave that is not over, but not the canaries': they try it out for all."""
    waves = run.release.waves.exclude(state=Wave.State.DONE).exclude(ring=Company.Ring.CANARY)
    earliest = waves.order_by("position").first()
    if earliest is not None and earliest.position < run.wave.position:
        run.wave = earliest
