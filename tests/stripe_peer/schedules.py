"""Subscription schedules: changes that happen when a period ends."""

from tests.stripe_peer import changes, errors, invoice_api, renewals
from tests.stripe_peer.clock import after
from tests.stripe_peer.world import (
    PAGING,
    World,
    action,
    demand,
    route,
    set_metadata,
)

PATH = "/v1/subscription_schedules"
LIVE = {"active", "not_started"}
PHASE_TAKES = {"items", "start_date", "end_date", "duration", "proration_behavior", "metadata",
               "trial_end", "trial", "currency"}  # fmt: skip


@route("post", PATH, "from_subscription", "metadata", "end_behavior")
def create(world: World, params):
    """A schedule of what the subscription is now; phases are added by an update."""
    demand(params, "from_subscription")
    found = world.store.find("subscription", params["from_subscription"], "from_subscription")
    if found["status"] in renewals.OVER:
        raise errors.invalid("You cannot attach a schedule to a canceled subscription.")
    if found["schedule"]:
        raise errors.invalid(
            "You cannot migrate a subscription that is already attached to a schedule: "
            f"{found['schedule']}.", "from_subscription",
        )  # fmt: skip
    at = world.now(found["customer"])
    start, end = changes.period_of(found)
    made = world.make(
        "subscription_schedule", "sub_sched", customer=found["customer"], status="active",
        subscription=found["id"], end_behavior=params.get("end_behavior", "release"),
        current_phase={"start_date": start, "end_date": end}, metadata={}, created=at,
        billing_mode=dict(found["billing_mode"]), test_clock=found["test_clock"],
    )  # fmt: skip
    made["default_settings"]["billing_cycle_anchor"] = "automatic"
    made["default_settings"]["collection_method"] = found["collection_method"]
    made["default_settings"]["invoice_settings"]["issuer"] = {"account": None, "type": "self"}
    made["phases"] = [_phase(world, made, {
        "items": [
            {"price": each["price"]["id"], "quantity": each["quantity"]}
            for each in changes.items_of(found)
        ],
    }, start, end, found["currency"])]  # fmt: skip
    set_metadata(made, params)
    with world.changing(found, renewals.UPDATED):
        found["schedule"] = made["id"]
    world.emit("subscription_schedule.created", made)
    return made


def _phase(world: World, schedule: dict, written: dict, start: int, end: int, currency: str):
    other = sorted(set(written) - PHASE_TAKES)
    if other:
        raise NotImplementedError(f"phases[{other[0]}]")
    items = []
    for each in written["items"]:
        price = world.store.find("price", each.get("price", ""), "phases[items][price]")
        items.append(
            world.part(
                "subscription_schedule", "Phase.Item", price=price["id"], plan=price["id"],
                quantity=each.get("quantity", 1), metadata=each.get("metadata") or {},
                discounts=[], tax_rates=[],
            )
        )  # fmt: skip
    return world.part(
        "subscription_schedule", "Phase", items=items, start_date=start, end_date=end,
        currency=currency, metadata=written.get("metadata") or {}, add_invoice_items=[],
        proration_behavior=written.get("proration_behavior", "create_prorations"), discounts=[],
    )  # fmt: skip


@route("get", PATH + "/{}")
def retrieve(world: World, params, ident):
    return world.store.find("subscription_schedule", ident)


@route("get", PATH, "customer", *PAGING)
def list_all(world: World, params):
    rows = world.store.all("subscription_schedule")
    if "customer" in params:
        rows = [each for each in rows if each["customer"] == params["customer"]]
    return world.store.page(rows, params, PATH)


@route("post", PATH + "/{}", "phases", "metadata", "end_behavior", "proration_behavior")
def update(world: World, params, ident):
    found = _live(world, ident)
    with world.changing(found, "subscription_schedule.updated"):
        if "phases" in params:
            found["phases"] = _phases(world, found, params["phases"])
        found["end_behavior"] = params.get("end_behavior", found["end_behavior"])
        set_metadata(found, params)
    for each in found["phases"]:
        world.plan(each["end_date"], phase_over, found)
    return found


def _phases(world: World, found: dict, written: list[dict]) -> list[dict]:
    """The phases one after the other; the running one keeps its beginning and its items."""
    subscription = world.store.find("subscription", found["subscription"])
    running = found["current_phase"]
    if not written or written[0].get("start_date") != running["start_date"]:
        raise errors.invalid(
            "You must pass the current phase, with its start_date, as the first of the phases.",
            "phases[0][start_date]",
        )
    made, start = [], running["start_date"]
    for place, each in enumerate(written):
        if place and each.get("start_date", start) != start:
            raise errors.invalid(
                "A phase begins when the one before it ends.", f"phases[{place}][start_date]"
            )
        end = _end_of(each, start, place, last=place == len(written) - 1, world=world)
        if end <= start:
            raise errors.invalid("A phase ends after it begins.", f"phases[{place}][end_date]")
        made.append(_phase(world, found, each, start, end, subscription["currency"]))
        start = end
    running["end_date"] = made[0]["end_date"]
    return made


