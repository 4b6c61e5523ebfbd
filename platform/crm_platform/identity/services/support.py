"""A company's side of support access: asked, granted or refused, entered, ended. Never a password.

The visitor is a marked person with a role of its own, a session that ends by itself, and no way in
but a one-time link that the operators' side hands out while the company's word stands.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.identity import history, onetime
from crm_platform.identity.client import Client
from crm_platform.identity.events import SupportChanged
from crm_platform.identity.models import Role, Session, SupportVisit, User
from crm_platform.identity.roles import SUPPORT_ROLES
from crm_platform.identity.rules import demand_ability
from crm_platform.identity.services import roles, sessions
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from crm_platform.kernel.events import publish

LONGEST = dt.timedelta(hours=4)
LINK_VALID = dt.timedelta(minutes=2)
ABILITY = "company.settings"
State = SupportVisit.State


@transaction.atomic
def receive(
    *, key: UUID, operator_id: int, operator_name: str, reason: str, minutes: int, at: dt.datetime
) -> SupportVisit | None:
    """Keep an operator's wish until the company answers; None where it is known. Idempotent.

    Raises:
        Invalid: longer than four hours, or not at all.
    """
    if not 0 < minutes <= LONGEST.total_seconds() / 60:
        raise Invalid(_("Support access is for four hours at most."), field="minutes")
    visit, is_new = SupportVisit.objects.get_or_create(
        key=key,
        defaults={"operator_id": operator_id, "operator_name": operator_name, "reason": reason,
                  "minutes": minutes, "asked_at": at},
    )  # fmt: skip
    if not is_new:
        return None
    history.note("support.asked", visit, actor=None, at=at, changes={"reason": [None, reason]})
    return visit


def _locked(pk: int) -> SupportVisit:
    visit = SupportVisit.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if visit is None:
        raise NotFound(_("There is no such request."))
    return visit


def _decide(visit: SupportVisit, state: State, *, actor: User, at: dt.datetime) -> None:
    if visit.state != State.ASKED:
        raise Conflict(_("This request was answered already. Reload the page."))
    visit.state, visit.decided_by, visit.decided_at = state, actor, at
    visit.save()
    changes: dict[str, list[Any]] = {"state": [State.ASKED.value, state.value]}
    if state == State.GRANTED:
        changes["may_write"] = [None, visit.may_write]
    verb = f"support.{state.value}"
    history.note(verb, visit, actor=actor, at=at, changes=changes, is_config=True)
    _tell(visit, by=actor.name, at=at)


def _tell(visit: SupportVisit, *, by: str, at: dt.datetime) -> None:
    publish(SupportChanged(visit.key, visit.state, visit.may_write, visit.until, by, at))


@transaction.atomic
def grant(*, visit_id: int, may_write: bool, actor: User, at: dt.datetime) -> SupportVisit:
    """Let the operator in, from now for the time asked for; to look only, unless `may_write`.

    Raises:
        NotAllowed: the actor may not change the company's settings.
        Conflict: it was answered already.
        NotFound: there is no such request.
    """
    demand_ability(actor, ABILITY)
    visit = _locked(visit_id)
    visit.may_write = may_write
    visit.until = at + dt.timedelta(minutes=visit.minutes)
    _decide(visit, State.GRANTED, actor=actor, at=at)
    return visit


@transaction.atomic
def refuse(*, visit_id: int, actor: User, at: dt.datetime) -> SupportVisit:
    """Say no. Raises as `grant`."""
    demand_ability(actor, ABILITY)
    visit = _locked(visit_id)
    _decide(visit, State.REFUSED, actor=actor, at=at)
    return visit


@transaction.atomic
def end(*, visit_id: int, actor: User, at: dt.datetime) -> SupportVisit:
    """End a granted visit at once; the visitor's next click finds nothing.

    Raises:
        NotAllowed: neither the visitor nor somebody who may change the company's settings.
        Conflict: it is not going on.
        NotFound: there is no such visit.
    """
    if not actor.is_support:
        demand_ability(actor, ABILITY)
    visit = _locked(visit_id)
    if actor.is_support and visit.user_id != actor.pk:
        raise NotFound(_("There is no such request."))
    if visit.state != State.GRANTED:
        raise Conflict(_("This visit is over already."))
    _end(visit, actor=actor, by=actor.name, at=at)
    return visit


@transaction.atomic
def end_by_operator(*, key: UUID, by: str, at: dt.datetime) -> None:
    """The operators' side takes its wish back, or leaves. Idempotent."""
    visit = SupportVisit.objects.select_for_update(of=("self",)).filter(key=key).first()
    if visit is not None and visit.state in (State.ASKED, State.GRANTED):
        _end(visit, actor=visit.user, by=by, at=at)


