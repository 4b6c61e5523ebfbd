"""Bringing companies back to the release before: one, or all of a wave."""

from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, NotFound
from tenants import queries as register
from tenants.upgrades import applying, queries, services
from tenants.upgrades.models import Release, SchemaRun, Wave

State, RunState = Release.State, SchemaRun.State


class Busy(Conflict):
    """Somebody in the company holds what is needed: a moment later it may go."""


def roll_back(*, run_id: int) -> SchemaRun:
    """Bring one company back to the release before, by the reverse of each step.

    Raises:
        NotFound: there is no such run.
        Conflict: the company is not at this release, or a step has no way back.
        Busy: people there are at work; nothing was changed.
    """
    lease = applying.take_lease()
    try:
        _roll_back(run_id, lease)
    finally:
        applying.give_lease_back(lease)
    register.forget_hosts()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run = SchemaRun.objects.select_related("company", "release").get(pk=run_id)
        current = services.locked(run.release.version)
        if current.state == State.DONE:
            services.halt_for_those_left(current)
        return run


def _roll_back(run_id: int, lease: int) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run = (
            SchemaRun.objects.select_for_update(of=("self",))
            .select_related("company", "release__previous")
            .filter(pk=run_id)
            .first()
        )
        if run is None:
            raise NotFound(_("There is no such run."))
        if run.state != RunState.DONE or run.company.release != run.release.version:
            raise Conflict(_("Only a company that was upgraded can be rolled back."))
        demand_way_back(run.release)
        run.state, run.lease = RunState.RUNNING, lease
        run.save(update_fields=["state", "lease"])
    try:
        applying.apply(services.task_of(run, lease=lease, back=True))
    except Exception as error:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            SchemaRun.objects.filter(pk=run_id).update(
                state=RunState.DONE, error=f"{type(error).__name__}: {error}"[:4000]
            )
        if isinstance(error, applying.Locked):
            raise Busy(_("The company is busy. Try again in a moment.")) from error
        raise


def demand_way_back(release: Release) -> None:
    """Refuse a release that cannot be undone.

    Raises:
        Conflict: it is the first, or a step has no way back.
    """
    if release.previous_id is None or any(step["back"] is None for step in release.steps):
        raise Conflict(_("This release has a step that cannot be undone."))


def begin_wave(*, wave_id: int, reason: str) -> list[int]:
    """Stop the release if it runs; the runs of the wave's upgraded companies, to be rolled back.

    Raises:
        NotFound: there is no such wave.
        Conflict: nobody of it was upgraded, or a step has no way back.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        wave = Wave.objects.select_related("release").filter(pk=wave_id).first()
        if wave is None:
            raise NotFound(_("There is no such wave."))
        demand_way_back(wave.release)
        upgraded = queries.upgraded_of(wave.release).filter(wave=wave)
        ids = list(upgraded.order_by("pk").values_list("pk", flat=True))
        if not ids:
            raise Conflict(_("No company of this wave was upgraded: there is nothing to undo."))
        release = services.locked(wave.release.version)
        if release.state == State.RUNNING:
            services.halt(release, reason)
        return ids


def roll_back_wave(*, wave_id: int, reason: str) -> tuple[int, list[str]]:
    """Roll back every upgraded company of a wave: how many were, and why others were not.

    Raises:
        NotFound, Conflict: as `begin_wave`.
    """
    ids, refused = begin_wave(wave_id=wave_id, reason=reason), []
    for run_id in ids:
        try:
            roll_back(run_id=run_id)
        except Conflict as refusal:
            refused.append(str(refusal))
    return len(ids) - len(refused), refused
