"""Secrets at rest: encrypted for one purpose in one company, with keys made from `SECRET_KEY`."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid


def _key(secret_key: str, purpose: str) -> Fernet:
    context = f"rapport:{purpose}:{tenancy.current().id}".encode()
    digest = hmac.new(secret_key.encode(), context, hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def _keys(purpose: str) -> MultiFernet:
    """The key in use first, then those it replaced, which still open what they closed."""
    known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([_key(each, purpose) for each in known])


def encrypt(purpose: str, text: str) -> str:
    """`text` so that only this company, for this purpose, reads it again."""
    return _keys(purpose).encrypt(text.encode()).decode()


def decrypt(purpose: str, sealed: str, *, refusal: str, max_age_seconds: int | None = None) -> str:
    """What `encrypt` was given.

    Raises:
        Invalid: altered, too old, for another purpose or of another company; says `refusal`.
    """
    try:
        return _keys(purpose).decrypt(sealed.encode(), ttl=max_age_seconds).decode()
    except InvalidToken as error:
        raise Invalid(refusal) from error
