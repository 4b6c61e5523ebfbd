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
    *, company_id: UUID, kind: str, value: int | None, reason: str, actor: User, at: dt.datetime,
    expires_on: dt.date | None = None,
) -> None:  # fmt: skip
    """Give a company a limit of its own, to the end of the day `expires_on` (UTC).

    Without a `value` it is taken back: what the plan or the settings say holds again.

    Raises:
        NotAllowed: the actor is no platform operator.
        Invalid, NotFound: as `tenants.limits.set_limit`.
    """
    rules.demand(actor, "companies.limits")
    ends = dt.datetime.combine(expires_on, dt.time.max, dt.UTC) if expires_on else None
    before, after = limits.set_limit(
        company_id=company_id, kind=kind, value=value, reason=reason, by=actor.name, at=at,
        expires_at=ends,
    )  # fmt: skip
    if before == after and ends is None:
        return
    company = queries.get_company(company_id)
    audit.record(
        actor=actor, verb="company.limited", at=at, object_type="company", object_id=company_id,
        title=company.name if company else "", company_id=company_id, reason=reason.strip(),
        facts={kind: [before, after], **({"until": expires_on.isoformat()} if expires_on else {})},
    )  # fmt: skip
