"""Two persons for what cannot be taken back and for what many companies feel."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm_platform.console import acts, rules
from crm_platform.console.models import Approval
from crm_platform.console.services import audit, companies
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from tenants.erasure import acts as erasure
from tenants.models import Company

VALID = dt.timedelta(hours=24)
State = Approval.State
DONE_WORD, WHOLE = "done", "all"


def offer_acts() -> None:
    """What operators may do by two: called once, when the apps are loaded."""
    acts.offer(
        acts.Act(
            "suspend", gettext_lazy("Suspend"),
            gettext_lazy("Nobody of these companies can come in until they are opened again."),
            companies.suspend,
        )
    )  # fmt: skip
    acts.offer(
        acts.Act(
            "erase", gettext_lazy("Erase for good"),
            gettext_lazy("Everything in it is deleted, backups too. There is no way back."),
            erasure.begin_by_two, most=1, later=True,
        )
    )  # fmt: skip


def confirmation_of(companies_meant: Sequence[Company]) -> str:
    """What must be typed: the one company's address name, or how many there are."""
    if len(companies_meant) == 1:
        return companies_meant[0].slug
    return ngettext("%(count)d company", "%(count)d companies", len(companies_meant)) % {
        "count": len(companies_meant)
    }


def _note(row: Approval, verb: str, *, actor: User | None, at: dt.datetime) -> None:
    only = UUID(row.company_ids[0]) if len(row.company_ids) == 1 else None
    audit.record(
        actor=actor, verb=verb, at=at, object_type="approval", object_id=row.pk, title=row.act,
        company_id=only, reason=row.reason,
        facts={"companies": len(row.company_ids), "asked by": row.asked_by, **row.outcome},
    )  # fmt: skip


@transaction.atomic
def ask(
    *, act_key: str, company_ids: Sequence[UUID], reason: str, typed: str, actor: User,
    at: dt.datetime,
) -> Approval:  # fmt: skip
    """Ask for an act on companies; another platform operator has a day to agree.

    Raises:
        NotAllowed: the actor is no platform operator.
        Invalid: no reason, no or too many companies, an unknown act, or `typed` is not what
            `confirmation_of` says.
    """
    rules.demand(actor, "approvals.ask")
    act = acts.get_act(act_key)
    if act is None or act.is_whole:
        raise Invalid(_("Choose one of the acts offered."), field="act")
    meant = list(Company.objects.filter(pk__in=company_ids).order_by("pk"))
    if not meant or len(meant) != len(set(company_ids)):
        raise Invalid(_("Choose companies that are there."), field="companies")
    if len(meant) > act.most:
        raise Invalid(_("At most %(count)d companies at once.") % {"count": act.most})
    if not reason.strip():
        raise Invalid(_("Say why: the second person reads it."), field="reason")
    wanted = confirmation_of(meant)
    if typed.strip() != wanted:
        raise Invalid(_("Type “%(text)s” exactly.") % {"text": wanted}, field="typed")
    row = Approval.objects.create(
        act=act_key, company_ids=[str(each.pk) for each in meant], reason=reason.strip()[:300],
        asked_by_id=actor.pk, asked_by=actor.name, asked_at=at, expires_at=at + VALID,
    )  # fmt: skip
    _note(row, "approval.asked", actor=actor, at=at)
    return row


@transaction.atomic
def ask_whole(
    *, act_key: str, subject: int, title: str, company_ids: Sequence[UUID], reason: str,
    actor: User, at: dt.datetime,
) -> Approval:  # fmt: skip
    """Ask for an act on one row (`subject`); the service that calls it asked for the rights.

    `company_ids` are the companies that will feel it, `title` says what it is about.
    """
    row = Approval.objects.create(
        act=act_key, company_ids=[str(each) for each in company_ids], subject=subject,
        title=title[:200], reason=reason.strip()[:300], asked_by_id=actor.pk,
        asked_by=actor.name, asked_at=at, expires_at=at + VALID,
    )  # fmt: skip
    _note(row, "approval.asked", actor=actor, at=at)
    return row


