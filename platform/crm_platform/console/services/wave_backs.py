"""Rolling a whole wave back: one operator stops the release and asks, another agrees."""

import datetime as dt
import functools

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_platform.console import acts, rules
from crm_platform.console.models import Approval
from crm_platform.console.services import approvals, audit
from crm_platform.console.words import ring_word
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from crm_platform.kernel.tasks import send
from tenants.upgrades import rolling_back, tasks, words
from tenants.upgrades.models import Release, SchemaRun, Wave

ACT = "wave_back"


def offer_act() -> None:
    """Called once, when the apps are loaded."""
    acts.offer(
        acts.Act(
            ACT, gettext_lazy("Roll a wave back"),
            gettext_lazy("Their tables go back to the release before; what was entered into new"
                         " columns is lost."),
            _agree, is_whole=True,
        )
    )  # fmt: skip


def asked_for(release: Release) -> bool:
    """Whether somebody asked for one of its waves and nobody answered yet. One query."""
    asked = Approval.objects.filter(act=ACT, state=Approval.State.ASKED)
    return asked.filter(subject__in=release.waves.values("pk")).exists()


@transaction.atomic
def ask(*, version: str, ring: str, reason: str, actor: User, at: dt.datetime) -> Approval:
    """Stop the release, and ask for a wave to be rolled back; another operator has a day to agree.

    Raises:
        NotAllowed: the actor is no platform operator.
        NotFound: there is no such release or wave.
        Invalid: no reason given.
        Conflict: nobody of it was upgraded, a step has no way back, or it is asked for already.
    """
    rules.demand(actor, "releases.run")
    rules.demand(actor, "approvals.ask")
    wave = Wave.objects.select_related("release").filter(release__version=version, ring=ring)
    found = wave.select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound(_("There is no such wave."))
    if not reason.strip():
        raise Invalid(_("Say why: the second person reads it."), field="reason")
    if asked_for(found.release):
        raise Conflict(_("Somebody asked for this already: it waits for a second person."))
    ids = rolling_back.begin_wave(wave_id=found.pk, reason=reason.strip())
    companies = SchemaRun.objects.filter(pk__in=ids).order_by("pk")
    return approvals.ask_whole(
        act_key=ACT, subject=found.pk, title=f"{version}: {ring_word(ring)}",
        company_ids=list(companies.values_list("company_id", flat=True)), reason=reason,
        actor=actor, at=at,
    )  # fmt: skip


def _agree(*, subject: int, actor: User, at: dt.datetime) -> None:
    """Ring for each company of the wave that is upgraded now, others than when it was asked too."""
    for run_id in rolling_back.begin_wave(wave_id=subject, reason=words.BACK):
        transaction.on_commit(
            functools.partial(send, tasks.roll_back_company, tenancy.PLATFORM, run_id=run_id),
            robust=True,
        )
    wave = Wave.objects.select_related("release").get(pk=subject)
    audit.record(
        actor=actor, verb="release.wave_back", at=at, object_type="release",
        object_id=wave.release_id, title=wave.release.version, facts={"wave": wave.ring},
    )  # fmt: skip
