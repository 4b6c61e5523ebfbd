"""Deciding that a company ends: its time has run out, or two operators say so."""

import dataclasses
import datetime as dt
from uuid import UUID

from django.db import DatabaseError
from django.utils.translation import gettext as _

from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.identity.services import people
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tenants import queries
from tenants.lifecycle import changes, states
from tenants.models import Company, Erasure

REQUESTED, WITHDRAWN, BEGUN = "erasure.requested", "erasure.withdrawn", "erasure.begun"
GOOD_FOR = dt.timedelta(days=7)
ERASABLE = states.STANDING | {Company.State.DELETED, Company.State.FAILED}
State = Company.State
Rule = Erasure.Rule


def request(*, company_id: UUID, reason: str, actor: User, at: dt.datetime) -> Erasure:
    """One operator asks for a company to be erased; another has to confirm it within a week.

    Raises:
        NotAllowed: the actor is no operator.
        NotFound, Conflict: no such company, or its end is asked for already or has come.
        Invalid: no reason.
    """
    rules.demand_ability(actor, "console")
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the company."), field="reason")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = changes.lock(company_id)
        stale = Erasure.objects.filter(company_id=company_id, begun_at=None, withdrawn_at=None)
        stale.filter(requested_at__lte=at - GOOD_FOR).update(withdrawn_at=at)
        if company.state not in ERASABLE or stale.filter(withdrawn_at=None).exists():
            raise Conflict(_("The end of this company is decided or asked for already."))
        made = Erasure.objects.create(
            company_id=company_id, rule=Rule.OPERATORS, reason=reason.strip()[:250],
            requested_by=actor.email, requested_at=at,
        )  # fmt: skip
        facts = {"reason": made.reason}
        changes.note(company_id, REQUESTED, actor=actor.email, at=at, facts=facts)
        return made


def withdraw(*, erasure_id: int, actor: User, at: dt.datetime) -> None:
    """Take a request back that nobody has confirmed.

    Raises:
        NotAllowed: the actor is no operator.
        Conflict: it is confirmed, or withdrawn already.
    """
    rules.demand_ability(actor, "console")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = _waiting(erasure_id)
        row.withdrawn_at = at
        row.save(update_fields=["withdrawn_at"])
        changes.note(row.company_id, WITHDRAWN, actor=actor.email, at=at)


def _waiting(erasure_id: int) -> Erasure:
    row = Erasure.objects.select_for_update().filter(pk=erasure_id).first()
    if row is None:
        raise NotFound(_("There is no such request."))
    if row.begun_at is not None or row.withdrawn_at is not None:
        raise Conflict(_("This request is confirmed or withdrawn already."))
    return row


def confirm(
    *, erasure_id: int, name: str, schema: str, actor: User, at: dt.datetime
) -> Erasure:  # fmt: skip
    """A second operator confirms by typing both names: from now on the company is gone.

    Raises:
        NotAllowed: the actor is no operator, or the one who asked.
        NotFound, Conflict: no such request, or it is too old, confirmed or withdrawn.
        Invalid: the names typed are not this company's.
    """
    rules.demand_ability(actor, "console")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company_id = _waiting(erasure_id).company_id
    owners = owners_left(company_id)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = changes.lock(company_id)
        row = _waiting(erasure_id)
        if row.requested_by.casefold() == actor.email.casefold():
            raise NotAllowed(_("Somebody else has to confirm what you asked for."))
        if at - row.requested_at >= GOOD_FOR:
            raise Conflict(_("This request is older than a week. Ask anew."))
        if (name, schema) != (company.name, company.schema_name):
            raise Invalid(_("The name or the schema typed is not this company's."), field="name")
        row.confirmed_by = actor.email
        _begin(row, company, owners, at)
    queries.forget_hosts()
    return row


def begin_by_two(
    *, company_id: UUID, reason: str, asked_by: str, actor: User, at: dt.datetime
) -> Erasure:  # fmt: skip
    """Begin the end that one operator asked for and `actor`, another one, has agreed to.

    Raises:
        NotAllowed: the actor is no operator.
        NotFound, Conflict: no such company, or its end has come already.
    """
    rules.demand_ability(actor, "console")
    owners = owners_left(company_id)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = changes.lock(company_id)
        if company.state not in ERASABLE:
            raise Conflict(_("The end of this company is decided or asked for already."))
        open_ones = Erasure.objects.filter(company_id=company_id, begun_at=None, withdrawn_at=None)
        open_ones.update(withdrawn_at=at)
        row = Erasure(
            company_id=company_id, rule=Rule.OPERATORS, reason=reason[:250], requested_by=asked_by,
            requested_at=at, confirmed_by=actor.email,
        )  # fmt: skip
        _begin(row, company, owners, at)
    queries.forget_hosts()
    return row


def begin_by_retention(*, company_id: UUID, at: dt.datetime) -> bool:
    """Begin the end of a closed company whose retention is over; says whether it did."""
    owners = owners_left(company_id)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = changes.lock(company_id)
        is_over = company.state_until is not None and company.state_until <= at
        if company.state != State.CLOSED or not is_over:
            return False
        Erasure.objects.filter(
            company_id=company_id, begun_at=None, withdrawn_at=None
        ).update(withdrawn_at=at)  # fmt: skip
        row = Erasure(company_id=company_id, rule=Rule.RETENTION, requested_at=at)
        _begin(row, company, owners, at)
    queries.forget_hosts()
    return True


def _begin(row: Erasure, company: Company, owners: list[people.Owner], at: dt.datetime) -> None:
    """From here there is no way back: the hosts are unknown, the rest is done by `running`."""
    row.begun_at = at
    row.facts = {"from": company.state, "owners": [dataclasses.asdict(owner) for owner in owners]}
    row.save()
    changes.enter(company, State.ERASED, at=at, until=None, reason=row.reason)
    facts = {"rule": row.rule, "requested_by": row.requested_by, "confirmed_by": row.confirmed_by}
    changes.note(company.pk, BEGUN, actor=row.confirmed_by or "clock", at=at, facts=facts)
    for copy in Company.objects.filter(live_id=company.pk).exclude(state=State.ERASED):
        _begin(
            Erasure(
                company_id=copy.pk, rule=row.rule, reason=row.reason, requested_at=at,
                requested_by=row.requested_by, confirmed_by=row.confirmed_by,
            ),
            copy, [], at,
        )  # fmt: skip


def owners_left(company_id: UUID) -> list[people.Owner]:
    """Whom to tell of the end; nobody when the schema is broken or absent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = queries.get_company(company_id)
    if company is None:
        return []
    scope = dataclasses.replace(queries.scope_of(company), writable=False)
    try:
        with tenancy.unit_of_work(scope):
            return people.owners()
    except DatabaseError:
        return []
