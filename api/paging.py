"""A list's envelope: how many at once, where the next page begins, how many there are."""

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.request import Request

from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.signing import seal, unseal

MOST, USUAL = 200, 50
CURSOR_SECONDS = 7 * 24 * 3600
PARAMETERS = ("limit", "after", "count")


def limit_of(given: QueryDict) -> int:
    """`?limit=`, 1 to 200.

    Raises:
        Invalid: it is not such a number.
    """
    text = given.get("limit") or str(USUAL)
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST):
        raise Invalid(_("A page has 1 to %(most)d rows.") % {"most": MOST}, field="limit")
    return int(text)


def wants_total(given: QueryDict) -> bool:
    return given.get("count", "") in ("1", "true", "yes")


def sealed(what: str, cursor: str) -> str:
    """A cursor that nobody can alter, or use for another list or order than `what`."""
    return seal(f"api:{what}", cursor) if cursor else ""


def opened(what: str, given: QueryDict) -> str:
    """The cursor of `?after=`; empty: the first page.

    Raises:
        Invalid: it is not one of ours, a week old, or of another list or order.
    """
    text = given.get("after", "")
    if not text:
        return ""
    refusal = _("This page address is damaged, too old or of another list. Begin again.")
    try:
        return str(unseal(f"api:{what}", text, max_age_seconds=CURSOR_SECONDS, refusal=refusal))
    except (ValueError, RecursionError):
        raise Invalid(refusal, field="after") from None


def envelope(
    request: Request, rows: Sequence[Any], *, after: str, total: int | None = None
) -> dict[str, Any]:
    """`{"results", "next"}`, and `total` where it was asked for."""
    answer: dict[str, Any] = {"results": rows, "next": next_address(request, after)}
    if total is not None:
        answer["total"] = total
    return answer


def next_address(request: Request, after: str) -> str | None:
    """The address of the next page; None on the last one."""
    if not after:
        return None
    given = request.query_params.copy()
    given["after"] = after
    return request.build_absolute_uri(f"{request.path}?{given.urlencode()}")
