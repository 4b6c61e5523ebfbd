"""The only code that writes what operators allow one company otherwise than the settings do."""

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.kernel.errors import Invalid, NotFound
from tenants import queries
from tenants.models import Company, CompanyLimit

MOST = 100_000_000
Kind = CompanyLimit.Kind


@transaction.atomic
def set_limit(
    *, company_id: UUID, kind: str, value: int | None, reason: str, at: dt.datetime
) -> tuple[int | None, int | None]:  # fmt: skip
    """Allow a company another amount, or (None) what the settings say again; the old and new value.

    In the platform's unit of work. Other processes know it within moments.

    Raises:
        Invalid: an unknown kind, no whole number from 0 to a hundred million, or no reason.
        NotFound: there is no such company.
    """
    if kind not in Kind.values:
        raise Invalid(_("Choose what is limited."), field="kind")
    if value is not None and not 0 <= value <= MOST:
        raise Invalid(_("Give a whole number from 0 to 100,000,000."), field="value")
    if not reason.strip():
        raise Invalid(_("Say why; the other operators read it."), field="reason")
    if not Company.objects.select_for_update().filter(pk=company_id).exists():
        raise NotFound(_("There is no such company."))
    before = CompanyLimit.objects.filter(company_id=company_id, kind=kind).first()
    if value is None:
        CompanyLimit.objects.filter(company_id=company_id, kind=kind).delete()
    else:
        CompanyLimit.objects.update_or_create(
            company_id=company_id, kind=kind,
            defaults={"value": value, "reason": reason.strip(), "set_at": at},
        )  # fmt: skip
    queries.forget_hosts()
    return (before.value if before else None), value
