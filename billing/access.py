"""What paying, or not paying, means for the use of a company: `Company.state` follows the bills.

The clock runs from the oldest unpaid due date, not from when somebody looked.
"""

import datetime as dt
import logging
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError

from billing.models import Account, Invoice, InvoiceLine, Subscription
from billing.seats import services as seats
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict
from tenants import queries
from tenants.lifecycle import changes, states
from tenants.lifecycle.states import Who
from tenants.models import Company

logger = logging.getLogger("rapport.billing")
ACTOR = "billing"
DAY = dt.timedelta(days=1)
State = Company.State
STOPPED = ("unpaid", "paused")
"""What a provider says of a subscription that it does not charge any more."""
RESTORED_BY_PAYING = (State.TRIAL, State.PAST_DUE, State.READ_ONLY, State.SUSPENDED)


def overdue_since(subscription: Subscription, *, at: dt.datetime) -> dt.datetime | None:
    """The oldest due date of an unpaid bill for a whole period; None while there is none.

    A bill for added seats alone never stops a company whose period is paid.
    """
    rows = Invoice.objects.filter(
        account_id=subscription.account_id, state=Invoice.State.OPEN, due_at__lte=at,
        lines__kind=InvoiceLine.Kind.SEATS,
    )  # fmt: skip
    found: dt.datetime | None = rows.order_by("due_at").values_list("due_at", flat=True).first()
    return found


def follow(subscription: Subscription, *, at: dt.datetime) -> None:
    """Bring the company's state to what its bills say, in the platform's open unit of work.

    What operators stopped by hand stays stopped.
    """
    since = overdue_since(subscription, at=at)
    was = subscription.past_due_since
    if since != was:
        subscription.past_due_since = since
        subscription.save(update_fields=["past_due_since"])
    company = changes.lock(subscription.account.company_id)
    if subscription.provider_status in STOPPED and company.state in states.WORKS:
        _stop(company, subscription.provider_status, since or at, at=at)
    elif subscription.provider_status in STOPPED:
        pass
    elif since is None:
        _restore(company, was_late=was is not None, at=at)
    elif company.state == State.ACTIVE:
        until = since + DAY * int(settings.LIFECYCLE_DAYS["past_due"])
        changes.move(
            company_id=company.pk, to=State.PAST_DUE, who=Who.BILLING, actor=ACTOR, at=at,
            until=max(until, at + DAY), reason="",
        )  # fmt: skip


def _stop(company: Company, status: str, since: dt.datetime, *, at: dt.datetime) -> None:
    """The provider gave up charging, or was told to pause: the company is read from now on."""
    until = since + DAY * (
        int(settings.LIFECYCLE_DAYS["past_due"]) + int(settings.LIFECYCLE_DAYS["read_only"])
    )
    changes.move(
        company_id=company.pk, to=State.READ_ONLY, who=Who.BILLING, actor=ACTOR, at=at,
        until=max(until, at + DAY), reason=status,
    )  # fmt: skip


def _restore(company: Company, *, was_late: bool, at: dt.datetime) -> None:
    """Paying opens a company at once; a trial, and what ran out with it, is opened by renting."""
    by_time = company.state_until is not None or company.state == State.PAST_DUE
    if company.state in RESTORED_BY_PAYING and (was_late or by_time):
        changes.move(company_id=company.pk, to=State.ACTIVE, who=Who.BILLING, actor=ACTOR, at=at)


def ended(subscription: Subscription, *, at: dt.datetime) -> None:
    """The rent is over: the company can be read and taken along for a while, then it closes."""
    company = changes.lock(subscription.account.company_id)
    if company.state in states.WORKS:
        until = at + DAY * int(settings.LIFECYCLE_DAYS["read_only"])
        changes.move(
            company_id=company.pk, to=State.READ_ONLY, who=Who.BILLING, actor=ACTOR, at=at,
            until=until,
        )  # fmt: skip


def tell_company(company_id: UUID, *, at: dt.datetime) -> bool:
    """Write the number of seats into the company's own tables; the sweep does it again.

    Opens units of its own. False: the company could not be reached now.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = (
            Subscription.objects.filter(account__company_id=company_id, ended_at=None)
            .values_list("seats", flat=True).first()
        )  # fmt: skip
        company = Company.objects.get(pk=company_id)
    if company.state not in states.STANDING:
        return False
    scope = tenancy.for_keeping(queries.scope_of(company))
    try:
        with tenancy.unit_of_work(scope):
            seats.set_purchased(purchased=row, at=at)
    except (DatabaseError, Conflict):
        logger.warning("Company %s could not be told its seats", company_id, exc_info=True)
        return False
    return True


def sweep(*, at: dt.datetime) -> int:
    """Bring every company's seats and state to what its subscription says; how many there are."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = list(Account.objects.filter(subscriptions__ended_at=None).values_list(
            "company_id", "subscriptions__pk"
        ))  # fmt: skip
    for company_id, key in found:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            live = (
                Subscription.objects.select_for_update(of=("self",)).select_related("account")
                .filter(pk=key, ended_at=None).first()
            )  # fmt: skip
            if live is not None:
                follow(live, at=at)
        tell_company(company_id, at=at)
    return len(found)
