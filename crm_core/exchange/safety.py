"""Cells that a spreadsheet would run as a formula, made harmless, and back again without loss.

Source: OWASP, CSV Injection.
"""

import re

_RUNS = re.compile(r"^['\"“”‘’\s]*[=+\-@\t\r\n＝＋－＠]")
_ODD_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def guarded(text: str) -> str:
    """`text` with an apostrophe before it if a spreadsheet might run it."""
    return f"'{text}" if text and _RUNS.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given; other people's files come through as they are."""
    return text[1:] if text[:1] == "'" and _RUNS.match(text[1:]) else text


def as_workbook_text(text: str) -> str:
    """A text for a cell of type string: only what `unguarded` would change needs the sign."""
    text = _ODD_IN_XML.sub("", text)
    return f"'{text}" if text[:1] == "'" and _RUNS.match(text[1:]) else text
