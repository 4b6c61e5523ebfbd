"""What Stripe tells us: its signature, its age, its version; nothing more is believed of it."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import stripe
from django.conf import settings

from billing.providers.base import RemoteEvent
from billing.providers.stripe.client import API_VERSION
from billing.providers.stripe.reading import id_of, moment
from crm_platform.kernel.errors import Invalid

TOLERANCE_SECONDS = 300
SECRETS = ("client_secret", "hosted_invoice_url", "invoice_pdf", "url", "confirmation_secret",
           "receipt_url")  # fmt: skip
"""What opens a page or a payment to whoever has it: never kept."""


def read(body: bytes, signature: str, *, at: dt.datetime) -> RemoteEvent:
    """The event in `body`, if its signature holds for one of our secrets.

    Raises:
        Invalid: not signed so, older or newer than five minutes, of another version or mode.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("The event is not UTF-8.") from error
    if not any(_is_signed(text, signature, secret) for secret in settings.STRIPE["secrets"]):
        raise Invalid("The event's signature does not hold.")
    # The SDK takes a moment in the future for a young one.
    if abs(_signed_at(signature) - at.timestamp()) > TOLERANCE_SECONDS:
        raise Invalid("The event was signed too long ago, or not yet.")
    try:
        facts = json.loads(text)
        found = event_of(facts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid("The event is none.") from error
    if facts.get("api_version") != API_VERSION:
        raise Invalid(f"The event is of another API version than {API_VERSION}.")
    if bool(facts.get("livemode")) != settings.STRIPE["is_live"]:
        raise Invalid("The event is of the other mode (test or live).")
    return found


def _is_signed(text: str, signature: str, secret: str) -> bool:
    try:
        # The age is ours to judge: the SDK knows only the machine's own clock.
        return bool(stripe.WebhookSignature.verify_header(text, signature, secret, None))
    except stripe.SignatureVerificationError:
        return False


def _signed_at(signature: str) -> int:
    """When it was signed; 0 where that is not said once: which one was signed would be a guess."""
    said = [part.partition("=")[2] for part in signature.split(",") if "t=" in part[:3]]
    return int(said[0]) if len(said) == 1 and said[0].isdecimal() else 0


def event_of(facts: Mapping[str, Any]) -> RemoteEvent:
    """An event in our words, without what nobody should find later."""
    thing = facts["data"]["object"]
    customer = thing["id"] if thing.get("object") == "customer" else id_of(thing.get("customer"))
    return RemoteEvent(
        id=facts["id"], kind=facts["type"], customer=customer, object_id=str(thing.get("id") or ""),
        at=moment(facts["created"]), body=_without_secrets(facts),
    )  # fmt: skip


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_secrets(v) for k, v in value.items() if k not in SECRETS}
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    return value
