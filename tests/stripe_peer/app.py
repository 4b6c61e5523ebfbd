"""One request, from its text to its answer: contract, faults, idempotency, then the work."""

import hashlib
import json
import traceback
from dataclasses import dataclass, field

from tests.stripe_peer import (  # noqa: F401  each registers its routes
    account,
    catalogue,
    checkout,
    credit_notes,
    customers,
    errors,
    faults,
    forms,
    invoice_api,
    payments,
    portal,
    previews,
    schedules,
    subscription_changes,
    subscriptions,
)
from tests.stripe_peer.clock import DAY
from tests.stripe_peer.contract import Operation
from tests.stripe_peer.store import random_word
from tests.stripe_peer.world import ROUTES, Asked, Saved, World

DEEPEST = 4


@dataclass
class Request:
    """A request to the API; names of headers are in lower case."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]

    @property
    def form(self) -> str:
        return self.body if self.method == "POST" else self.query

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key") if self.method == "POST" else None


@dataclass
class Answer:
    """An answer; `drop`: the connection ends instead, `wait`: after that many seconds."""

    status: int
    body: dict
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    wait: float = 0


def answer(world: World, request: Request) -> Answer:
    """Answer as Stripe would, or as the fault that was asked for."""
    ident = f"req_{random_word(14)}"
    with world.lock:
        world.settle()
        world.asked = Asked(ident, request.key)
        try:
            made = _checked(world, request)
            world.settle()
        except errors.Refused as refused:
            made = Answer(refused.status, refused.body)
        finally:
            world.asked = Asked()
    made.headers |= {"Request-Id": ident, "Stripe-Version": world.contract.version}
    if request.key:
        made.headers["Idempotency-Key"] = request.key
    return made


def note(world: World, kind: str, request: Request, finding: str) -> None:
    world.note(kind, f"{request.method} {request.path}", finding)


def _checked(world: World, request: Request) -> Answer:
    _demand_key(request)
    sent = request.headers.get("stripe-version", world.contract.version)
    if sent != world.contract.version:
        note(world, "version", request, sent)
        raise errors.invalid(f"Invalid Stripe API version: {sent}")
    found = world.contract.match(request.method, request.path)
    if found is None:
        note(world, "path", request, "no such operation")
        raise errors.Refused(
            404, f"Unrecognized request URL ({request.method}: {request.path}).",
            kind="invalid_request_error",
        )  # fmt: skip
    operation, words = found
    world.log.requests[f"{request.method} {operation.path}"] += 1
    params, findings = world.contract.read_params(operation, forms.parse(request.form))
    for each in findings:
        note(world, "request", request, f"{each.param}: {each.message}")
    if findings:
        raise errors.invalid(findings[0].message, findings[0].param, findings[0].code)
    fault = world.faults.of(request.method, request.path)
    early = _before(fault)
    if early is not None:
        return early
    made = _once(world, request, operation, words, params, fault)
    if fault is not None:
        made.drop = fault.kind == faults.DROP_AFTER
        made.wait = fault.seconds if fault.kind == faults.HANG else 0
    return made


def _demand_key(request: Request) -> None:
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if kind != "Bearer" or not key.startswith(("sk_test_", "rk_test_")):
        raise errors.Refused(
            401, "Invalid API Key provided. This peer takes test keys only.",
            kind="invalid_request_error",
        )  # fmt: skip


def _before(fault) -> Answer | None:
    """The answer of a fault that comes before anything is done."""
    kind = fault and fault.kind
    if kind == faults.DROP_BEFORE:
        return Answer(0, {}, drop=True)
    if kind == faults.UNSAVED_500:
        return _broken()
    if kind == faults.TOO_MANY:
        text = "Request rate limit exceeded."
        raise errors.Refused(429, text, kind="invalid_request_error", code="rate_limit")
    if kind == faults.LOCKED:
        text = "This object cannot be accessed right now because another API request or Stripe " \
               "process is currently accessing it."  # fmt: skip
        raise errors.Refused(409, text, kind="invalid_request_error", code="lock_timeout")
    return None


def _broken() -> Answer:
    return Answer(500, {"error": {"type": "api_error", "message": "An unknown error occurred."}})


# -- idempotency ---------------------------------------------------------------------------------


def _once(world, request, operation, words, params, fault) -> Answer:
    """Do the work unless the key was used; then its answer is given again, a 500 too.

    Source: Stripe, "Idempotent requests": kept for 24 hours, refused with other parameters.
    """
    if request.key is None:
        return _worked(world, request, operation, words, params)
    now = world.timeline.now()
    written = json.dumps([request.method, request.path, forms.parse(request.form)], sort_keys=True)
    fingerprint = hashlib.sha256(written.encode()).hexdigest()
    saved = world.saved.get(request.key)
    if saved is not None and saved.at + DAY > now:
        if saved.fingerprint != fingerprint:
            raise errors.Refused(
                400, f"Keys for idempotent requests can only be used with the same parameters "
                f"they were first used with. Try using a key other than '{request.key}' if you "
                "meant to execute a different request.", kind="idempotency_error",
            )  # fmt: skip
        return Answer(saved.status, saved.body, {"Idempotent-Replayed": "true"})
    if fault is not None and fault.kind == faults.SAVED_500:
        made = _broken()
    else:
        made = _worked(world, request, operation, words, params)
        if fault is not None and fault.kind == faults.APPLIED_500:
            made = _broken()
    world.saved[request.key] = Saved(fingerprint, made.status, made.body, now)
    return made


# -- the work ------------------------------------------------------------------------------------


def _worked(world: World, request: Request, operation: Operation, words, params) -> Answer:
    try:
        body = _reply(world, operation, words, params)
    except errors.Refused as refused:
        return Answer(refused.status, refused.body)
    except NotImplementedError as unspoken:
        note(world, "unspoken", request, str(unspoken))
        text = f"The Stripe peer does not speak {unspoken}."
        return Answer(400, {"error": {"type": "invalid_request_error", "message": text}})
    except Exception:  # noqa: BLE001  recorded, and fails the test
        note(world, "bug", request, traceback.format_exc())
        return _broken()
    for finding in world.contract.check_reply(operation, body):
        note(world, "reply", request, finding)
    return Answer(200, body)


def _reply(world: World, operation: Operation, words, params) -> dict:
    route = ROUTES.get((operation.method, operation.path))
    if route is None:
        raise NotImplementedError(operation.name)
    other = sorted(set(params) - route.takes)
    if other:
        raise NotImplementedError(f"{operation.name} with {other[0]}")
    expand = params.get("expand", [])
    if any(path.count(".") >= DEEPEST for path in expand):
        raise errors.invalid(
            f"You cannot expand more than {DEEPEST} levels of a property.", "expand[]"
        )
    return world.store.shown(route.answer(world, params, *words), expand)
