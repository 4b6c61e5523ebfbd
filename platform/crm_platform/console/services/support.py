"""The operators' side of support access: ask, follow the company's answer, come in, leave.

Two schemas are concerned, never in one transaction: each step is kept on one side first, then told
to the other once that is kept. What a crash leaves untold, `sweep` tells later.
"""

import datetime as dt
import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm_core.notify import services as notify
from crm_platform.console import rules
from crm_platform.console.models import SupportRequest
from crm_platform.console.services import audit
from crm_platform.identity import onetime
from crm_platform.identity.events import SupportChanged
from crm_platform.identity.models import User
from crm_platform.identity.services import support as companys
from crm_platform.kernel import events, tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tenants.queries import working_scope

logger = logging.getLogger("rapport.console")
MINUTES = (30, 60, 120, 240)
UNANSWERED = dt.timedelta(days=3)
"""A wish that nobody in the company answers ends by itself after so long."""
State = SupportRequest.State
OPEN = (State.ASKED, State.GRANTED)


def _note(row: SupportRequest, verb: str, *, actor: User | None, at: dt.datetime) -> None:
    audit.record(
        actor=actor, verb=verb, at=at, object_type="support", object_id=row.pk,
        title=row.company.name, company_id=row.company_id, reason=row.reason,
        facts={"minutes": row.minutes, "may_write": row.may_write, "company's": row.decided_by,
               "operator": row.operator_name},
    )  # fmt: skip


@transaction.atomic
def ask(
    *, company_id: UUID, reason: str, minutes: int, actor: User, at: dt.datetime
) -> SupportRequest:
    """Ask a company for a visit; its owners and admins read it in their inbox and answer.

    Raises:
        NotAllowed: the actor's role does not allow it.
        Invalid: no reason, or a time that is not offered (four hours at most).
        Conflict: the company does not work now, or the actor's last wish is still open there.
    """
    rules.demand(actor, "support.ask")
    if not reason.strip():
        raise Invalid(_("Say why: the company reads it before it answers."), field="reason")
    if minutes not in MINUTES:
        raise Invalid(_("Support access is for four hours at most."), field="minutes")
    if working_scope(company_id) is None:
        raise Conflict(_("The company does not work now. Open it first, then try again."))
    mine = SupportRequest.objects.filter(company_id=company_id, operator_id=actor.pk)
    if mine.filter(state__in=OPEN).exists():
        raise Conflict(_("You have an open request there already. End it before you ask again."))
    row = SupportRequest.objects.create(
        company_id=company_id, operator_id=actor.pk, operator_name=actor.name,
        reason=reason.strip()[:300], minutes=minutes, asked_at=at,
    )  # fmt: skip
    _note(row, "support.asked", actor=actor, at=at)
    transaction.on_commit(lambda: deliver(key=row.pk, at=at), robust=True)
    return row


def deliver(*, key: UUID, at: dt.datetime) -> None:
    """Tell the company of a wish. Opens its own units of work; idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = SupportRequest.objects.filter(pk=key, delivered_at=None, state=State.ASKED).first()
    scope = working_scope(row.company_id) if row else None
    if row is None or scope is None:
        return
    with tenancy.unit_of_work(scope):
        visit = companys.receive(
            key=row.pk, operator_id=row.operator_id, operator_name=row.operator_name,
            reason=row.reason, minutes=row.minutes, at=at,
        )  # fmt: skip
        if visit is not None:
            _tell_those_who_may_answer(visit.pk, row, at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        SupportRequest.objects.filter(pk=key).update(delivered_at=at)


def _tell_those_who_may_answer(visit_id: int, row: SupportRequest, at: dt.datetime) -> None:
    able = User.objects.filter(is_active=True, role__abilities__contains=[companys.ABILITY])
    for user_id in able.values_list("pk", flat=True):
        notify.tell(
            user_id=user_id, kind="support.asked", at=at, record_type="support",
            record_id=visit_id, facts={"title": f"{row.operator_name}: {row.reason}"[:200]},
        )  # fmt: skip


def follow(event: SupportChanged) -> None:
    """The company decided: keep it on this side, too, once it is kept there."""
    transaction.on_commit(lambda: mirror(event))


def mirror(event: SupportChanged) -> None:
    """Keep the company's word. Opens the platform's unit of work; idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = (
            SupportRequest.objects.select_for_update(of=("self",)).select_related("company")
            .filter(pk=event.key).first()
        )  # fmt: skip
        if row is None or row.state in (event.state, State.ENDED, State.REFUSED):
            return
        row.state, row.may_write, row.until = State(event.state), event.may_write, event.until
        if event.state == State.ENDED:
            row.ended_at = event.at
        else:
            row.decided_at, row.decided_by = event.at, event.by
        row.save()
        _note(row, f"support.{event.state}", actor=None, at=event.at)


def subscribe() -> None:
    events.subscribe(SupportChanged, follow, when=events.Moment.NOW)


