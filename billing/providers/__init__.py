"""Who takes the money: our own books (bank transfer), or a provider behind one interface."""

from django.conf import settings

from billing.providers.base import Again, Provider

MANUAL, STRIPE = "manual", "stripe"


def has_stripe() -> bool:
    """Whether operators gave a key: companies may pay by card then."""
    return bool(settings.STRIPE["key"])


def provider_of(key: str) -> Provider | None:
    """The provider of accounts that say `key`; None for our own books, which need nobody.

    Raises:
        Again: an account was rented by card, and the key is gone from the settings.
    """
    if key == MANUAL:
        return None
    if key != STRIPE or not has_stripe():
        raise Again(f"Accounts of {key} need its key in the settings.")
    from billing.providers.stripe.provider import Stripe  # the SDK is large: only where it is used

    return Stripe()