def _end_of(written: dict, start: int, place: int, *, last: bool, world: World) -> int:
    if "end_date" in written and isinstance(written["end_date"], int):
        return written["end_date"]
    if "duration" in written:
        lasts = written["duration"]
        return after(start, lasts["interval"], lasts.get("interval_count", 1))
    if not last:
        raise errors.invalid(
            "Every phase but the last needs an end_date or a duration.",
            f"phases[{place}][end_date]",
        )
    price = world.store.find("price", written["items"][0]["price"], "phases[items][price]")
    return after(start, price["recurring"]["interval"], price["recurring"]["interval_count"])


@route("post", PATH + "/{}/release", "preserve_cancel_date")
def release(world: World, params, ident):
    found = _live(world, ident)
    _let_go(world, found)
    return found


@route("post", PATH + "/{}/cancel", "invoice_now", "prorate")
def cancel(world: World, params, ident):
    """End the schedule and its subscription."""
    found = _live(world, ident)
    at = world.now(found["customer"])
    subscription = world.store.find("subscription", found["subscription"])
    found.update(status="canceled", canceled_at=at, current_phase=None)
    subscription["schedule"] = None
    if subscription["status"] not in renewals.OVER:
        renewals.end(world, subscription, reason="cancellation_requested")
    world.emit("subscription_schedule.canceled", found)
    return found


def _live(world: World, ident: str) -> dict:
    found = world.store.find("subscription_schedule", ident)
    if found["status"] not in LIVE:
        raise errors.invalid(
            f"You cannot change a subscription schedule that is currently in the "
            f"`{found['status']}` status."
        )
    return found


def _let_go(world: World, found: dict) -> None:
    subscription = world.store.find("subscription", found["subscription"])
    found.update(
        status="released", released_at=world.now(found["customer"]), current_phase=None,
        released_subscription=subscription["id"], subscription=None,
    )  # fmt: skip
    with world.changing(subscription, renewals.UPDATED):
        subscription["schedule"] = None
    world.emit("subscription_schedule.released", found)


def ended(world: World, found: dict) -> None:
    """Its subscription is over."""
    if found["status"] in LIVE:
        at = world.now(found["customer"])
        found.update(status="canceled", canceled_at=at, current_phase=None)
        world.emit("subscription_schedule.canceled", found)


# -- time ----------------------------------------------------------------------------------------


def _next(world: World, subscription: dict, when: int) -> tuple[dict | None, dict | None]:
    """The schedule whose running phase ends then, and the phase that follows."""
    found = world.store.get(subscription["schedule"])
    if not found or found["status"] not in LIVE or found["current_phase"]["end_date"] > when:
        return None, None
    following = next((each for each in found["phases"] if each["end_date"] > when), None)
    return found, following


def items_at(world: World, subscription: dict, when: int) -> list[dict] | None:
    """The items that a phase beginning then would give the subscription."""
    _, phase = _next(world, subscription, when)
    return _items(world, subscription, phase) if phase else None


def _items(world: World, subscription: dict, phase: dict) -> list[dict]:
    """The items of a phase: those of the same price, or in the same place, keep their id."""
    now = changes.items_of(subscription)
    written = []
    for place, each in enumerate(phase["items"]):
        same = next((known for known in now if known["price"]["id"] == each["price"]), None)
        same = same or (now[place] if len(now) == len(phase["items"]) else None)
        entry = {"price": each["price"], "quantity": each["quantity"]}
        written.append({"id": same["id"], **entry} if same else entry)
    kept = {each.get("id") for each in written}
    written += [{"id": each["id"], "deleted": True} for each in now if each["id"] not in kept]
    return changes.changed_items(world, subscription, written)


def begin_phase(world: World, subscription: dict, when: int) -> bool:
    """At the end of a period: take over the next phase. False if the subscription ended."""
    found, phase = _next(world, subscription, when)
    return found is None or _step(world, subscription, found, phase, when)


def _step(world: World, subscription: dict, found: dict, phase: dict | None, when: int) -> bool:
    if phase is None:
        if found["end_behavior"] == "cancel":
            found.update(status="completed", completed_at=when, current_phase=None)
            world.emit("subscription_schedule.completed", found)
            renewals.end(world, subscription, reason="cancellation_requested")
            return False
        _let_go(world, found)
        return True
    items = _items(world, subscription, phase)
    moved = changes.interval_of(items) != changes.interval_of(changes.items_of(subscription))
    subscription["items"]["data"] = items
    if moved:
        subscription["billing_cycle_anchor"] = when
    with world.changing(found, "subscription_schedule.updated"):
        found["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    return True


@action
def phase_over(world: World, found: dict, when: int) -> None:
    """A phase ends in the middle of a period: what is otherwise from then on is prorated."""
    subscription = world.store.get(found["subscription"])
    if not subscription or subscription["status"] in renewals.OVER | {"paused", "incomplete"}:
        return
    if changes.period_of(subscription)[1] == when:
        return  # `begin_phase` does it when the subscription renews
    running, phase = _next(world, subscription, when)
    if running is None:
        return
    rows = []
    if phase and phase["proration_behavior"] != "none":
        rows = changes.prorations(world, subscription, _items(world, subscription, phase), when)
    with world.changing(subscription, renewals.UPDATED):
        _step(world, subscription, found, phase, when)
        start, end = changes.period_of(subscription)
        for each in changes.items_of(subscription):
            each.update(current_period_start=start, current_period_end=end)
    for each in rows:
        invoice_api.add_pending(
            world, subscription["customer"], each, subscription=subscription["id"],
            proration=True,
        )  # fmt: skip
