"""How the company stands with us: its owners close it, open it again, and ask for help."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_platform.identity import attempts
from crm_platform.identity.granting import is_owner
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed
from tenants.lifecycle import changes, states
from tenants.lifecycle.states import Who
from tenants.models import Company

State = Company.State
LONGEST_MESSAGE = 2000


def may_close(user: User) -> bool:
    """Whether this person could close the company as it stands."""
    state = tenancy.current_company().state
    return is_owner(user) and states.may_move(state, State.CLOSED, Who.OWNER)


def may_reopen(user: User) -> bool:
    """Whether this person could take the closing back."""
    scope = tenancy.current_company()
    by_owner = scope.state == State.CLOSED and scope.state_reason == changes.BY_OWNER
    return is_owner(user) and by_owner


def _demand_owner(actor: User) -> None:
    if not is_owner(actor):
        raise NotAllowed(_("Only an owner of the company can do this. Ask one of them."))


def _name_of(actor: User) -> str:
    return f"{actor.name} <{actor.email}>"


@transaction.atomic
def close_company(*, name: str, actor: User, at: dt.datetime) -> None:
    """Close the company; the register follows on commit.

    Raises:
        NotAllowed: the actor is no owner.
        Invalid: `name` is not the company's name.
        Conflict: it is closed or stopped already.
    """
    _demand_owner(actor)
    scope = tenancy.current_company()
    if " ".join(name.split()) != scope.name:
        raise Invalid(_("Type the company's name exactly as it stands here."), field="name")
    if not may_close(actor):
        raise Conflict(_("The company is in another state now. Reload the page."))
    audit.record(actor=actor, verb="company.closed", at=at, on_type="company")
    who = _name_of(actor)
    transaction.on_commit(
        lambda: changes.close_by_owner(company_id=scope.id, actor=who, at=at), robust=True
    )


@transaction.atomic
def reopen_company(*, actor: User, at: dt.datetime) -> None:
    """Take the closing back; the register follows on commit.

    Raises:
        NotAllowed: the actor is no owner.
        Conflict: it is not closed, or our operators have to open it.
    """
    _demand_owner(actor)
    if not may_reopen(actor):
        raise Conflict(_("Only our operators can open this company again. Ask them."))
    scope = tenancy.current_company()
    audit.record(actor=actor, verb="company.reopened", at=at, on_type="company")
    who = _name_of(actor)
    transaction.on_commit(
        lambda: changes.reopen_by_owner(company_id=scope.id, actor=who, at=at), robust=True
    )


@transaction.atomic
def ask_operators(*, message: str, actor: User, at: dt.datetime) -> None:
    """Send an owner's words to the operators; they are kept with the company's events.

    Raises:
        NotAllowed: the actor is no owner.
        Invalid: nothing is said, or too much.
        TooMany: asked too often today.
    """
    _demand_owner(actor)
    message = message.strip()
    if not 0 < len(message) <= LONGEST_MESSAGE:
        raise Invalid(_("Say in 1 to 2,000 characters what you ask for."), field="message")
    attempts.count_one(attempts.ASK_OPERATORS, "company", at=at)
    scope, who = tenancy.current_company(), _name_of(actor)
    transaction.on_commit(
        lambda: changes.ask_operators(company_id=scope.id, actor=who, message=message, at=at),
        robust=True,
    )
