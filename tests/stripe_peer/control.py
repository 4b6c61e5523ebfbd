"""The peer's own routes, under /_peer/, by which tests steer it and look into it."""

from collections import Counter, defaultdict

from tests.stripe_peer.clock import START
from tests.stripe_peer.world import World


def control(world: World, path: str, facts: dict) -> dict | list:
    """Answer one of the routes below; a wrong name is a KeyError."""
    return CONTROLS[path](world, facts)


def _reset(world: World, facts: dict) -> dict:
    with world.lock:
        world.reset(at=facts.get("at", START))
    return {}


def _clock(world: World, facts: dict) -> dict:
    """to (Unix seconds) or by (seconds); neither: only ask."""
    with world.lock:
        now = world.timeline.now()
        to = facts.get("to", now + facts.get("by", 0))
        if to > now:
            world.advance(world.timeline, to)
        return {"now": world.timeline.now()}


def _settings(world: World, facts: dict) -> dict:
    with world.lock:
        for name, value in facts.items():
            if not hasattr(world.settings, name):
                raise KeyError(name)
            setattr(world.settings, name, value)
        return dict(vars(world.settings))


def _fault(world: World, facts: dict) -> dict:
    with world.lock:
        world.faults.add(facts)
    return {}


def _fault_rate(world: World, facts: dict) -> dict:
    with world.lock:
        world.faults.set_rate(facts)
    return {}


def _no_faults(world: World, facts: dict) -> dict:
    """Make none any more; tells how many were made of each kind."""
    with world.lock:
        made = world.faults.made
        world.faults = type(world.faults)()
        return made


def _decline(world: World, facts: dict) -> dict:
    """Decline all charges of a customer with a decline code, or with null no more."""
    with world.lock:
        world.store.find("customer", facts["customer"])
        world.store.hidden[facts["customer"]]["decline"] = facts.get("code", "generic_decline")
    return {}


def _fail_finalization(world: World, facts: dict) -> dict:
    """Let no invoice of a customer become final, or (on=False) let them again."""
    with world.lock:
        world.store.find("customer", facts["customer"])
        world.store.hidden[facts["customer"]]["cannot_finalize"] = facts.get("on", True)
    return {}


def _verify_tax_id(world: World, facts: dict) -> dict:
    """Have the office answer about a tax number: status verified, unverified, …"""
    with world.lock:
        found = world.store.find("tax_id", facts["id"])
        with world.changing(found, "customer.tax_id.updated"):
            found["verification"]["status"] = facts["status"]
    return {}


def _dispute(world: World, facts: dict) -> dict:
    """Have a customer dispute a charge."""
    with world.lock:
        charge = world.store.find("charge", facts["charge"])
        made = world.make(
            "dispute", "du", amount=charge["amount"], charge=charge["id"], reason="fraudulent",
            currency=charge["currency"], payment_intent=charge["payment_intent"],
            status="needs_response", is_charge_refundable=False, balance_transactions=[],
        )  # fmt: skip
        made["evidence_details"]["submission_method"] = "not_submitted"
        charge["disputed"] = True
        world.emit("charge.dispute.created", made)
        return world.store.shown(made)


def _webhooks(world: World, facts: dict) -> dict:
    world.webhooks.set_mode(facts)
    return {}


def _counts(world: World, facts: dict) -> dict:
    """Requests by operation, objects by kind, and what was made more than once of a command."""
    with world.lock:
        by_command: dict[str, Counter] = defaultdict(Counter)
        for kind, found in world.store.kinds.items():
            for each in found.values() if kind != "event" else ():
                command = (each.get("metadata") or {}).get("command_id")
                if command:
                    by_command[command][kind] += 1
        return {
            "requests": dict(world.log.requests),
            "objects": {kind: len(found) for kind, found in world.store.kinds.items()},
            "faults": dict(world.faults.made),
            "duplicates": {
                command: {kind: count for kind, count in kinds.items() if count > 1}
                for command, kinds in by_command.items() if max(kinds.values()) > 1
            },
        }  # fmt: skip


def _object(world: World, facts: dict) -> dict:
    with world.lock:
        return world.store.shown(world.store.get(facts["id"]) or {}, facts.get("expand"))


def _set(world: World, facts: dict) -> dict:
    """Write fields of an object as they are, also such as no version of the API has yet."""
    with world.lock:
        found = world.store.get(facts["id"])
        found.update(facts["fields"])
        return world.store.shown(found)


def _objects(world: World, facts: dict) -> list:
    with world.lock:
        return [world.store.shown(each) for each in world.store.all(facts["kind"])]


def _violations(world: World, facts: dict) -> list:
    """What was wrong so far; `forget`: and forget it."""
    with world.lock:
        found = list(world.log.violations)
        if facts.get("forget"):
            world.log.violations.clear()
        return found


CONTROLS = {
    "reset": _reset, "clock": _clock, "settings": _settings, "fault": _fault,
    "fault_rate": _fault_rate, "no_faults": _no_faults, "decline": _decline,
    "fail_finalization": _fail_finalization, "verify_tax_id": _verify_tax_id, "dispute": _dispute,
    "webhooks": _webhooks, "counts": _counts, "object": _object, "set": _set, "objects": _objects,
    "violations": _violations,
    "webhooks/take": lambda world, facts: world.webhooks.take(),
    "webhooks/flush": lambda world, facts: world.webhooks.flush(),
    "webhooks/wait": lambda world, facts: {
        "settled": world.webhooks.settled(facts.get("timeout", 10))
    },
}  # fmt: skip
