"""The only code that moves a company from state to state; every move leaves an event."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from crm_platform.identity.services import letters, people
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from crm_platform.kernel.tasks import later
from tenants import queries
from tenants.lifecycle import states
from tenants.lifecycle.states import Who
from tenants.models import Company, CompanyEvent

State = Company.State
MOVED, PROLONGED, ASKED = "company.moved", "company.prolonged", "owner.asked"
BY_OWNER = "closed by its owner"
"""The reason of a company that its owner may open again by themselves."""


def lock(company_id: UUID) -> Company:
    """The company's row, locked until the platform's transaction ends.

    Raises:
        NotFound: there is none.
    """
    company = Company.objects.select_for_update().filter(pk=company_id).first()
    if company is None:
        raise NotFound(_("There is no such company."))
    return company


def note(
    company_id: UUID, verb: str, *, actor: str, at: dt.datetime, about: CompanyEvent | None = None,
    facts: Mapping[str, Any] | None = None,
) -> CompanyEvent:  # fmt: skip
    """Add one event to a company's history; in the platform's unit of work."""
    return CompanyEvent.objects.create(
        company_id=company_id,
        verb=verb,
        actor=actor[:250],
        at=at,
        about=about,
        facts=dict(facts or {}),
    )


def move(
    *, company_id: UUID, to: str, who: Who, actor: str, at: dt.datetime, reason: str = "",
    until: dt.datetime | None = None,
) -> Company:  # fmt: skip
    """Move a company to the state `to`, on behalf of `who`; `actor` says so in words.

    `until` (aware) is when the clock moves it on; None means the usual time of that state.

    Raises:
        NotFound: there is no such company.
        Conflict: there is no such move from the state it is in, or it is not theirs to make.
        Invalid: `until` is not after `at`.
    """
    if until is not None and until <= at:
        raise Invalid(_("Choose a day in the future."), field="until")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = lock(company_id)
        source, left = company.state, company.state_until
        if not states.may_move(source, to, who):
            raise Conflict(_("The company is in another state now. Reload the page."))
        end = until or states.end_of(to, source=source, who=who, at=at)
        enter(company, to, at=at, until=end, reason=reason)
        facts = {"from": source, "to": to, "who": str(who), "reason": company.state_reason,
                 "until": end.isoformat() if end else None,
                 "left": left.isoformat() if left else None}  # fmt: skip
        note(company_id, MOVED, actor=actor, at=at, facts=facts)
        ring()
    queries.forget_hosts()
    return company


def enter(
    company: Company, to: str, *, at: dt.datetime, until: dt.datetime | None, reason: str = ""
) -> None:
    """Write the state on a locked row."""
    company.state, company.state_reason = State(to), reason.strip()[:250]
    company.state_since, company.state_until = at, until
    company.save(update_fields=["state", "state_reason", "state_since", "state_until"])


def ring() -> None:
    """Have the owners told once the running transaction is kept; the clock finds it otherwise."""
    from tenants import tasks

    later(tasks.tell_owners)


def prolong(*, company_id: UUID, until: dt.datetime, actor: str, at: dt.datetime) -> Company:
    """Give a company more (or less) time in its state; the owners are warned anew.

    Raises:
        Conflict: its state does not end by itself.
        Invalid: `until` is not after `at`.
    """
    if until <= at:
        raise Invalid(_("Choose a day in the future."), field="until")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = lock(company_id)
        if company.state not in states.NEXT:
            raise Conflict(_("This state of the company has no end."))
        before = company.state_until.isoformat() if company.state_until else None
        company.state_until = until
        company.save(update_fields=["state_until"])
        facts = {"from": before, "to": until.isoformat(), "state": company.state}
        note(company_id, PROLONGED, actor=actor, at=at, facts=facts)
    queries.forget_hosts()
    return company


def history(company_id: UUID) -> list[CompanyEvent]:
    """What happened to a company, newest first; for the operators' timeline. One query."""
    return list(CompanyEvent.objects.filter(company_id=company_id).order_by("-at", "-pk")[:200])


def close_by_owner(*, company_id: UUID, actor: str, at: dt.datetime) -> Company:
    """An owner closes their company; until `state_until` they may take it back.

    Raises:
        Conflict: it is closed or stopped already.
    """
    return move(
        company_id=company_id, to=State.CLOSED, who=Who.OWNER, actor=actor, at=at, reason=BY_OWNER
    )


def reopen_by_owner(*, company_id: UUID, actor: str, at: dt.datetime) -> Company:
    """An owner takes the closing back: the company is as it was, with the time it had left.

    What ended while it was closed, the clock moves on after a warning.

    Raises:
        Conflict: it is not closed, or an owner did not close it.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = lock(company_id)
        if company.state != State.CLOSED or company.state_reason != BY_OWNER:
            raise Conflict(_("Only our operators can open this company again. Ask them."))
        closing = CompanyEvent.objects.filter(
            company_id=company_id, verb=MOVED, facts__to=State.CLOSED
        ).latest("at", "pk")
        to, left = State(closing.facts["from"]), closing.facts["left"]
        end = dt.datetime.fromisoformat(left) if left else None
        until = end if end and end > at else None
        moved = move(company_id=company_id, to=to, who=Who.OWNER, actor=actor, at=at, until=until)
        moved.state_until = end
        moved.save(update_fields=["state_until"])
    queries.forget_hosts()
    return moved


def ask_operators(*, company_id: UUID, actor: str, message: str, at: dt.datetime) -> None:
    """Keep what an owner asks of the operators, and write to each of them."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = lock(company_id)
        facts = {"message": message, "state": company.state}
        note(company_id, ASKED, actor=actor, at=at, facts=facts)
        for operator in people.everybody():
            with translation.override(operator.language):
                letters.post(
                    to=operator.email, at=at,
                    subject=_("%(house)s asks for help") % {"house": company.name},
                    paragraphs=[
                        _("%(who)s writes about %(house)s (%(state)s):")
                        % {"who": actor, "house": company.name, "state": company.state},
                        message,
                    ],
                )  # fmt: skip
