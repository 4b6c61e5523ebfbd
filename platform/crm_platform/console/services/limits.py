"""Operators change what one company may ask for."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from crm_platform.console import rules
from crm_platform.console.services import audit
from crm_platform.identity.models import User
from tenants import limits, queries


@transaction.atomic
def set_limit(
    *, company_id: UUID, kind: str, value: int | None, reason: str, actor: User, at: dt.datetime
) -> None:  # fmt: skip
    """Give a company a limit of its own, or (None) take it back.

    Raises:
        NotAllowed: the actor is no platform operator.
        Invalid, NotFound: as `tenants.limits.set_limit`.
    """
    rules.demand(actor, "companies.limits")
    before, after = limits.set_limit(
        company_id=company_id, kind=kind, value=value, reason=reason, at=at
    )
    if before == after:
        return
    company = queries.get_company(company_id)
    audit.record(
        actor=actor, verb="company.limited", at=at, object_type="company", object_id=company_id,
        title=company.name if company else "", company_id=company_id, reason=reason.strip(),
        facts={kind: [before, after]},
    )  # fmt: skip