def _locked_open(pk: int, at: dt.datetime) -> Approval:
    row = Approval.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        raise NotFound(_("There is no such request."))
    if row.state != State.ASKED:
        raise Conflict(_("This request was answered already. Reload the page."))
    if row.expires_at <= at:
        raise Conflict(_("Nobody agreed within a day. Ask again."))
    return row


@transaction.atomic
def agree(*, approval_id: int, actor: User, at: dt.datetime) -> Approval:
    """Agree, as the second person, and have it done to each company.

    A company that refuses (it is suspended already, say) stops no other; `outcome` tells each.

    Raises:
        NotAllowed: the actor is no platform operator, or asked for it.
        Conflict: answered already, or older than a day.
        NotFound: there is no such request.
    """
    rules.demand(actor, "approvals.decide")
    row = _locked_open(approval_id, at)
    if row.asked_by_id == actor.pk:
        raise NotAllowed(_("Two persons are needed: somebody else must agree."))
    act = acts.get_act(row.act)
    if act is None:
        raise Conflict(_("This act is no longer offered."))
    row.state, row.decided_by_id, row.decided_by, row.decided_at = (
        State.DONE, actor.pk, actor.name, at,
    )  # fmt: skip
    if act.is_whole:
        row.outcome = {WHOLE: _run_whole(act, row, actor, at)}
    elif act.later:
        transaction.on_commit(lambda: _run_later(row.pk, act, actor, at), robust=True)
    else:
        row.outcome = {key: _run(act, row, UUID(key), actor, at) for key in row.company_ids}
    row.save()
    _note(row, "approval.agreed", actor=actor, at=at)
    return row


def _run(act: acts.Act, row: Approval, company_id: UUID, actor: User, at: dt.datetime) -> str:
    try:
        with transaction.atomic():
            act.run(company_id=company_id, reason=row.reason, actor=actor, at=at)
    except DomainError as refusal:
        return str(refusal)
    return DONE_WORD


def _run_whole(act: acts.Act, row: Approval, actor: User, at: dt.datetime) -> str:
    try:
        with transaction.atomic():
            act.run(subject=row.subject, actor=actor, at=at)
    except DomainError as refusal:
        return str(refusal)
    return DONE_WORD


def _run_later(pk: int, act: acts.Act, actor: User, at: dt.datetime) -> None:
    """Run an act that opens units of its own, company by company; each outcome is kept at once."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = Approval.objects.get(pk=pk)
    for key in row.company_ids:
        try:
            act.run(
                company_id=UUID(key), reason=row.reason, asked_by=row.asked_by, actor=actor, at=at
            )
            said = DONE_WORD
        except DomainError as refusal:
            said = str(refusal)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            kept = Approval.objects.select_for_update().get(pk=pk)
            kept.outcome = {**kept.outcome, key: said}
            kept.save(update_fields=["outcome"])


@transaction.atomic
def refuse(*, approval_id: int, actor: User, at: dt.datetime) -> Approval:
    """Say no, or take one's own request back.

    Raises:
        NotAllowed, Conflict, NotFound: as `agree`.
    """
    rules.demand(actor, "approvals.decide")
    row = _locked_open(approval_id, at)
    row.state, row.decided_by_id, row.decided_by, row.decided_at = (
        State.REFUSED, actor.pk, actor.name, at,
    )  # fmt: skip
    row.save()
    _drop(row, at)
    _note(row, "approval.refused", actor=actor, at=at)
    return row


def _drop(row: Approval, at: dt.datetime) -> None:
    act = acts.get_act(row.act)
    if act is not None and act.drop is not None:
        act.drop(subject=row.subject, at=at)


@transaction.atomic
def expire(*, at: dt.datetime) -> int:
    """Close the requests nobody agreed to within a day; returns how many. Idempotent."""
    over = list(Approval.objects.select_for_update().filter(state=State.ASKED, expires_at__lte=at))
    for row in over:
        row.state, row.decided_at = State.EXPIRED, at
        row.save(update_fields=["state", "decided_at"])
        _drop(row, at)
        _note(row, "approval.expired", actor=None, at=at)
    return len(over)
