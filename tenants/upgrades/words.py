"""Why a release stopped, kept as a code and a number, said in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

FAILED, LEFT = "failed:", "left:"
BACK = "back:"
"""A wave is being rolled back, which two operators agreed upon."""
CUT_OFF = "The worker ended in the middle."
"""Kept as the error of a dry run whose worker died."""


def reason_failed(count: int) -> str:
    """More companies of a wave failed than may."""
    return f"{FAILED}{count}"


def reason_left(count: int) -> str:
    """Every wave is over, but companies are left behind."""
    return f"{LEFT}{count}"


def stop_reason(kept: str) -> str:
    """`Release.state_reason` in words; an operator's own reason as it stands."""
    if kept == BACK:
        return _("A wave is being rolled back.")
    kind, _colon, number = kept.partition(":")
    if not number.isdecimal() or f"{kind}:" not in (FAILED, LEFT):
        return kept
    count = int(number)
    if f"{kind}:" == FAILED:
        return ngettext(
            "%(count)d company of the wave failed.",
            "%(count)d companies of the wave failed.",
            count,
        ) % {"count": count}
    return ngettext(
        "%(count)d company failed, is held or was rolled back.",
        "%(count)d companies failed, are held or were rolled back.",
        count,
    ) % {"count": count}


def dry_run_error(kept: str) -> str:
    """`Preflight.error` for people; PostgreSQL's own words as they stand."""
    return _("The worker ended in the middle. Try it again.") if kept == CUT_OFF else kept
