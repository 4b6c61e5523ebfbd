"""Stripe's own scripts, each of which makes Stripe send one event, run against the peer."""

import http.client
import json
import re
from urllib.parse import urlencode, urlsplit

import pytest

from tests.stripe_peer.test_contract import flat

pytestmark = pytest.mark.shared_data
SAYS_NO = ("does not speak", "Unrecognized request URL", "Received unknown parameter")
"""How a step is refused that is not in the peer's part of the API, or not in the API any more."""
OTHER_NAMES = {
    "subscription.payment_failed": "invoice.payment_failed",
    "subscription.payment_succeeded": "invoice.payment_succeeded",
}
"""Scripts that are not named after an event."""
MEANT = ("bug", "reply", "event")


def test_demand_01_stripes_scripts_cause_their_events_without_a_violation(peer, shared_data, say):
    ran, failed = [], {}
    for path in sorted((shared_data / "stripe" / "triggers").glob("*.json")):
        peer.reset()
        peer.stripe().v1.billing_portal.configurations.create(
            {"features": {"invoice_history": {"enabled": True}}}
        )
        ended = _run(peer, json.loads(path.read_text())["fixtures"])
        wrong = [each for each in peer.violations(forget=True) if each["kind"] in MEANT]
        if ended and ended.startswith("no: "):
            assert not wrong, wrong
            continue
        ran.append(path.stem)
        caused = {each["type"] for each in peer.objects("event")}
        if ended or wrong or OTHER_NAMES.get(path.stem, path.stem) not in caused:
            failed[path.stem] = (ended, wrong)
    say(f"Stripe's trigger scripts: {len(ran)} are of the peer's part, {len(failed)} failed")
    assert not failed
    assert len(ran) == 41


def _run(peer, steps: list[dict]) -> str | None:
    """Why a script ended early, if it did; `no: ` if the peer does not speak a step."""
    known: dict[str, dict] = {}
    for step in steps:
        status, body = _ask(
            peer, step["method"], _filled(step["path"], known), _filled(step.get("params"), known)
        )
        known[step["name"]] = body
        wanted = step.get("expected_error_type")
        if status == 200 and not wanted:
            continue
        error = body.get("error", {"type": "none", "message": "no error"})
        told = f"{step['method']} {step['path']}: {error['message']}"
        if any(each in error["message"] for each in SAYS_NO):
            return f"no: {told}"
        if error["type"] != wanted:
            return told
    return None


def _ask(peer, method: str, path: str, params: dict | None):
    address = urlsplit(peer.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    form = urlencode(list(flat(params or {})))
    try:
        headers = {"Authorization": "Bearer sk_test_peer"}
        if method == "post":
            connection.request("POST", path, form, headers)
        else:
            connection.request(method.upper(), f"{path}?{form}" if form else path, None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _filled(written, known: dict[str, dict]):
    """The step with `${name:field.field}` replaced by what earlier steps were answered."""
    if isinstance(written, dict):
        return {name: _filled(each, known) for name, each in written.items()}
    if isinstance(written, list):
        return [_filled(each, known) for each in written]
    if not isinstance(written, str):
        return written

    def value(found: re.Match) -> str:
        at = known[found[1]]
        for name in found[2].split("."):
            at = at[int(name)] if isinstance(at, list) else at.get(name, "")
        return str(at)

    return re.sub(r"\$\{([^:}]+):([^}|]+)[^}]*\}", value, written)
