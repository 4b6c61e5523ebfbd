"""Telling a provider what changed here: kept with the change, sent after it, done once.

Sending takes it under a lease, so that a
process that dies leaves it to the next one, which sends the same key: the provider answers with
what it did the first time. Where it kept a failure, or the key is too old, we look there first.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q

from billing import mirror
from billing.catalogue import name_of
from billing.commands import ON_THE_WAY, Kind
from billing.history import note
from billing.models import Command, Price, Subscription
from billing.providers import provider_of
from billing.providers.base import Again, Declined, Doubtful, Provider, Wrong
from crm_platform.kernel import tenancy

ACTOR = "outbox"
logger = logging.getLogger("rapport.billing")
State = Command.State
LEASE = dt.timedelta(seconds=90)
KEY_GOOD_FOR = dt.timedelta(hours=23)
MOST_ATTEMPTS = 60
"""Over two weeks at the longest pause: a provider that is away so long needs a person."""
LONGEST_PAUSE = dt.timedelta(hours=6)


NOT_MIRRORED = (Kind.BUYER, Kind.GRANT)
"""What changes there and is not written down here: nothing has to be looked up after it."""


# -- sending -------------------------------------------------------------------------------------


def send_due(*, at: dt.datetime, most: int = 200, account_id: int | None = None) -> int:
    """Send what is due, of one account or of all; how many were tried.

    Opens units of its own; never inside one.
    """
    for count in range(most):
        command = _take(at=at, account_id=account_id)
        if command is None:
            return count
        _send(command, at=at)
    return most


def _take(*, at: dt.datetime, account_id: int | None) -> Command | None:
    """The next command, leased; an account's commands go one after the other, in their order."""
    earlier = Command.objects.filter(
        account_id=OuterRef("account_id"), pk__lt=OuterRef("pk"), state__in=ON_THE_WAY
    )
    is_due = Q(state=State.WAITING, not_before__lte=at) | Q(
        state=State.SENDING, leased_until__lte=at
    )
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Command.objects.select_for_update(of=("self",), skip_locked=True)
        rows = rows.select_related("account").filter(is_due, ~Exists(earlier))
        if account_id is not None:
            rows = rows.filter(account_id=account_id)
        command = rows.order_by("pk").first()
        if command is None:
            return None
        command.state, command.leased_until = State.SENDING, at + LEASE
        command.attempts += 1
        if at - command.keyed_at > KEY_GOOD_FOR:
            command.is_doubtful = True
        command.save(update_fields=["state", "leased_until", "attempts", "is_doubtful"])
        return command


def _send(command: Command, *, at: dt.datetime) -> None:
    try:
        found = _done(command, at=at)
    except Declined as error:
        _settle(command, State.REFUSED, at=at, error=str(error) or "declined")
    except Wrong as error:
        logger.exception("Command %s was given up", command.pk)
        _settle(command, State.DEAD, at=at, error=str(error))
    except Doubtful as error:
        _put_off(command, at=at, error=str(error), is_doubtful=True)
    except Again as error:
        _put_off(command, at=at, error=str(error), is_doubtful=command.is_doubtful)
    else:
        _settle(command, State.DONE, at=at, result=found)
    if command.kind not in NOT_MIRRORED:
        mirror.refresh(account_id=command.account_id, at=at)


def _done(command: Command, *, at: dt.datetime) -> dict[str, Any]:
    """What came of it: found there, where it may have been done, else done now."""
    provider = provider_of(command.account.provider)
    if provider is None:
        raise Wrong("The account pays by transfer: nobody is to be told.")
    payload = _addressed(command, provider)
    if command.is_doubtful:
        found = provider.adopt(command.kind, payload, key=command.key)
        if found is not None:
            return found
        _new_key(command, at=at)
    return provider.send(command.kind, payload, key=command.key)


def _addressed(command: Command, provider: Provider) -> dict[str, Any]:
    """The payload with the names that things have at the provider."""
    account, payload = command.account, dict(command.payload)
    payload["customer"] = account.provider_id
    if (price_id := payload.get("price_id")) is not None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            price = Price.objects.select_related("version__plan").get(pk=price_id)
        payload |= {"price": remote_price(price, provider), "interval": price.interval}
    elif command.kind == Kind.PLAN:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            rows = Subscription.objects.filter(provider_id=payload["subscription"])
            interval = rows.values_list("price__interval", flat=True).first()
        payload |= {"price": "", "interval": interval or "month"}
    return payload


def remote_price(price: Price, provider: Provider) -> str:
    """The price's id at the provider, made there when first needed; opens units of its own."""
    if price.provider_id:
        return price.provider_id
    plan = price.version.plan
    made = provider.ensure_price(
        {"price": price.pk, "plan": plan.key, "name": name_of(plan.names, "en"),
         "currency": price.currency, "unit_amount": price.unit_amount, "interval": price.interval}
    )  # fmt: skip
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Price.objects.filter(pk=price.pk).update(provider_id=made)
    price.provider_id = made
    return made


def _new_key(command: Command, *, at: dt.datetime) -> None:
    """Kept before it is used: who dies with it leaves it to the next one."""
    command.key, command.keyed_at, command.is_doubtful = uuid.uuid4().hex, at, False
    _save(command, "key", "keyed_at", "is_doubtful")


def _put_off(command: Command, *, at: dt.datetime, error: str, is_doubtful: bool) -> None:
    if command.attempts >= MOST_ATTEMPTS:
        _settle(command, State.DEAD, at=at, error=error)
        return
    pause = min(dt.timedelta(seconds=2 ** min(command.attempts, 20)), LONGEST_PAUSE)
    # Spread by the command's own number, so that a hundred do not come back at once.
    command.not_before = at + pause * (1 + (command.pk % 16) / 32)
    command.state, command.leased_until = State.WAITING, None
    command.error, command.is_doubtful = error[:500], is_doubtful
    _save(command, "not_before", "state", "leased_until", "error", "is_doubtful")


def _settle(
    command: Command, state: str, *, at: dt.datetime, error: str = "",
    result: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    command.state, command.settled_at, command.leased_until = state, at, None
    command.error, command.result = error[:500], dict(result or {})
    _save(command, "state", "settled_at", "leased_until", "error", "result")
    if state in (State.DEAD, State.REFUSED):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            note(command.account, f"command_{state}", by=ACTOR, at=at, reason=error,
                 kind=command.kind)  # fmt: skip


def _save(command: Command, *names: str) -> None:
    """Only who holds the command writes: a lease that ran out is another's by now."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Command.objects.filter(
            pk=command.pk, state=State.SENDING, attempts=command.attempts
        ).update(**{name: getattr(command, name) for name in names})


def try_again(*, command_id: int, at: dt.datetime) -> Command | None:
    """Have a command that was given up sent once more; None when there is none such.

    It is looked for there first: it may have been done.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        command = (
            Command.objects.select_for_update(of=("self",)).select_related("account__company")
            .filter(pk=command_id, state__in=(State.DEAD, State.REFUSED)).first()
        )  # fmt: skip
        if command is None:
            return None
        command.state, command.not_before, command.settled_at = State.WAITING, at, None
        command.is_doubtful, command.attempts = True, 0
        command.save()
        return command
