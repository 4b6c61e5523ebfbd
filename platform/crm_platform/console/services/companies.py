"""What operators do to a company: each act is the register's own service and one entry."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from crm_platform.console import rules
from crm_platform.console.services import audit
from crm_platform.identity.models import User
from crm_platform.kernel.tasks import later
from tenants import queries, services, tasks


def _note(verb: str, company_id: UUID, *, actor: User, at: dt.datetime, reason: str = "") -> None:
    company = queries.get_company(company_id)
    audit.record(
        actor=actor, verb=verb, at=at, object_type="company", object_id=company_id,
        title=company.name if company else "", company_id=company_id, reason=reason,
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
