"""What a change of a subscription costs, worked out once for the preview and for the change."""

from dataclasses import dataclass, field
from fractions import Fraction

from tests.stripe_peer import catalogue, errors, lines
from tests.stripe_peer.clock import period_at
from tests.stripe_peer.store import copied, random_word
from tests.stripe_peer.world import World, set_metadata

ITEM_TAKES = {"id", "price", "quantity", "deleted", "metadata", "clear_usage"}
MOST_ITEMS = 20


@dataclass
class Change:
    """The items as they will be, what is billed for that, and the period that begins, if one
    does.
    """

    items: list[dict]
    rows: list[dict] = field(default_factory=list)
    period: tuple[int, int] | None = None
    anchor: int | None = None
    trial_end: int | None = None
    ends_trial: bool = False
    at_once: bool = False
    """Whether it is billed now, not with the next renewal."""


def items_of(subscription: dict) -> list[dict]:
    return subscription["items"]["data"]


def period_of(subscription: dict) -> tuple[int, int]:
    item = items_of(subscription)[0]
    return item["current_period_start"], item["current_period_end"]


def interval_of(items: list[dict]) -> tuple[str, int]:
    recurring = items[0]["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def next_period(items: list[dict], anchor: int, at: int) -> tuple[int, int]:
    return period_at(anchor, *interval_of(items), at)


# -- items ---------------------------------------------------------------------------------------


def new_item(world: World, subscription: str, written: dict, param: str) -> dict:
    """An item that is not in any subscription yet."""
    _demand_spoken(written, param)
    price = world.store.find("price", written.get("price", ""), f"{param}[price]")
    made = world.draft(
        "subscription_item", "si", subscription=subscription, tax_rates=[], metadata={},
        quantity=written.get("quantity", 1),
    )  # fmt: skip
    made["id"] = f"si_{random_word(14)}"
    _price(world, made, price, param)
    set_metadata(made, written)
    return made


def _price(world: World, item: dict, price: dict, param: str) -> None:
    if price["recurring"] is None:
        raise errors.invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`.", f"{param}[price]",
        )  # fmt: skip
    if not price["active"]:
        raise errors.invalid(
            "The price specified is inactive. This field only accepts active prices.",
            f"{param}[price]",
        )
    item["price"] = copied(price)
    item["plan"] = catalogue.plan_of(price, world)


def _demand_spoken(written: dict, param: str) -> None:
    other = set(written) - ITEM_TAKES
    if other:
        raise NotImplementedError(f"{param}[{min(other)}]")


def changed_items(world: World, subscription: dict, written: list[dict]) -> list[dict]:
    """Copies of the items with the written changes; what is not named stays."""
    items = [copied(each) for each in items_of(subscription)]
    for place, each in enumerate(written):
        param = f"items[{place}]"
        if "id" not in each:
            made = new_item(world, subscription["id"], each, param)
            if any(known["price"]["id"] == made["price"]["id"] for known in items):
                raise errors.invalid(
                    f"Cannot add multiple subscription items with the same plan: "
                    f"{made['price']['id']}", param,
                )  # fmt: skip
            items.append(made)
            continue
        found = next((known for known in items if known["id"] == each["id"]), None)
        if found is None:
            raise errors.missing("subscription_item", each["id"], f"{param}[id]")
        _demand_spoken(each, param)
        if each.get("deleted"):
            items.remove(found)
            continue
        if "price" in each and each["price"] != found["price"]["id"]:
            price = world.store.find("price", each["price"], f"{param}[price]")
            _price(world, found, price, param)
        found["quantity"] = each.get("quantity", found["quantity"])
        set_metadata(found, each)
    return demand_sound(subscription["currency"], items)


def demand_sound(currency: str, items: list[dict]) -> list[dict]:
    """The items, if they can be in one subscription."""
    if not items:
        raise errors.invalid("A subscription must have at least one active plan.", "items")
    if len(items) > MOST_ITEMS:
        raise errors.invalid(f"A subscription has at most {MOST_ITEMS} items.", "items")
    if len({(interval_of([each])) for each in items}) > 1:
        raise errors.invalid("All items of this peer's subscriptions share one interval.", "items")
    for each in items:
        if each["price"]["currency"] != currency:
            raise errors.invalid(
                "The price specified only supports "
                f"`{each['price']['currency']}`. This doesn't match the expected currency: "
                f"`{currency}`.", "items",
            )  # fmt: skip
        if each["quantity"] < 0:
            raise errors.invalid("Invalid non-negative integer", "items[quantity]")
    return items


# -- what it costs -------------------------------------------------------------------------------


def plan(world: World, subscription: dict, params: dict) -> Change:
    """Work out the change that `params` (of an update or a preview) ask for; changes nothing."""
    now = world.now(subscription["customer"])
    at = _proration_date(subscription, params, now)
    items = changed_items(world, subscription, params.get("items", []))
    behavior = params.get("proration_behavior", "create_prorations")
    trialing = subscription["status"] == "trialing"
    change = Change(items)
    if _restarts(subscription, items, params):
        _restart(world, subscription, change, now, at, prorate=behavior != "none")
    elif isinstance(params.get("trial_end"), int):
        _try_longer(world, subscription, change, params["trial_end"], now)
    elif behavior != "none" and not trialing:
        change.rows = prorations(world, subscription, items, at)
        change.at_once = behavior == "always_invoice" and bool(change.rows)
    return change


def _proration_date(subscription: dict, params: dict, now: int) -> int:
    at = params.get("proration_date", now)
    start, end = period_of(subscription)
    if "proration_date" in params and not start <= at <= end:
        raise errors.invalid(
            "Cannot specify `proration_date` outside of the current billing period.",
            "proration_date",
        )
    return min(max(at, start), end)


def _restarts(subscription: dict, items: list[dict], params: dict) -> bool:
    anchor = params.get("billing_cycle_anchor")
    trialing = subscription["status"] == "trialing"
    return (
        (isinstance(anchor, dict) and anchor.get("type") == "now")
        or (params.get("trial_end") == "now" and trialing)
        or (not trialing and interval_of(items) != interval_of(items_of(subscription)))
    )


def _restart(world, subscription, change, now, at, *, prorate) -> None:
    """A new period from now on; what is left of the old one is given back."""
    trialing = subscription["status"] == "trialing"
    change.anchor = now
    change.ends_trial = trialing
    change.period = next_period(change.items, now, now)
    change.at_once = True
    if prorate and not trialing:
        change.rows = [
            lines.prorated(world, subscription, each, at, unused=True)
            for each in items_of(subscription)
        ]
    change.rows += [lines.full(world, subscription, each, change.period) for each in change.items]


def _try_longer(world, subscription, change, until: int, now: int) -> None:
    if until <= now:
        raise errors.invalid("The trial_end must be in the future.", "trial_end")
    change.trial_end = change.anchor = until
    change.period = (now, until)
    change.at_once = True
    if subscription["status"] != "trialing":
        change.rows = [
            lines.prorated(world, subscription, each, now, unused=True)
            for each in items_of(subscription)
        ]
    change.rows += [
        lines.full(world, subscription, each, change.period, free=True) for each in change.items
    ]


def prorations(world: World, subscription: dict, items: list[dict], at: int) -> list[dict]:
    """One line for the unused and one for the remaining time of each item that changes."""
    before = {each["id"]: each for each in items_of(subscription)}
    now = {each["id"]: each for each in items}
    start, end = period_of(subscription)
    rows = []
    for ident in {**before, **now}:
        old, new = before.get(ident), now.get(ident)
        if old and new and _same(old, new):
            continue
        if old:
            rows.append(lines.prorated(world, subscription, old, at, unused=True))
        if new:
            new = {**new, "current_period_start": start, "current_period_end": end}
            rows.append(lines.prorated(world, subscription, new, at, unused=False))
    return rows


def _same(old: dict, new: dict) -> bool:
    return old["price"]["id"] == new["price"]["id"] and old["quantity"] == new["quantity"]


def first_period(world: World, items: list[dict], anchor: int, at: int) -> tuple:
    """The period that begins a subscription, and the share of it that is billed."""
    if anchor <= at:
        return next_period(items, at, at), Fraction(1)
    start, end = next_period(items, anchor, at)
    return (at, end), Fraction(end - at, end - start)


def apply(world: World, subscription: dict, change: Change) -> None:
    """Write the change on the subscription; the caller tells of it."""
    start, end = change.period or period_of(subscription)
    for each in change.items:
        each.update(current_period_start=start, current_period_end=end)
    subscription["items"]["data"] = change.items
    if change.anchor is not None:
        subscription["billing_cycle_anchor"] = change.anchor
    if change.ends_trial:
        subscription.update(status="active", trial_end=world.now(subscription["customer"]))
    if change.trial_end is not None:
        subscription.update(
            status="trialing", trial_end=change.trial_end,
            trial_start=subscription["trial_start"] or start,
        )  # fmt: skip