@transaction.atomic
def end_expired(*, at: dt.datetime) -> int:
    """End the visits whose time is over; returns how many. Idempotent."""
    over = SupportVisit.objects.select_for_update(of=("self",)).filter(
        state=State.GRANTED, until__lte=at
    )
    found = list(over)
    for visit in found:
        _end(visit, actor=None, by="", at=at)
    return len(found)


def _end(visit: SupportVisit, *, actor: User | None, by: str, at: dt.datetime) -> None:
    before = visit.state
    visit.state, visit.ended_at, visit.enter_hash = State.ENDED, at, ""
    visit.save(update_fields=["state", "ended_at", "enter_hash"])
    if visit.user_id:
        Session.objects.filter(user_id=visit.user_id).delete()
        User.objects.filter(pk=visit.user_id).update(is_active=False, deactivated_at=at)
    changes = {"state": [before, State.ENDED.value]}
    history.note("support.ended", visit, actor=actor, at=at, changes=changes, is_config=True)
    _tell(visit, by=by, at=at)


@transaction.atomic
def open_door(*, key: UUID, enter_hash: str, at: dt.datetime) -> bool:
    """Accept a one-time link for two minutes; says whether the visit is going on."""
    rows = SupportVisit.objects.filter(key=key, state=State.GRANTED, until__gt=at)
    return bool(rows.update(enter_hash=enter_hash, enter_until=at + LINK_VALID))


@transaction.atomic
def enter(*, token: str, client: Client, at: dt.datetime) -> tuple[Session, str]:
    """Come in by the one-time link; returns the session, which ends with the visit, and its secret.

    Raises:
        Invalid: unknown, used or too old, or the visit is over.
    """
    visit = (
        SupportVisit.objects.select_for_update(of=("self",))
        .filter(
            enter_hash=onetime.hash_of(token), enter_until__gt=at, state=State.GRANTED,
            until__gt=at,
        ).first()
    )  # fmt: skip
    if visit is None or visit.until is None:
        raise Invalid(_("This link was used already or is too old. Open the visit again."))
    visit.enter_hash = ""
    if visit.user_id is None:
        visit.user = _visitor(visit, at)
    visit.save(update_fields=["enter_hash", "user"])
    assert visit.user is not None
    session, secret = sessions.begin_session(user=visit.user, client=client, at=at)
    Session.objects.filter(pk=session.pk).update(expires_at=visit.until)
    history.note("support.entered", visit, actor=visit.user, at=at, is_config=True)
    return session, secret


def _visitor(visit: SupportVisit, at: dt.datetime) -> User:
    """The marked person of a visit: no password opens it, no list of colleagues shows it."""
    roles.seed_roles(SUPPORT_ROLES)
    key = SUPPORT_ROLES[1 if visit.may_write else 0].key
    return User.objects.create(
        name=visit.name, email=f"support-{visit.key.hex}@rapport.invalid",
        password=make_password(None),
        role=Role.objects.get(key=key), is_support=True, created_at=at, preferences={},
        title=visit.reason[:120],
    )  # fmt: skip
