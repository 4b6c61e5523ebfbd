"""Who did what with a company's subscription, and when; added to, never changed."""

import datetime as dt
from typing import Any

from billing.models import Account, BillingEntry


def note(
    account: Account, verb: str, *, by: str, at: dt.datetime, reason: str = "", **facts: Any
) -> None:
    """Add to the account's history, in the open unit of work."""
    BillingEntry.objects.create(
        account=account, verb=verb, by=by[:250], at=at, reason=reason[:300], facts=facts
    )
