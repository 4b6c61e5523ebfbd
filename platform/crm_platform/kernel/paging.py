"""Keyset paging: a page starts after a row, so page 1,000 costs what page 1 costs."""

import base64
import binascii
import json
from typing import Any

from crm_platform.kernel.errors import Invalid


def encode_cursor(values: list[Any]) -> str:
    """Sort values of the last row of a page (JSON-ready), as one URL-safe word."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *, length: int) -> list[Any]:
    """The values `encode_cursor` wrote.

    Raises:
        Invalid: it is not such a word, or not of this sort.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded.encode()))
    except (ValueError, binascii.Error) as error:
        raise Invalid("This page address is damaged. Open the list again.") from error
    if not isinstance(values, list) or len(values) != length:
        raise Invalid("This page address belongs to another sort order. Open the list again.")
    return values
