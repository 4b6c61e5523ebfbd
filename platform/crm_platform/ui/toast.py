"""The one way the server speaks to the user: a short message at the bottom of the page."""

from __future__ import annotations

import json
from typing import Any, Literal, TypedDict, TypeVar
from urllib.parse import quote

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponseBase
from django_htmx.http import trigger_client_event

Response = TypeVar("Response", bound=HttpResponseBase)
COOKIE = "toast"
SECONDS = 60


class Undo(TypedDict, total=False):
    """How to take it back: a POST of `values` to `url`, which swaps `target` if there is one."""

    url: str
    values: dict[str, Any]
    target: str
    card: Any


def toast(
    response: Response,
    text: str,
    kind: Literal["ok", "warn", "bad"] = "ok",
    undo: Undo | None = None,
) -> Response:
    """Show `text` with this answer.

    Both ways are set: the header for htmx, and a cookie for the page after a redirect. The script
    shows it once and drops the cookie. Header and cookie are ASCII whatever the language.
    """
    body = {"text": str(text), "kind": kind, "undo": undo}
    trigger_client_event(response, "toast", body)
    compact = json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
    response.set_cookie(
        COOKIE, quote(compact, safe=""), max_age=SECONDS, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response
