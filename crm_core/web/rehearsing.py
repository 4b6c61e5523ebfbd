"""What people do with their company's rehearsal; all but choosing is done by a worker.

The worker speaks as the owner of all schemas, which pages never do. It leaves its findings in the
company's own row; bringing changes over then happens in the company alone.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.leaving.parts import configuration_models
from crm_core.web import promoting, samples
from crm_core.web.events import RehearsalWaits
from crm_core.web.models import Rehearsal
from crm_platform.identity.models import User
from crm_platform.identity.rules import demand_ability
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, DomainError, NotFound
from crm_platform.kernel.events import publish
from tenants import rehearsal
from tenants.rehearsal import Difference

Clock = Callable[[], dt.datetime]
State, Act = Rehearsal.State, Rehearsal.Act
PATIENCE = dt.timedelta(minutes=2)
"""After so long somebody may ask again: the worker died."""


def tables() -> list[str]:
    """The tables of what makes a company work the way it does."""
    return [model._meta.db_table for model in configuration_models()]


def fill(actor: User, at: dt.datetime) -> None:
    """Made-up customers, deals and tasks."""
    with translation.override(actor.language):
        samples.load_samples(actor=actor, at=at)


def current() -> Rehearsal | None:
    return Rehearsal.objects.select_related("actor").order_by("pk").first()


@transaction.atomic
def ask(*, act: str, actor: User, at: dt.datetime) -> Rehearsal:
    """Ask for the rehearsal to be made, reset, compared or removed.

    Raises:
        NotAllowed: the role does not change the company's settings.
        Conflict: this is a rehearsal itself, something is being done, or there is none yet.
    """
    demand_ability(actor, "company.settings")
    if tenancy.current_company().is_rehearsal:
        raise Conflict(_("This is a rehearsal itself. Ask for one of the live company."))
    row = Rehearsal.objects.select_for_update().order_by("pk").first()
    if row is None:
        row = Rehearsal(state=State.GONE)
    if row.state == State.WAITING and row.asked_at > at - PATIENCE:
        raise Conflict(_("The rehearsal is being worked on. Wait a moment."))
    if act in (Act.COMPARE, Act.REMOVE) and not row.host:
        raise Conflict(_("There is no rehearsal yet. Make one first."))
    row.state, row.act, row.actor, row.asked_at, row.error = State.WAITING, act, actor, at, ""
    row.save()
    audit.record(
        actor=actor, verb="rehearsal.asked", at=at, on_type="rehearsal",
        changes={"act": [None, act]},
    )  # fmt: skip
    publish(RehearsalWaits(row.pk))
    return row


def work(*, rehearsal_id: int, clock: Clock) -> None:
    """Do what was asked and keep what came of it. Idempotent.

    Called outside a transaction, with the company chosen.
    """
    scope = tenancy.current_company()
    with tenancy.unit_of_work(scope):
        row = Rehearsal.objects.select_related("actor").filter(pk=rehearsal_id).first()
    if row is None or row.state != State.WAITING or row.actor is None:
        return
    try:
        with translation.override(row.actor.language):
            facts = _done(row, scope, row.actor, clock())
    except DomainError as refusal:
        facts = {"error": str(refusal)[:300]}
    host = facts.get("host", row.host)
    with tenancy.unit_of_work(scope):
        Rehearsal.objects.filter(pk=row.pk, state=State.WAITING).update(
            state=State.READY if host else State.GONE, **facts
        )


def _done(row: Rehearsal, scope: tenancy.Scope, actor: User, at: dt.datetime) -> dict[str, Any]:
    """Do it; what is to be kept of it."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        standing = rehearsal.rehearsals_of(scope.id).first()
    if row.act in (Act.MAKE, Act.RESET):
        act = rehearsal.make if row.act == Act.MAKE else rehearsal.reset
        made = act(live_id=scope.id, owner_email=actor.email, tables=tables(), fill=fill, at=at)
        host = f"{made.slug}.{settings.BASE_DOMAIN}"
        return {"host": host, "differences": [], "compared_at": None}
    if row.act == Act.REMOVE:
        if standing:
            rehearsal.remove(company_id=standing.pk, at=at)
        return {"host": "", "differences": [], "compared_at": None}
    if standing is None:
        return {"host": "", "differences": [], "compared_at": None}
    found = rehearsal.differences(company_id=standing.pk, tables=tables())
    return {"differences": [asdict(each) for each in found], "compared_at": at}


def differences_of(row: Rehearsal) -> list[Difference]:
    """What the last comparison found."""
    return [Difference(**each) for each in row.differences]


@transaction.atomic
def promote(*, keys: Iterable[str], actor: User, at: dt.datetime) -> int:
    """Bring the chosen differences of the last comparison over; says how many.

    Raises:
        NotFound: there is no rehearsal.
        Invalid, Conflict, NotAllowed: as `promoting.promote`.
    """
    row = _locked()
    wanted = set(keys)
    chosen = [each for each in differences_of(row) if each.key in wanted]
    row.batch = promoting.promote(chosen=chosen, actor=actor, at=at)
    row.differences = [asdict(each) for each in differences_of(row) if each.key not in wanted]
    row.save(update_fields=["batch", "differences"])
    return len(chosen)


@transaction.atomic
def take_back(*, actor: User, at: dt.datetime) -> int:
    """Undo the last act of bringing over.

    Raises:
        NotFound: nothing was brought over.
        Conflict, NotAllowed: as `promoting.take_back`.
    """
    row = _locked()
    if row.batch is None:
        raise NotFound(_("Nothing was brought over."))
    count = promoting.take_back(batch=row.batch, actor=actor, at=at)
    row.batch = None
    row.save(update_fields=["batch"])
    return count


def _locked() -> Rehearsal:
    row = Rehearsal.objects.select_for_update().order_by("pk").first()
    if row is None:
        raise NotFound(_("There is no rehearsal yet. Make one first."))
    return row
