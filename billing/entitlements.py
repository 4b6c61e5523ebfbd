"""What a plan allows a company: told to the register, where every process reads it with the host.

An operator's own word for a company goes before it (`tenants.queries.scope_of`); where neither
says anything, the settings hold. Everything runs in the platform's open unit of work.
"""

from collections.abc import Mapping
from uuid import UUID

from billing.models import Subscription
from crm_platform.kernel.limits import Limit
from tenants import limits
from tenants.models import Company

KNOWN = frozenset(each.value for each in Limit)


def of_plan(company_id: UUID) -> dict[str, int]:
    """What the version it rents allows; nothing where it rents nothing. One query."""
    found: Mapping[str, int] | None = (
        Subscription.objects.filter(account__company_id=company_id, ended_at=None)
        .values_list("price__version__entitlements", flat=True).first()
    )  # fmt: skip
    return {kind: value for kind, value in (found or {}).items() if kind in KNOWN}


def tell(company_id: UUID) -> bool:
    """Keep with the company what its plan allows now; whether that is something new. Idempotent."""
    return limits.keep_plan_limits(company_id=company_id, limits=of_plan(company_id))


def forget_unrented() -> int:
    """Take limits of plans from companies that rent nothing any more; how many. Idempotent."""
    live = Subscription.objects.filter(ended_at=None).values("account__company_id")
    rows = Company.objects.exclude(plan_limits={}).exclude(pk__in=live)
    return sum(tell(pk) for pk in list(rows.values_list("pk", flat=True)))