def _locked_own(key: UUID, actor: User) -> SupportRequest:
    row = (
        SupportRequest.objects.select_for_update(of=("self",)).select_related("company")
        .filter(pk=key).first()
    )  # fmt: skip
    if row is None:
        raise NotFound(_("There is no such request."))
    if row.operator_id != actor.pk:
        raise NotAllowed(_("The company agreed to somebody else's visit. Ask for your own."))
    return row


@transaction.atomic
def open_door(*, key: UUID, actor: User, at: dt.datetime) -> str:
    """A one-time link into the company for the operator who asked, good for two minutes.

    Raises:
        NotAllowed: the company agreed to somebody else.
        Conflict: it has not agreed, or the visit is over.
        NotFound: there is no such request.
    """
    rules.demand(actor, "support.ask")
    row = _locked_own(key, actor)
    scope = working_scope(row.company_id)
    if row.state != State.GRANTED or row.until is None or row.until <= at or scope is None:
        raise Conflict(_("This visit is not open: the company has not agreed, or it is over."))
    secret, enter_hash = onetime.new_secret()
    _note(row, "support.entered", actor=actor, at=at)

    def open_there() -> None:
        with tenancy.unit_of_work(scope):
            companys.open_door(key=key, enter_hash=enter_hash, at=at)

    transaction.on_commit(open_there)
    path = reverse("identity:support_enter", urlconf=settings.TENANT_URLCONF, args=[secret])
    return f"{settings.ENVIRONMENT.address_of(scope.host)}{path}"


@transaction.atomic
def end(*, key: UUID, actor: User, at: dt.datetime) -> None:
    """Take a wish back, or end a visit; the asking operator's own or, for the platform, anybody's.

    Raises:
        NotAllowed: somebody else's, and the actor is no platform operator.
        Conflict: it is over already.
        NotFound: there is no such request.
    """
    rules.demand(actor, "support.ask")
    rows = SupportRequest.objects.select_for_update(of=("self",)).select_related("company")
    row = rows.filter(pk=key).first() if actor.role.key == rules.PLATFORM else None
    row = row or _locked_own(key, actor)
    if row.state not in OPEN:
        raise Conflict(_("This visit is over already."))
    _end(row, actor=actor, at=at)


def end_all_of(*, operator: User, actor: User, at: dt.datetime) -> int:
    """End every wish and visit of somebody who is no supporter any more; returns how many."""
    rows = list(
        SupportRequest.objects.select_for_update(of=("self",)).select_related("company")
        .filter(operator_id=operator.pk, state__in=OPEN)
    )  # fmt: skip
    for row in rows:
        _end(row, actor=actor, at=at)
    return len(rows)


def _end(row: SupportRequest, *, actor: User | None, at: dt.datetime) -> None:
    row.state, row.ended_at = State.ENDED, at
    row.save(update_fields=["state", "ended_at"])
    _note(row, "support.ended", actor=actor, at=at)
    company_id, key, by = row.company_id, row.pk, actor.name if actor else row.operator_name
    transaction.on_commit(lambda: end_there(company_id, key, by=by, at=at), robust=True)


def end_there(company_id: UUID, key: UUID, *, by: str, at: dt.datetime) -> None:
    """End the visit in the company. Opens its own unit of work; idempotent."""
    scope = working_scope(company_id)
    if scope is not None:
        with tenancy.unit_of_work(scope):
            companys.end_by_operator(key=key, by=by, at=at)


def sweep(*, at: dt.datetime) -> None:
    """Tell what was left untold, and end what time has ended. Opens its own units; idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = SupportRequest.objects.all()
        untold = list(rows.filter(state=State.ASKED, delivered_at=None))
        unanswered = list(rows.filter(state=State.ASKED, asked_at__lte=at - UNANSWERED))
        over = list(rows.filter(state=State.GRANTED, until__lte=at))
        lately = at - companys.LONGEST
        ended = list(rows.filter(state=State.ENDED, ended_at__gt=lately))
    for row in untold:
        _try(partial(deliver, key=row.pk, at=at), row)
    for row in unanswered:
        _end_unanswered(row, at=at)
    for row in over:
        _try(partial(_end_by_time, row, at=at), row)
    for row in ended:
        by = row.operator_name
        _try(partial(end_there, row.company_id, row.pk, by=by, at=at), row)


def _try(step: Callable[[], None], row: SupportRequest) -> None:
    """One company that cannot be reached now stops no other: its turn comes again."""
    try:
        step()
    except DatabaseError:
        logger.warning("Support request %s could not be swept", row.pk, exc_info=True)


def _end_unanswered(row: SupportRequest, *, at: dt.datetime) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        asked = SupportRequest.objects.select_for_update(of=("self",)).select_related("company")
        still = asked.filter(pk=row.pk, state=State.ASKED).first()
        if still is not None:
            _end(still, actor=None, at=at)


def _end_by_time(row: SupportRequest, *, at: dt.datetime) -> None:
    scope = working_scope(row.company_id)
    if scope is not None:
        with tenancy.unit_of_work(scope):
            companys.end_expired(at=at)
    mirror(SupportChanged(row.pk, State.ENDED.value, row.may_write, row.until, "", at))
