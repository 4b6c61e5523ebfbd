"""What a provider shall do, kept in the transaction of its change and sent by `outbox`."""

import datetime as dt
import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from billing.models import Account, Command, PendingChange, Subscription
from billing.providers import MANUAL

State, Change = Command.State, PendingChange.Kind


class Kind(StrEnum):
    """What can be asked; each says how things shall be."""

    CHANGE = "change"
    PLAN = "plan"
    BUYER = "buyer"
    CREDIT = "credit"
    GRANT = "grant"
    SETTLE = "settle"
    END = "end"


ABSOLUTE = (Kind.PLAN, Kind.BUYER)
"""Of these a newer one replaces those that were not sent."""
ON_THE_WAY = (State.WAITING, State.SENDING)


def put(
    account: Account, kind: Kind, payload: Mapping[str, Any], *, by: str, at: dt.datetime
) -> Command | None:
    """Keep a command in the open unit of work; None where our own books need nobody told."""
    if account.provider == MANUAL:
        return None
    if kind in ABSOLUTE:
        account.commands.filter(kind=kind, state=State.WAITING, attempts=0).update(
            state=State.REPLACED, settled_at=at
        )
    key = uuid.uuid4().hex
    return Command.objects.create(
        account=account, kind=kind, payload={**payload, "command_id": key}, key=key, keyed_at=at,
        not_before=at, by=by[:250], at=at,
    )  # fmt: skip


def tell_plan(subscription: Subscription, *, by: str, at: dt.datetime) -> None:
    """Have the provider know what the next period shall be, as it stands here now."""
    open_ones = subscription.changes.filter(
        settled_at=None, effective_at__lte=subscription.period_end
    )
    planned = dict(open_ones.values_list("kind", "target"))
    put(
        subscription.account, Kind.PLAN,
        {"ends": subscription.ends_at is not None, "seats": planned.get(Change.SEATS),
         "price_id": planned.get(Change.PRICE), "subscription": subscription.provider_id},
        by=by, at=at,
    )  # fmt: skip


def tell_buyer(account: Account, *, by: str, at: dt.datetime) -> None:
    """Have the provider know who pays, as it stands here now."""
    put(account, Kind.BUYER, {"buyer": buyer_facts(account)}, by=by, at=at)


def buyer_facts(account: Account) -> dict[str, str]:
    """Who pays, as a provider is told."""
    names = ("legal_name", "address", "country", "email", "tax_id_kind", "tax_id")
    return {name: getattr(account, name) for name in names}


def is_on_its_way(account: Account, kind: Kind) -> bool:
    """Whether a command of this kind is not settled yet. One query."""
    return account.commands.filter(kind=kind, state__in=ON_THE_WAY).exists()
