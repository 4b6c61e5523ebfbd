"""The design system's own addresses: worker, manifest, offline page, theme, preferences."""

from __future__ import annotations

import hashlib
import json
import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from crm_platform.ui import assets
from crm_platform.ui import kit as bench
from crm_platform.ui.answers import is_htmx
from crm_platform.ui.context import DENSITIES, THEMES
from crm_platform.ui.kit_samples import kit_context
from crm_platform.ui.middleware import LANGUAGE_COOKIE

logger = logging.getLogger(__name__)
YEAR_SECONDS = 365 * 24 * 3600
PUBLIC_HOUR = "public, max-age=3600"


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """The web app manifest; the same for every company of a host."""
    brand = getattr(settings, "PRODUCT_NAME", "Rapport")
    icon = assets.url
    large = {"src": icon("ui/icon-512.png"), "sizes": "512x512", "type": "image/png"}
    response = JsonResponse(
        {
            "name": brand, "short_name": brand, "id": "/", "start_url": "/", "scope": "/",
            "description": _("Customers, deals and service in one calm place."),
            "display": "standalone", "background_color": "#f7f9fa", "theme_color": "#f7f9fa",
            "lang": getattr(request, "LANGUAGE_CODE", "en"),
            "icons": [
                {"src": icon("ui/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
                {"src": icon("ui/icon-192.png"), "sizes": "192x192", "type": "image/png"},
                {**large, "purpose": "any"},
                {**large, "purpose": "maskable"},
            ],
        },
        content_type="application/manifest+json",
    )  # fmt: skip
    response["Cache-Control"] = PUBLIC_HOUR
    return response


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker. Its version is the style sheet's address, so a release replaces what it kept."""
    keep = [*assets.stylesheets(), assets.url("ui/js/app.js"), assets.url("ui/icon.svg"),
            assets.url("django_htmx/htmx-2.min.js"), *assets.modules()]  # fmt: skip
    context = {
        "version": hashlib.sha256("".join(keep).encode()).hexdigest()[:12],
        "offline_url": reverse("ui:offline"),
        "keep": json.dumps(keep),
        "static_url": settings.STATIC_URL,
    }
    response = render(request, "ui/sw.js", context, content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Shown by the worker when there is no connection."""
    response = render(request, "ui/offline.html", {"no_panel": True})
    response["Cache-Control"] = "public, max-age=60"
    return response


@require_safe
def speculation(request: HttpRequest) -> HttpResponse:
    """Which links a browser may fetch ahead when the pointer rests on them."""
    response = render(
        request, "ui/speculation.json", content_type="application/speculationrules+json"
    )
    response["Cache-Control"] = PUBLIC_HOUR
    return response


@require_GET
def theme_css(request: HttpRequest) -> HttpResponse:
    """One company's accent: the hue, 0 to 359, of every accent colour."""
    given = request.GET.get("h") or getattr(request, "accent_hue", None) or 215
    try:
        hue = int(given) % 360
    except ValueError:
        hue = 215
    response = HttpResponse(f":root{{--h:{hue}}}\n", content_type="text/css")
    response["Cache-Control"] = PUBLIC_HOUR if "h" in request.GET else "private, max-age=60"
    return response


@require_POST
def prefs(request: HttpRequest) -> HttpResponse:
    """Keep a visitor's theme, density and language in cookies."""
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    if not is_ours or not back.startswith("/"):
        back = "/"
    response = HttpResponse(status=204) if is_htmx(request) else redirect(back)
    known = {"theme": THEMES, "density": DENSITIES, "language": tuple(dict(settings.LANGUAGES))}
    for name, values in known.items():
        if (value := request.POST.get(name)) in values:
            cookie = LANGUAGE_COOKIE if name == "language" else name
            response.set_cookie(
                cookie, value, max_age=YEAR_SECONDS, samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )  # fmt: skip
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page waited too long, or the request came from elsewhere; `reason` is for the log."""
    logger.info("csrf refused", extra={"reason": reason, "path": request.path})
    return render(request, "403.html", status=403)


def kit(request: HttpRequest, part: str = "all", pk: int = 0) -> HttpResponse:
    """Every component in every state: our own test bench. Routed in tests and DEBUG only."""
    if response := bench.answer(request, part, pk):
        return response
    template = "ui/kit.html" if part == "all" else f"ui/kit/{part}.html"
    return render(request, template, kit_context(part))
