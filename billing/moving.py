"""Companies on an old version of a plan go to another: looked at, agreed to, announced, undone.

Who rents keeps the version they have until a move, asked for by one operator and agreed to by
another, plans a change of price for a renewal of theirs. The clock does it company by company, each
in its own unit of work, so that it can stop and go on anywhere.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from billing import commands
from billing.currencies import charged
from billing.models import (
    BillingEntry,
    PendingChange,
    PlanMove,
    PlanMoveItem,
    PlanVersion,
    Price,
    Subscription,
)
from billing.proration import MONTHS, after
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound

logger = logging.getLogger("rapport.billing")
State = PlanMoveItem.State
PRICE = PendingChange.Kind.PRICE
BATCH = 100
"""Companies taken on in one run of the clock, and at once when somebody agrees."""
ACTOR = "operators"
NO_PRICE, SEATS, ENDING, MOVING = "no_price", "seats", "ending", "moving"
"""Why a company cannot be moved: the new version has no such price, or not for so many seats; it
stops renting; another move has it."""
OPEN = (State.WAITING, State.PLANNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a move would mean for one company; amounts a month, in counted units."""

    subscription: Subscription
    old: Price
    new: Price | None
    starts: dt.datetime
    before: int
    after: int
    note: str

    @property
    def difference(self) -> int:
        return self.after - self.before


def notice() -> dt.timedelta:
    """How long owners know of it before it comes."""
    return dt.timedelta(days=int(settings.BILLING["notice_days"]))


def a_month(price: Price, seats: int) -> int:
    """What so many seats cost a month, a year's price by twelve."""
    return charged(price.unit_amount * seats, MONTHS[price.interval], price.currency)


def renewal_from(subscription: Subscription, earliest: dt.datetime) -> dt.datetime:
    """The first renewal that is not before `earliest`."""
    count, interval = 0, subscription.price.interval
    least = max(earliest, subscription.period_end)
    while (found := after(subscription.anchor, interval, count)) < least:
        count += 1
    return found


# -- looking; in the platform's open unit of work ------------------------------------------------


def dry_run(*, source: PlanVersion, target: PlanVersion, holds_from: dt.datetime) -> list[Row]:
    """What moving everybody on `source` would mean, by company's name. Two queries."""
    prices = {(price.currency, price.interval): price for price in target.prices.all()}
    rows = Subscription.objects.select_related("account__company", "price").filter(
        price__version=source, ended_at=None
    )
    moving = set(
        PlanMoveItem.objects.filter(
            state__in=OPEN, move__agreed_at__isnull=False, move__undone_at=None
        ).values_list("subscription_id", flat=True)
    )
    return [
        _row(each, prices.get((each.price.currency, each.price.interval)), holds_from,
             is_moving=each.pk in moving)
        for each in rows.order_by("account__company__name", "pk")
    ]  # fmt: skip


def _row(
    subscription: Subscription, new: Price | None, holds_from: dt.datetime, *, is_moving: bool
) -> Row:
    old, seats = subscription.price, subscription.seats
    before = a_month(old, seats)
    return Row(
        subscription=subscription, old=old, new=new, before=before,
        starts=renewal_from(subscription, holds_from),
        after=a_month(new, seats) if new else before,
        note=MOVING if is_moving else _blocked(subscription, new),
    )  # fmt: skip


def _blocked(subscription: Subscription, new: Price | None) -> str:
    if subscription.ends_at is not None:
        return ENDING
    if new is None:
        return NO_PRICE
    most = new.most_seats
    fits = new.least_seats <= subscription.seats <= (most or subscription.seats)
    return "" if fits else SEATS


def targets_for(source: PlanVersion) -> list[PlanVersion]:
    """Published versions that companies on `source` could go to. Two queries."""
    rows = PlanVersion.objects.filter(state=PlanVersion.State.PUBLISHED).exclude(pk=source.pk)
    return list(rows.select_related("plan").prefetch_related("prices").order_by("plan__position"))


def get_move(move_id: int) -> PlanMove | None:
    rows = PlanMove.objects.select_related("source__plan", "target__plan")
    return rows.filter(pk=move_id).first()


def moves_of(plan_id: int) -> QuerySet[PlanMove]:
    """Moves away from a plan's versions, the newest first."""
    rows = PlanMove.objects.select_related("source__plan", "target__plan")
    return rows.filter(source__plan_id=plan_id)


