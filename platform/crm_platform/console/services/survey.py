"""Looking into companies from outside: sums and firsts, read in each one's own unit of work."""

import dataclasses
import datetime as dt
import logging
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Count, Min, Q

from crm_core.audit.models import Entry
from crm_core.exchange.models import ImportJob
from crm_core.records.models import Account, Contact
from crm_core.sales.models import Deal
from crm_core.web import usage
from crm_core.web.samples import SOURCE as SAMPLE
from crm_platform.console.models import CompanyFacts
from crm_platform.identity.models import OutgoingMail, User
from crm_platform.identity.services.mail import MOST_ATTEMPTS
from crm_platform.kernel import tenancy
from tenants import limits
from tenants.queries import working_scope

logger = logging.getLogger("rapport.console")
FAILED_SINCE = dt.timedelta(days=14)


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What was read; the fields of `CompanyFacts`."""

    owner_name: str
    owner_email: str
    imports_running: int
    imports_failed: int
    mail_waiting: int
    mail_failed: int
    oldest_mail_at: dt.datetime | None
    template: str
    first_sign_in_at: dt.datetime | None
    first_record_at: dt.datetime | None
    usage: dict[str, int]


def survey(*, company_id: UUID, at: dt.datetime) -> None:
    """Read one company and keep what was seen; one that cannot be read is left as it was.

    Opens its own units of work, first the company's, then the platform's. Idempotent.
    """
    scope = working_scope(company_id)
    if scope is None:
        return
    try:
        with tenancy.unit_of_work(scope):
            seen = look(at=at)
    except DatabaseError:
        logger.warning("Company %s could not be surveyed", company_id, exc_info=True)
        return
    values = dataclasses.asdict(seen)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        known = CompanyFacts.objects.filter(pk=company_id).first()
        for name in ("template", "first_sign_in_at", "first_record_at"):
            values[name] = (known and getattr(known, name)) or values[name]
        CompanyFacts.objects.update_or_create(
            company_id=company_id, defaults={**values, "surveyed_at": at}
        )
        limits.keep_levels(company_id=company_id, levels=usage.levels(seen.usage, scope))


def look(*, at: dt.datetime) -> Seen:
    """Read the running unit of work's company; changes nothing. 14 queries."""
    owner = User.objects.filter(role__key="owner", is_active=True).order_by("pk").first()
    jobs = ImportJob.objects.aggregate(
        running=Count("pk", filter=Q(state__in=("ready", "running", "undoing"))),
        failed=Count("pk", filter=Q(state="failed", created_at__gt=at - FAILED_SINCE)),
    )
    waits = Q(sent_at=None, attempts__lt=MOST_ATTEMPTS)
    mails = OutgoingMail.objects.aggregate(
        waiting=Count("pk", filter=waits), oldest=Min("created_at", filter=waits),
        failed=Count("pk", filter=Q(sent_at=None, attempts__gte=MOST_ATTEMPTS)),
    )  # fmt: skip
    chosen = Entry.objects.filter(verb="company.template").order_by("-at", "-pk").first()
    return Seen(
        owner_name=owner.name if owner else "", owner_email=owner.email if owner else "",
        imports_running=jobs["running"], imports_failed=jobs["failed"],
        mail_waiting=mails["waiting"], mail_failed=mails["failed"],
        oldest_mail_at=mails["oldest"],
        template=str(chosen.changes.get("template", ["", ""])[1])[:40] if chosen else "",
        first_sign_in_at=User.objects.aggregate(at=Min("last_seen_at"))["at"],
        first_record_at=_first_record(),
        usage=usage.counted(),
    )  # fmt: skip


def _first_record() -> dt.datetime | None:
    """When the first record of their own was made; samples are not theirs."""
    own = (model.objects.exclude(source=SAMPLE) for model in (Account, Contact, Deal))
    firsts = [rows.aggregate(at=Min("created_at"))["at"] for rows in own]
    return min((each for each in firsts if each), default=None)
