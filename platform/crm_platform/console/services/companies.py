"""What operators do to a company: each act is the register's own service and one entry."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.console import rules
from crm_platform.console import tasks as console_tasks
from crm_platform.console.models import CompanyNote
from crm_platform.console.services import audit
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid, NotFound
from crm_platform.kernel.models import differences
from crm_platform.kernel.tasks import later
from tenants import queries, services, tasks
from tenants.models import Company
from tenants.upgrades import choices


def _note(
    verb: str, company_id: UUID, *, actor: User, at: dt.datetime, reason: str = "",
    facts: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    company = queries.get_company(company_id)
    audit.record(
        actor=actor, verb=verb, at=at, object_type="company", object_id=company_id,
        title=company.name if company else "", company_id=company_id, reason=reason,
        facts=facts,
    )  # fmt: skip


@transaction.atomic
def suspend(*, company_id: UUID, reason: str, actor: User, at: dt.datetime) -> None:
    """Stop a company, with a reason.

    Raises:
        NotAllowed: the actor's role does not allow it.
        Conflict, Invalid, NotFound: as `tenants.services.suspend`.
    """
    rules.demand(actor, "companies.suspend")
    services.suspend(company_id=company_id, reason=reason)
    _note("company.suspended", company_id, actor=actor, at=at, reason=reason.strip())


@transaction.atomic
def resume(*, company_id: UUID, actor: User, at: dt.datetime) -> None:
    """Open a suspended company again.

    Raises:
        NotAllowed, Conflict, NotFound: as `suspend`.
    """
    rules.demand(actor, "companies.suspend")
    services.resume(company_id=company_id)
    _note("company.resumed", company_id, actor=actor, at=at)


@transaction.atomic
def retry(*, company_id: UUID, actor: User, at: dt.datetime) -> None:
    """Build a failed company once more.

    Raises:
        NotAllowed, Conflict, NotFound: as `tenants.services.retry`.
    """
    rules.demand(actor, "companies.retry")
    services.retry(company_id=company_id)
    later(tasks.build_company, company_id=str(company_id))
    _note("company.retried", company_id, actor=actor, at=at)


@transaction.atomic
def set_upgrade_plan(
    *, company_id: UUID, ring: str, window_from: int, window_to: int, actor: User,
    at: dt.datetime, is_fixed: bool = False, ends_wait: bool = False,
) -> None:  # fmt: skip
    """Say in which ring and between which hours, there, a company is upgraded.

    `is_fixed` takes the choice from its admins; `ends_wait` ends the wait they asked for. An
    upgrade that waits is planned anew.

    Raises:
        NotAllowed: the actor is no platform operator.
        Invalid: an unknown ring, or hours that are none (0-23).
        NotFound: there is no such company.
    """
    rules.demand(actor, "companies.upgrades")
    if ring not in Company.Ring.values:
        raise Invalid(_("Choose one of the rings."), field="ring")
    if not (0 <= window_from < 24 and 0 <= window_to < 24):
        raise Invalid(_("Give hours from 0 to 23."), field="window_from")
    before = queries.get_company(company_id)
    values: dict[str, Any] = {
        "ring": ring, "window_from": window_from, "window_to": window_to,
        "upgrades_fixed": is_fixed, **({"upgrade_after": None} if ends_wait else {}),
    }  # fmt: skip
    services.change_facts(company_id=company_id, **values)
    diff = differences(before, values) if before else {}
    if diff:
        choices.plan_anew(company_id=company_id, moves="ring" in diff, at=at)
        _note("company.upgrades_planned", company_id, actor=actor, at=at, facts=diff)


@transaction.atomic
def add_note(*, company_id: UUID, body: str, actor: User, at: dt.datetime) -> CompanyNote:
    """Leave a note on a company for the other operators.

    Raises:
        NotAllowed: the actor's role does not allow it.
        Invalid: an empty note.
        NotFound: there is no such company.
    """
    rules.demand(actor, "companies.note")
    if not body.strip():
        raise Invalid(_("Write something first."), field="body")
    if queries.get_company(company_id) is None:
        raise NotFound(_("There is no such company."))
    note = CompanyNote.objects.create(
        company_id=company_id, body=body.strip(), author_id=actor.pk, author_name=actor.name, at=at
    )
    _note("company.noted", company_id, actor=actor, at=at)
    return note


@transaction.atomic
def survey_now(*, company_id: UUID, actor: User) -> None:
    """Have one company looked into, without waiting for its turn.

    Raises:
        NotFound: there is no such company.
    """
    rules.demand(actor, "companies.view")
    if queries.get_company(company_id) is None:
        raise NotFound(_("There is no such company."))
    later(console_tasks.survey_company, company_id=str(company_id))
