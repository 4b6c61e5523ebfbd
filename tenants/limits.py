"""The only code that writes what one company may ask for and hold otherwise than the settings say.

Operators' word (`CompanyLimit`) goes before that of the plan (`Company.plan_limits`), which
billing writes here. Everything runs in the platform's unit of work; other processes know it
within moments.
"""

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.kernel.errors import Invalid, NotFound
from tenants import queries
from tenants.lifecycle import changes
from tenants.models import Company, CompanyLimit

MOST = 100_000_000
ENDED = "limit.ended"
Kind = CompanyLimit.Kind


@transaction.atomic
def set_limit(
    *, company_id: UUID, kind: str, value: int | None, reason: str, by: str, at: dt.datetime,
    expires_at: dt.datetime | None = None,
) -> tuple[int | None, int | None]:  # fmt: skip
    """Allow a company another amount until `expires_at`, or (None) what its plan says again.

    Returns the old and the new value.

    Raises:
        Invalid: an unknown kind, no whole number from 0 to a hundred million, no reason, or an
            end that is past.
        NotFound: there is no such company.
    """
    if kind not in Kind.values:
        raise Invalid(_("Choose what is limited."), field="kind")
    if value is not None and not 0 <= value <= MOST:
        raise Invalid(_("Give a whole number from 0 to 100,000,000."), field="value")
    if not reason.strip():
        raise Invalid(_("Say why; the other operators read it."), field="reason")
    if expires_at is not None and expires_at <= at:
        raise Invalid(_("Choose a day in the future."), field="expires_on")
    if not Company.objects.select_for_update().filter(pk=company_id).exists():
        raise NotFound(_("There is no such company."))
    before = queries.limits_in_force(at).filter(company_id=company_id, kind=kind).first()
    if value is None:
        CompanyLimit.objects.filter(company_id=company_id, kind=kind).delete()
    else:
        CompanyLimit.objects.update_or_create(
            company_id=company_id, kind=kind,
            defaults={"value": value, "reason": reason.strip(), "set_at": at, "by": by[:250],
                      "expires_at": expires_at},
        )  # fmt: skip
    queries.forget_hosts()
    return (before.value if before else None), value


@transaction.atomic
def forget_expired(*, at: dt.datetime) -> int:
    """Put away limits that hold no more, each with a word in the company's history. Idempotent."""
    over = list(CompanyLimit.objects.select_for_update().filter(expires_at__lte=at))
    for row in over:
        facts = {"limit": row.kind, "value": row.value, "reason": row.reason, "by": row.by}
        changes.note(row.company_id, ENDED, actor="clock", at=at, facts=facts)
        row.delete()
    if over:
        queries.forget_hosts()
    return len(over)


@transaction.atomic
def keep_plan_limits(*, company_id: UUID, limits: Mapping[str, int]) -> bool:
    """Keep what the company's plan allows; whether that is something new."""
    return _keep(company_id, plan_limits=dict(limits))


@transaction.atomic
def keep_levels(*, company_id: UUID, levels: Mapping[str, int]) -> bool:
    """Keep how near to its limits the company is; whether that is something new."""
    return _keep(company_id, limit_levels=dict(levels))


def _keep(company_id: UUID, **fact: dict[str, int]) -> bool:
    changed = Company.objects.filter(pk=company_id).exclude(**fact).update(**fact)
    if changed:
        queries.forget_hosts()
    return bool(changed)
