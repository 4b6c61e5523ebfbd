"""What every template may use: theme, density, languages, the product's name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from crm_platform.ui.middleware import signed_in_attribute

THEMES = ("auto", "light", "dark")
DENSITIES = ("cosy", "compact")


def _choice(request: HttpRequest, name: str, known: tuple[str, ...]) -> str:
    value = signed_in_attribute(request, name) or request.COOKIES.get(name, "")
    return value if value in known else known[0]


def _prefs_url() -> str:
    try:
        return reverse("ui:prefs")
    except NoReverseMatch:  # a host without our addresses shows no preference menu
        return ""


def _themes() -> list[tuple[str, str]]:
    return [("auto", _("Auto")), ("light", _("Light")), ("dark", _("Dark"))]


def _densities() -> list[tuple[str, str]]:
    return [("cosy", _("Cosy")), ("compact", _("Compact"))]


def ui(request: HttpRequest) -> dict[str, Any]:
    """Context of the base templates. A person's own choice wins over the cookie."""
    return {
        "brand": getattr(settings, "PRODUCT_NAME", "Rapport"),
        "theme": _choice(request, "theme", THEMES),
        "density": _choice(request, "density", DENSITIES),
        # Functions: templates call them, and most pages keep the menus that ask.
        "themes": _themes,
        "densities": _densities,
        "languages": settings.LANGUAGES,
        "rail": "folded" if request.COOKIES.get("rail") == "folded" else "",
        "prefs_url": _prefs_url,
        "accent_hue": getattr(request, "accent_hue", None),
    }
