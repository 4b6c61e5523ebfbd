"""Webhook endpoints, events and test clocks."""

from tests.stripe_peer import errors
from tests.stripe_peer.clock import DAY, Timeline
from tests.stripe_peer.store import random_word
from tests.stripe_peer.world import (
    PAGING,
    World,
    deleted,
    demand,
    route,
    set_fields,
    set_metadata,
)

# -- webhook endpoints ---------------------------------------------------------------------------


@route("post", "/v1/webhook_endpoints", "url", "enabled_events", "api_version", "description",
       "metadata")  # fmt: skip
def create_endpoint(world: World, params):
    """The secret is told once, here."""
    secret = f"whsec_{random_word(32)}"
    made = world.make(
        "webhook_endpoint", "we", url=params["url"], enabled_events=params["enabled_events"],
        status="enabled", api_version=params.get("api_version"), metadata={},
    )  # fmt: skip
    made.pop("secret")
    set_fields(made, params, "description")
    set_metadata(made, params)
    world.store.hidden[made["id"]]["secret"] = secret
    return {**made, "secret": secret}


@route("get", "/v1/webhook_endpoints/{}")
def get_endpoint(world: World, params, ident):
    return world.store.find("webhook_endpoint", ident)


@route("post", "/v1/webhook_endpoints/{}", "url", "enabled_events", "description", "disabled",
       "metadata")  # fmt: skip
def update_endpoint(world: World, params, ident):
    found = world.store.find("webhook_endpoint", ident)
    set_fields(found, params, "url", "enabled_events", "description")
    set_metadata(found, params)
    if "disabled" in params:
        found["status"] = "disabled" if params["disabled"] else "enabled"
    return found


@route("delete", "/v1/webhook_endpoints/{}")
def delete_endpoint(world: World, params, ident):
    found = world.store.find("webhook_endpoint", ident)
    world.store.drop(found)
    return deleted(found)


@route("get", "/v1/webhook_endpoints", *PAGING)
def list_endpoints(world: World, params):
    rows = world.store.all("webhook_endpoint")
    return world.store.page(rows, params, "/v1/webhook_endpoints")


# -- events --------------------------------------------------------------------------------------


@route("get", "/v1/events/{}")
def get_event(world: World, params, ident):
    return world.store.find("event", ident)


@route("get", "/v1/events", "type", "types", *PAGING)
def list_events(world: World, params):
    """Of the last 30 days."""
    if "type" in params and "types" in params:
        raise errors.invalid("You may pass either type or types, not both.", "type")
    since = world.now() - 30 * DAY
    wanted = set(params.get("types", ())) | {params[name] for name in ("type",) if name in params}
    rows = [
        each for each in world.store.all("event")
        if each["created"] >= since and (not wanted or _is_of(each["type"], wanted))
    ]  # fmt: skip
    return world.store.page(rows, params, "/v1/events")


def _is_of(kind: str, wanted: set[str]) -> bool:
    return kind in wanted or any(
        each.endswith("*") and kind.startswith(each[:-1]) for each in wanted
    )


# -- test clocks ---------------------------------------------------------------------------------

CLOCKS = "/v1/test_helpers/test_clocks"
CLOCK = "test_helpers.test_clock"


@route("post", CLOCKS, "frozen_time", "name")
def create_clock(world: World, params):
    demand(params, "frozen_time")
    made = world.make(
        CLOCK, "clock", frozen_time=params["frozen_time"], name=params.get("name"),
        status="ready", deletes_after=world.now() + 30 * DAY,
    )  # fmt: skip
    world.test_clocks[made["id"]] = Timeline(params["frozen_time"])
    world.emit("test_helpers.test_clock.created", made)
    return made


@route("post", CLOCKS + "/{}/advance", "frozen_time")
def advance_clock(world: World, params, ident):
    """All happens before the answer, which says `advancing` as Stripe's does."""
    found = world.store.find(CLOCK, ident)
    to = params["frozen_time"]
    if to <= found["frozen_time"]:
        raise errors.invalid("The new time must be after the current frozen time.", "frozen_time")
    world.advance(world.test_clocks[ident], to)
    found["frozen_time"] = to
    found["status"] = "advancing"
    world.emit("test_helpers.test_clock.advancing", found)
    said = world.store.shown(found)
    said["status_details"]["advancing"] = {"target_frozen_time": to}
    found["status"] = "ready"
    world.emit("test_helpers.test_clock.ready", found)
    return said


@route("get", CLOCKS + "/{}")
def get_clock(world: World, params, ident):
    return world.store.find(CLOCK, ident)


@route("get", CLOCKS, *PAGING)
def list_clocks(world: World, params):
    return world.store.page(world.store.all(CLOCK), params, CLOCKS)


@route("delete", CLOCKS + "/{}")
def delete_clock(world: World, params, ident):
    """Its customers go with it."""
    found = world.store.find(CLOCK, ident)
    for each in world.store.all("customer", test_clock=ident):
        world.store.hidden[each["id"]]["deleted"] = True
        for subscription in world.store.all("subscription", customer=each["id"]):
            subscription.update(status="canceled", ended_at=found["frozen_time"])
    world.emit("test_helpers.test_clock.deleted", found)
    world.store.drop(found)
    return deleted(found)
