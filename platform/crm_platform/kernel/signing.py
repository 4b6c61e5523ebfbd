"""Signed values good for one purpose in one company only."""

from typing import Any

from django.core import signing

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid


def company_signer(purpose: str) -> signing.TimestampSigner:
    """A signer whose salt holds the purpose and the company's UUID."""
    return signing.TimestampSigner(salt=f"rapport:{purpose}:{tenancy.current().id}")


def seal(purpose: str, value: Any) -> str:
    """`value` (JSON) signed and dated for this company."""
    return company_signer(purpose).sign_object(value, compress=True)


def unseal(purpose: str, text: str, *, max_age_seconds: int, refusal: str) -> Any:
    """What `seal` signed.

    Raises:
        Invalid: altered, too old, for another purpose or by another company; says `refusal`.
    """
    try:
        return company_signer(purpose).unsign_object(text, max_age=max_age_seconds)
    except signing.BadSignature as error:
        raise Invalid(refusal) from error
