"""The connection to Stripe: one client a process, and what its failures mean for us."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import stripe
from django.conf import settings
from stripe import StripeClient
from stripe._api_version import _ApiVersion

from billing.providers.base import Again, Declined, Doubtful, Wrong

CONNECT_SECONDS, ANSWER_SECONDS = 3, 20
API_VERSION = _ApiVersion.CURRENT
REPLAYED = "Idempotent-Replayed"


@cache
def _client(key: str, address: str) -> StripeClient:
    stripe.enable_telemetry = False
    return StripeClient(
        key,
        http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, ANSWER_SECONDS)),
        base_addresses={"api": address} if address else None,
        # Trying again is the outbox's: it knows which key was used and what may have been done.
        max_network_retries=0,
    )


def client() -> StripeClient:
    """The client with the key of the settings."""
    return _client(settings.STRIPE["key"], settings.STRIPE["address"])


@contextmanager
def failures() -> Iterator[None]:
    """Stripe's refusals in our words. Source: reference/billing.md, section 7 (Outbox)."""
    try:
        yield
    except stripe.StripeError as error:
        raise meaning_of(error) from error


def meaning_of(error: stripe.StripeError) -> Exception:
    """What a failure of Stripe means for the command that met it."""
    status, said = error.http_status, f"{type(error).__name__}: {error.user_message or error}"
    if isinstance(error, stripe.CardError):
        return Declined(str(error.user_message or ""))
    if status is None or status in (401, 403, 409, 429):
        # A wrong key is mended by operators: what was to be done must not be lost meanwhile.
        return Again(said)
    if status >= 500:
        was_kept = str((error.headers or {}).get(REPLAYED, "")).lower() == "true"
        return Doubtful(said) if was_kept else Again(said)
    return Wrong(said)


def is_missing(error: Exception) -> bool:
    """Whether Stripe said that there is no such object."""
    cause = error.__cause__
    return isinstance(cause, stripe.StripeError) and cause.http_status == 404