def progress(move: PlanMove) -> dict[str, int]:
    """{state: companies}. One query."""
    rows = move.items.values("state").annotate(count=Count("pk"))
    return {row["state"]: row["count"] for row in rows}


# -- asking and agreeing; each opens its own unit of work ----------------------------------------


def propose(
    *, source_id: int, target_id: int, holds_from: dt.datetime, reason: str, by: str,
    at: dt.datetime,
) -> PlanMove:  # fmt: skip
    """Write down a move of everybody who can go; nothing happens before a second person agrees.

    An earlier one from the same version that nobody agreed to is put away.

    Raises:
        NotFound: there is no such version.
        Invalid: the same version, one that is not offered, too short a notice, no reason, or
            nobody who could go.
    """
    if not reason.strip():
        raise Invalid(_("Say why: the second person reads it."), field="reason")
    if holds_from < at + notice():
        raise Invalid(
            _("Owners must know it at least %(days)d days before.") % {"days": notice().days},
            field="holds_from",
        )
    with tenancy.unit_of_work(tenancy.PLATFORM):
        source = PlanVersion.objects.select_for_update().filter(pk=source_id).first()
        target = PlanVersion.objects.prefetch_related("prices").filter(pk=target_id).first()
        if source is None or target is None:
            raise NotFound(_("There is no such version of a plan."))
        if source == target or target.state != PlanVersion.State.PUBLISHED:
            raise Invalid(_("Choose another version that is offered now."), field="target")
        rows = dry_run(source=source, target=target, holds_from=holds_from)
        able = [row for row in rows if not row.note]
        if not able:
            raise Invalid(_("There is no company that could go there."), field="target")
        PlanMove.objects.filter(source=source, agreed_at=None).delete()
        move = PlanMove.objects.create(
            source=source, target=target, holds_from=holds_from, reason=reason.strip()[:300],
            asked_by=by[:250], asked_at=at,
        )  # fmt: skip
        _keep_items(move, rows)
        return move


def _keep_items(move: PlanMove, rows: Sequence[Row]) -> None:
    PlanMoveItem.objects.bulk_create(
        PlanMoveItem(
            move=move, subscription=row.subscription, old_price=row.old, new_price=row.new,
            state=State.BLOCKED if row.note else State.WAITING, note=row.note,
        )
        for row in rows
    )  # fmt: skip


def agree(*, move_id: int, by: str, at: dt.datetime) -> PlanMove:
    """Have it begin, as the second person.

    Raises:
        NotFound: there is none, or a newer one was asked for.
        Conflict: it was agreed to before.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        move = _locked(move_id)
        if move.agreed_at is not None:
            raise Conflict(_("This was agreed to already."))
        move.agreed_by, move.agreed_at = by[:250], at
        move.save(update_fields=["agreed_by", "agreed_at"])
    advance(at=at, move_id=move_id)
    return move


def drop(*, move_id: int) -> None:
    """Put away a move that was refused, or that nobody agreed to. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        PlanMove.objects.filter(pk=move_id, agreed_at=None).delete()


def undo(*, move_id: int, reason: str, by: str, at: dt.datetime) -> PlanMove:
    """Take it back: what was only planned does not come, who went goes back at their next renewal.

    Raises:
        NotFound: there is no such move.
        Conflict: nobody agreed to it, or it was taken back before.
        Invalid: no reason.
    """
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept."), field="reason")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        move = _locked(move_id)
        if move.agreed_at is None or move.undone_at is not None:
            raise Conflict(_("There is nothing to take back."))
        move.undone_by, move.undone_at = by[:250], at
        move.undo_reason = reason.strip()[:300]
        move.save(update_fields=["undone_by", "undone_at", "undo_reason"])
    advance(at=at, move_id=move_id)
    return move


def _locked(move_id: int) -> PlanMove:
    rows = PlanMove.objects.select_for_update(of=("self",))
    move = rows.select_related("source__plan", "target__plan").filter(pk=move_id).first()
    if move is None:
        raise NotFound(_("This move is not there any more. Somebody asked for a newer one."))
    return move


# -- what the clock does -------------------------------------------------------------------------


