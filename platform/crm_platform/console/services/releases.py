"""What operators do with releases.

Each act asks for the right, is done by `tenants.upgrades`, and is written to the audit in the same
transaction.
"""

import datetime as dt
import functools
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.console import rules
from crm_platform.console.services import audit
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, NotFound
from crm_platform.kernel.tasks import send
from tenants.upgrades import preflights, queries, tasks
from tenants.upgrades import services as upgrades
from tenants.upgrades.models import Release, SchemaRun, Setting


def _note(
    actor: User, verb: str, release: Release, at: dt.datetime, *, reason: str = "", **facts: Any
) -> None:
    audit.record(
        actor=actor, verb=verb, at=at, object_type="release", object_id=release.pk,
        title=release.version, facts=facts, reason=reason,
    )  # fmt: skip


def _demand_release(version: str) -> Release:
    release = queries.get_release(version)
    if release is None:
        raise NotFound(_("There is no such release."))
    return release


@transaction.atomic
def plan(*, version: str, actor: User, at: dt.datetime) -> Release:
    """Put every lagging company into a wave.

    Raises:
        NotAllowed, NotFound: the role does not allow it; there is no such release.
        Conflict: it is finished.
    """
    rules.demand(actor, "releases.run")
    release = upgrades.plan_release(version=version, at=at)
    _note(actor, "release.planned", release, at, companies=release.runs.count())
    return release


@transaction.atomic
def check(*, version: str, biggest: int, actor: User, at: dt.datetime) -> int:
    """Have the release tried on copies of the biggest companies that wait for it; how many.

    Raises:
        NotAllowed, NotFound: as `plan`.
        Conflict: it is finished, or nobody waits for it.
        Invalid: the number is out of bounds.
    """
    rules.demand(actor, "releases.run")
    asked = preflights.ask(version=version, at=at, biggest=biggest)
    for row in asked:
        transaction.on_commit(
            functools.partial(send, tasks.try_release, tenancy.PLATFORM, preflight_id=row.pk),
            robust=True,
        )
    _note(actor, "release.checked", asked[0].release, at, companies=len(asked))
    return len(asked)


@transaction.atomic
def start(*, version: str, actor: User, at: dt.datetime) -> Release:
    """Let the workers begin, or go on after a stop; they are rung once this is kept.

    Raises:
        NotAllowed, NotFound: as `plan`.
        Conflict: it is not planned, or finished.
    """
    rules.demand(actor, "releases.run")
    release = upgrades.start(version=version, at=at)
    transaction.on_commit(lambda: send(tasks.ring_for_upgrades, tenancy.PLATFORM), robust=True)
    _note(actor, "release.started", release, at)
    return release


@transaction.atomic
def stop(*, version: str, reason: str, actor: User, at: dt.datetime) -> None:
    """Take no further company.

    Raises:
        NotAllowed, NotFound: as `plan`.
        Conflict: it is not running.
        Invalid: no reason given.
    """
    rules.demand(actor, "releases.run")
    upgrades.stop(version=version, reason=reason)
    _note(actor, "release.stopped", _demand_release(version), at, reason=reason)


@transaction.atomic
def retry(*, run_id: int, actor: User, at: dt.datetime) -> SchemaRun:
    """Try a company again; a release that had stopped goes on with it.

    Raises:
        NotAllowed, NotFound: as `plan`.
        Conflict: the run is not failed, held or rolled back.
    """
    rules.demand(actor, "releases.run")
    run = upgrades.retry(run_id=run_id, at=at)
    _note_run(actor, "release.retried", run, at)
    return run


@transaction.atomic
def hold(*, run_id: int, actor: User, at: dt.datetime) -> SchemaRun:
    """Leave a company at its release.

    Raises:
        NotAllowed, NotFound: as `plan`.
        Conflict: it is at work or done.
    """
    rules.demand(actor, "releases.run")
    run = upgrades.hold(run_id=run_id)
    _note_run(actor, "release.held", run, at)
    return run


@transaction.atomic
def roll_back(*, run_id: int, actor: User, at: dt.datetime) -> SchemaRun:
    """Ask a worker to bring a company back to the release before.

    Raises:
        NotAllowed, NotFound: as `plan`.
        Conflict: it was not upgraded.
    """
    rules.demand(actor, "releases.run")
    run = SchemaRun.objects.select_related("release", "company").filter(pk=run_id).first()
    if run is None:
        raise NotFound(_("There is no such run."))
    if run.state != SchemaRun.State.DONE or run.company.release != run.release.version:
        raise Conflict(_("Only a company that was upgraded can be rolled back."))
    transaction.on_commit(
        lambda: send(tasks.roll_back_company, tenancy.PLATFORM, run_id=run_id), robust=True
    )
    _note_run(actor, "release.rolled_back", run, at)
    return run


@transaction.atomic
def change_setting(*, actor: User, at: dt.datetime, **numbers: int) -> Setting:
    """How many spares are kept and how upgrades run (see `upgrades.change_setting`).

    Raises:
        NotAllowed: the role does not allow it.
        Invalid: a number is out of bounds.
    """
    rules.demand(actor, "releases.run")
    setting = upgrades.change_setting(**numbers)
    audit.record(actor=actor, verb="release.set", at=at, object_type="release", facts=dict(numbers))
    return setting


def _note_run(actor: User, verb: str, run: SchemaRun, at: dt.datetime) -> None:
    audit.record(
        actor=actor, verb=verb, at=at, object_type="release", object_id=run.release_id,
        title=run.release.version, company_id=run.company_id,
    )  # fmt: skip
