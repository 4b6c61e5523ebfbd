"""Everything a provider has, beside what we have: nightly, by whole lists, a few calls in all.

What only mirrors the provider is mended by looking it up again; what needs a person is left
standing as a difference.
"""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from enum import StrEnum

from billing import mirror
from billing.models import Account, Comparison, Difference, Invoice, Subscription
from billing.providers import STRIPE, has_stripe, provider_of
from billing.providers.base import Again, Declined, Doubtful, RemoteSubscription, Wrong
from crm_platform.kernel import tenancy
from tenants.lifecycle import states

logger = logging.getLogger("rapport.billing")
ENDED = mirror.ENDED
MOST_LOOKED_UP = 200
"""Accounts that one comparison mends by itself; more than that is no drift, but a fault."""


class Kind(StrEnum):
    """What can differ."""

    SEATS = "seats"
    STATUS = "status"
    PRICE = "price"
    PERIOD = "period"
    BILLS = "bills"
    NO_SUBSCRIPTION = "no_subscription"
    """We have one, the provider has none."""
    UNKNOWN = "unknown"
    """The provider has one that we do not know."""
    TWO = "two"
    NO_CUSTOMER = "no_customer"
    STRANGER = "stranger"
    """A customer there that is nobody here."""
    CLOSED = "closed"
    """The company is closed, and still charged."""


MENDED = (Kind.SEATS, Kind.STATUS, Kind.PRICE, Kind.PERIOD, Kind.BILLS, Kind.UNKNOWN,
          Kind.NO_SUBSCRIPTION)  # fmt: skip
"""Looking the account up again settles these, where anything does."""


def compare(*, at: dt.datetime) -> Comparison | None:
    """Compare everything once; None where no provider is set up. Opens units of its own."""
    provider = provider_of(STRIPE) if has_stripe() else None
    if provider is None:
        return None
    with tenancy.unit_of_work(tenancy.PLATFORM):
        made = Comparison.objects.create(began_at=at)
    try:
        remote, customers, bills, calls = provider.everything()
    except (Again, Doubtful, Declined, Wrong) as error:
        logger.warning("The provider could not be compared", exc_info=True)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            made.ended_at, made.error = at, str(error)[:500]
            made.save()
        return made
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = _differences(remote, customers, bills)
        made.accounts, made.calls = Account.objects.filter(provider=STRIPE).count(), calls
        for each in found:
            each.comparison = made
        Difference.objects.bulk_create(found)
    _mend(made, at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        made.ended_at = at
        made.save()
    return made


def _differences(
    remote: Sequence[RemoteSubscription], customers: frozenset[str], bills: Mapping[str, str]
) -> list[Difference]:
    there: dict[str, list[RemoteSubscription]] = {}
    for each in remote:
        if each.status not in (*ENDED, mirror.NOT_BEGUN):
            there.setdefault(each.customer, []).append(each)
    accounts = {a.provider_id: a for a in Account.objects.filter(provider=STRIPE)
                .exclude(provider_id="").select_related("company")}  # fmt: skip
    here = {s.account_id: s for s in Subscription.objects.filter(
        ended_at=None, account__provider=STRIPE).select_related("price")}  # fmt: skip
    found = [
        Difference(kind=Kind.STRANGER, provider_id=customer)
        for customer in sorted(customers - set(accounts))
    ]
    for customer, account in accounts.items():
        if customer not in customers:
            found.append(Difference(kind=Kind.NO_CUSTOMER, account=account, provider_id=customer))
            continue
        found += _of_account(account, here.get(account.pk), there.get(customer, []))
    return found + _bills(accounts, bills)


def _of_account(
    account: Account, ours: Subscription | None, theirs: list[RemoteSubscription]
) -> list[Difference]:
    if len(theirs) > 1:
        ids = ", ".join(each.id for each in theirs)
        return [Difference(kind=Kind.TWO, account=account, theirs=ids[:200])]
    if not theirs:
        return [Difference(kind=Kind.NO_SUBSCRIPTION, account=account,
                           provider_id=ours.provider_id)] if ours else []  # fmt: skip
    (other,) = theirs
    if ours is None or ours.provider_id != other.id:
        return [Difference(kind=Kind.UNKNOWN, account=account, provider_id=other.id)]
    pairs = [
        (Kind.SEATS, ours.seats, other.seats),
        (Kind.STATUS, ours.provider_status, other.status),
        (Kind.PRICE, ours.price.provider_id, other.price),
        (Kind.PERIOD, f"{ours.period_end:%Y-%m-%d}", f"{other.period.end:%Y-%m-%d}"),
    ]
    found = [
        Difference(kind=kind, account=account, provider_id=other.id, ours=str(a), theirs=str(b))
        for kind, a, b in pairs if a != b
    ]  # fmt: skip
    if account.company.state not in states.STANDING or account.company.state == "closed":
        found.append(Difference(kind=Kind.CLOSED, account=account, provider_id=other.id))
    return found


def _bills(accounts: dict[str, Account], theirs: Mapping[str, str]) -> list[Difference]:
    """Open bills that are open on one side only."""
    ours = {
        bill.provider_id: bill for bill in Invoice.objects.filter(
            state=Invoice.State.OPEN, account__provider=STRIPE
        ).exclude(provider_id="").select_related("account")
    }  # fmt: skip
    found = [
        Difference(kind=Kind.BILLS, account=accounts[customer], provider_id=key, theirs="open")
        for key, customer in theirs.items() if key not in ours and customer in accounts
    ]  # fmt: skip
    return found + [
        Difference(kind=Kind.BILLS, account=bill.account, provider_id=key, ours="open")
        for key, bill in ours.items()
        if key not in theirs
    ]


def _mend(made: Comparison, *, at: dt.datetime) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = made.found.filter(kind__in=MENDED, account__isnull=False)
        keys = list(rows.values_list("account_id", flat=True).distinct()[:MOST_LOOKED_UP])
    for key in keys:
        if mirror.refresh(account_id=key, at=at):
            with tenancy.unit_of_work(tenancy.PLATFORM):
                made.found.filter(account_id=key, kind__in=MENDED).update(mended_at=at)
