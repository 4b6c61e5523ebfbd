"""Who did what with a company's subscription, and when; added to, never changed."""

import datetime as dt
from typing import Any

from billing.models import Account, BillingEntry
from crm_platform.kernel.tasks import later

CLOCK = "clock"


def note(
    account: Account, verb: str, *, by: str, at: dt.datetime, reason: str = "", **facts: Any
) -> None:
    """Add to the account's history, in the open unit of work, and have it written of."""
    BillingEntry.objects.create(
        account=account, verb=verb, by=by[:250], at=at, reason=reason[:300], facts=facts
    )
    if by != CLOCK:  # whose run ends with writing
        _ring()


def _ring() -> None:
    from billing import tasks

    later(tasks.write_letters)
