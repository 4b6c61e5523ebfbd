"""What a provider tells us: kept once, then looked up there, each company once for all it was told.

An event's content is never believed: it only says whose things to look at (`mirror`).
"""

import datetime as dt
import logging

from django.db.models import F, Max

from billing import mirror
from billing.models import Account, ProviderEvent
from billing.providers import STRIPE, has_stripe, provider_of
from billing.providers.base import Again, Declined, Doubtful, RemoteEvent, Wrong
from crm_platform.kernel import tenancy

logger = logging.getLogger("rapport.billing")
State = ProviderEvent.State
MOST_ATTEMPTS = 12
LONGEST_PAUSE = dt.timedelta(hours=3)
BODY_KEPT = dt.timedelta(days=90)
OVERLAP = dt.timedelta(hours=2)
"""Events are asked for again from this long before the newest: they come in no order."""
KEPT_THERE = dt.timedelta(days=29)
OF_CUSTOMERS = ("customer.", "invoice.", "checkout.session.", "subscription_schedule.", "charge.")


def keep(events: list[RemoteEvent], *, at: dt.datetime) -> int:
    """Write events down, each once; how many there were. In the platform's open unit of work."""
    ProviderEvent.objects.bulk_create(
        [
            ProviderEvent(
                event_id=each.id, kind=each.kind[:80], customer=each.customer[:120],
                object_id=each.object_id[:120], happened_at=each.at, received_at=at,
                body=dict(each.body), not_before=at,
            )
            for each in events
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return len(events)


def work(*, at: dt.datetime, most: int = 500) -> int:
    """Look up whatever we were told of; how many events were settled. Opens units of its own."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = ProviderEvent.objects.filter(state=State.WAITING, not_before__lte=at)
        waiting = list(rows.order_by("pk").values_list("pk", "kind", "customer")[:most])
        named = {customer for _key, _kind, customer in waiting} - {""}
        rows_of = Account.objects.filter(provider=STRIPE, provider_id__in=named)
        accounts = dict(rows_of.values_list("provider_id", "pk"))
    by_account: dict[int, list[int]] = {}
    others: list[int] = []
    for key, kind, customer in waiting:
        account = accounts.get(customer) if kind.startswith(OF_CUSTOMERS) else None
        if account is None:
            others.append(key)
        else:
            by_account.setdefault(account, []).append(key)
    _settle(others, State.IGNORED, at=at)
    for account, keys in by_account.items():
        if mirror.refresh(account_id=account, at=at):
            _settle(keys, State.DONE, at=at)
        else:
            _put_off(keys, at=at)
    return len(waiting)


def _settle(keys: list[int], state: str, *, at: dt.datetime) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ProviderEvent.objects.filter(pk__in=keys, state=State.WAITING).update(
            state=state, settled_at=at, attempts=F("attempts") + 1, error=""
        )


def _put_off(keys: list[int], *, at: dt.datetime) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = ProviderEvent.objects.select_for_update().filter(pk__in=keys, state=State.WAITING)
        for event in rows:
            event.attempts += 1
            event.error = "not reached"
            pause = min(dt.timedelta(seconds=5 * 2**event.attempts), LONGEST_PAUSE)
            event.not_before = at + pause
            if event.attempts >= MOST_ATTEMPTS:
                event.state, event.settled_at = State.DEAD, at
            event.save()


def replay(*, event_id: int, at: dt.datetime) -> bool:
    """Look up once more what an event was about; False when there is none such."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return bool(
            ProviderEvent.objects.filter(pk=event_id).update(
                state=State.WAITING, attempts=0, not_before=at, settled_at=None, error=""
            )
        )


def fill_gaps(*, at: dt.datetime) -> int:
    """Ask for what we were not told: events that were lost on their way; how many were new."""
    provider = provider_of(STRIPE) if has_stripe() else None
    if provider is None:
        return 0
    with tenancy.unit_of_work(tenancy.PLATFORM):
        newest = ProviderEvent.objects.aggregate(newest=Max("happened_at"))["newest"]
        before = ProviderEvent.objects.count()
    since = max((newest or at - KEPT_THERE) - OVERLAP, at - KEPT_THERE)
    try:
        found = list(provider.events_since(since))
    except (Again, Doubtful, Declined, Wrong):
        logger.warning("The provider's events could not be asked for", exc_info=True)
        return 0
    with tenancy.unit_of_work(tenancy.PLATFORM):
        keep(found, at=at)
        return ProviderEvent.objects.count() - before


def forget_bodies(*, at: dt.datetime) -> int:
    """Empty what was told long ago; that it was told stays."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = ProviderEvent.objects.filter(received_at__lt=at - BODY_KEPT, body__isnull=False)
        return rows.update(body=None)