def advance(*, at: dt.datetime, move_id: int | None = None) -> int:
    """Bring the next `BATCH` companies on by a step; how many there were. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        keys = list(_due(move_id)[:BATCH])
    for key in keys:
        try:
            with tenancy.unit_of_work(tenancy.PLATFORM):
                _step(key, at=at)
        except DatabaseError:
            logger.exception("Move %s could not be brought on", key)
    return len(keys)


def _due(move_id: int | None) -> QuerySet[PlanMoveItem, int]:
    """Items that can take a step now; who waits for a change of their own holds up nobody."""
    own = PendingChange.objects.filter(
        subscription_id=OuterRef("subscription_id"), kind=PRICE, settled_at=None
    )
    goes, goes_back = Q(move__undone_at=None), Q(move__undone_at__isnull=False)
    can_plan = (goes & Q(state=State.WAITING)) | (goes_back & Q(state=State.DONE))
    holds_nothing = goes_back & Q(state__in=(*OPEN, State.BLOCKED))
    settled = Q(state__in=(State.PLANNED, State.RETURNING), change__settled_at__isnull=False)
    rows = PlanMoveItem.objects.filter(
        (can_plan & ~Exists(own)) | holds_nothing | settled, move__agreed_at__isnull=False
    )
    if move_id is not None:
        rows = rows.filter(move_id=move_id)
    return rows.order_by("pk").values_list("pk", flat=True)


def _step(item_id: int, *, at: dt.datetime) -> None:
    rows = PlanMoveItem.objects.select_for_update(of=("self",)).select_related("move__target")
    item = rows.get(pk=item_id)
    subscription = (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("account", "price").get(pk=item.subscription_id)
    )  # fmt: skip
    if item.change is not None and item.change.settled_at is not None:
        _settled(item, subscription)
    if item.move.undone_at is not None:
        _go_back(item, subscription, at=at)
    elif item.state == State.WAITING:
        _plan(item, subscription, at=at)
    item.save()


def _settled(item: PlanMoveItem, subscription: Subscription) -> None:
    """What became of the change that was planned."""
    if item.state == State.PLANNED:
        has_it = subscription.price_id == item.new_price_id
        item.state = State.DONE if has_it else State.LEFT
    elif item.state == State.RETURNING:
        has_it = subscription.price_id == item.old_price_id
        item.state = State.RETURNED if has_it else State.LEFT


def _plan(item: PlanMoveItem, subscription: Subscription, *, at: dt.datetime) -> None:
    new = item.new_price
    if subscription.ended_at is not None or subscription.price_id != item.old_price_id:
        item.state = State.LEFT
        return
    item.note = _blocked(subscription, new)
    if item.note or new is None:
        item.state = State.BLOCKED
        return
    starts = renewal_from(subscription, max(item.move.holds_from, at + notice()))
    if _change(item, subscription, new, starts, at=at):
        item.state = State.PLANNED
        _note(subscription, "move_planned", item.move, at=at)


def _go_back(item: PlanMoveItem, subscription: Subscription, *, at: dt.datetime) -> None:
    if item.state in (State.WAITING, State.BLOCKED):
        item.state, item.told_at = State.UNDONE, at  # nobody heard of it, nobody need be told
    elif item.state == State.PLANNED and item.change is not None:
        subscription.changes.filter(pk=item.change.pk, settled_at=None).update(settled_at=at)
        commands.tell_plan(subscription, by=ACTOR, at=at)
        was_told = item.told_at is not None
        item.state, item.told_at = State.UNDONE, None if was_told else at
        _note(subscription, "move_undone", item.move, at=at)
    elif item.state == State.DONE:
        if subscription.ended_at is not None or subscription.price_id != item.new_price_id:
            item.state = State.LEFT
        elif _change(item, subscription, item.old_price, subscription.period_end, at=at):
            item.state, item.told_at = State.RETURNING, None
            _note(subscription, "move_undone", item.move, at=at)


def _change(
    item: PlanMoveItem, subscription: Subscription, price: Price, starts: dt.datetime, *,
    at: dt.datetime,
) -> bool:  # fmt: skip
    """Plan the price for a renewal, unless the company planned one itself: then later."""
    if subscription.changes.filter(kind=PRICE, settled_at=None).exists():
        return False
    item.change = PendingChange.objects.create(
        subscription=subscription, kind=PRICE, target=price.pk,
        effective_at=starts, by=ACTOR, at=at,
    )  # fmt: skip
    commands.tell_plan(subscription, by=ACTOR, at=at)
    return True


def _note(subscription: Subscription, verb: str, move: PlanMove, *, at: dt.datetime) -> None:
    BillingEntry.objects.create(
        account=subscription.account, verb=verb, by=move.undone_by or move.agreed_by, at=at,
        reason=move.undo_reason or move.reason, facts={"version": move.target.number},
    )  # fmt: skip
