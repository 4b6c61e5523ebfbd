"""What every response carries: security headers, the reader's language and time zone."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Callable
from contextlib import nullcontext

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from crm_platform.kernel import tenancy

GetResponse = Callable[[HttpRequest], HttpResponseBase]

CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"
LANGUAGE_COOKIE = "lang"
VARY = ("Cookie", "Host", "HX-Request")


def _policy(extra: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}".strip() for name, value in {**CSP, **extra}.items())


def _is_static(request: HttpRequest) -> bool:
    prefix = settings.STATIC_URL or "/static/"
    return request.path.startswith(prefix)


def security_headers(get_response: GetResponse) -> GetResponse:
    """Strict CSP and its companions; nothing of a company is kept by any cache.

    A view may set `response.csp_extra`, a dict of directives that replace ours for that response
    (a mail body: `{"sandbox": "", "frame-ancestors": "'self'"}`).
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.setdefault("Content-Security-Policy", _policy(getattr(response, "csp_extra", {})))
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Referrer-Policy", "same-origin")
        response.setdefault("X-Content-Type-Options", "nosniff")
        response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if _is_static(request):
            return response
        response.setdefault("Cache-Control", "private, no-store")
        patch_vary_headers(response, VARY)
        if response.get("Content-Type", "").startswith("text/html"):
            response.setdefault("Speculation-Rules", '"/speculation.json"')
        return response

    return middleware


def signed_in_attribute(request: HttpRequest, name: str) -> str:
    """`request.user.<name>`, or "" for a visitor.

    Visitors have no session cookie: their pages must not ask the database who they are.
    """
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ""
    value = getattr(getattr(request, "user", None), name, "")
    return str(value) if value else ""


def chosen_language(request: HttpRequest) -> str:
    """The person's language, else the cookie's, else the browser's; always one we have."""
    known = dict(settings.LANGUAGES)
    for code in (
        signed_in_attribute(request, "language").lower(),
        request.COOKIES.get(LANGUAGE_COOKIE, "").lower(),
    ):
        if code in known:
            return code
    accepted = request.headers.get("Accept-Language", "").lower()
    for part in accepted.split(","):
        tag = part.split(";")[0].strip()
        if tag.startswith("zh"):
            traditional = any(mark in tag for mark in ("hant", "tw", "hk", "mo"))
            return "zh-hant" if traditional else "zh-hans"
        if tag.startswith("en"):
            return "en"
    return settings.LANGUAGE_CODE if settings.LANGUAGE_CODE in known else "en"


def language(get_response: GetResponse) -> GetResponse:
    """Run the request in the reader's language. Place it after authentication."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        code = chosen_language(request)
        with translation.override(code):
            request.LANGUAGE_CODE = code
            response = get_response(request)
        response.setdefault("Content-Language", code)
        patch_vary_headers(response, ("Accept-Language",))
        return response

    return middleware


@functools.lru_cache(maxsize=256)
def zone_named(name: str) -> zoneinfo.ZoneInfo | None:
    """A time zone by name; None for no name or one this machine does not know."""
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return None


def time_zone(get_response: GetResponse) -> GetResponse:
    """Run the request in the person's own time zone, else the company's. After authentication."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        scope = tenancy.current_or_none()
        name = signed_in_attribute(request, "time_zone") or (scope.time_zone if scope else "")
        zone = zone_named(name)
        with timezone.override(zone) if zone else nullcontext():
            return get_response(request)

    return middleware
