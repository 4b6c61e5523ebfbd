"""Where our own style sheets and modules are."""

from __future__ import annotations

import functools
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage

HERE = Path(__file__).parent / "static" / "ui"
BUNDLE = "ui/css/tidewater.css"

# Cascade order inside a layer; the layers themselves are ordered in tokens.css.
SHEETS = (
    "tokens", "base", "shell", "controls", "forms", "overlays", "bits", "filters", "board", "grid",
    "record", "home", "settings", "import", "public", "console", "print",
)  # fmt: skip


@functools.cache
def url(path: str) -> str:
    """The address of a static file; without a manifest entry, the plain address.

    Kept, for a deployment's files never change under a running process.
    """
    try:
        return staticfiles_storage.url(path)
    except ValueError:
        return f"{settings.STATIC_URL}{path}"


@functools.cache
def _module_names() -> tuple[str, ...]:
    return tuple(sorted(path.name for path in (HERE / "js").glob("*.js") if path.name != "app.js"))


def stylesheets() -> list[str]:
    """Addresses of the CSS: the bundle where the storage made one, else every file."""
    if getattr(staticfiles_storage, "bundles_css", False):
        return [url(BUNDLE)]
    return [url(f"ui/css/{name}.css") for name in SHEETS]


def modules() -> list[str]:
    """Addresses of the modules app.js imports."""
    return [url(f"ui/js/{name}") for name in _module_names()]
