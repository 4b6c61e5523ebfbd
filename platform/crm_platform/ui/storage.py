"""Static files with hashed names, our modules' imports rewritten and our CSS in one file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from crm_platform.ui import assets

JS_IMPORTS: tuple[object, ...] = vars(HashedFilesMixin)["_js_module_import_aggregation_patterns"][1]


class Static(CompressedManifestStaticFilesStorage):
    """Hashed names for our own ES-module imports, so no bundler is needed.

    Only our files: switching the rewrite on for every *.js stops on a comment in a
    third-party file that looks like an import (django_htmx/ext/hx-sse-2.js).
    """

    patterns = (*HashedFilesMixin.patterns, ("ui/js/*.js", JS_IMPORTS))
    bundles_css = True

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        """Write the CSS bundle beside the collected files, then hash and compress all of them."""
        if not dry_run:
            parts = [(assets.HERE / "css" / f"{name}.css").read_bytes() for name in assets.SHEETS]
            self.delete(assets.BUNDLE)
            self.save(assets.BUNDLE, ContentFile(b"\n".join(parts)))
            paths = {**paths, assets.BUNDLE: (self, assets.BUNDLE)}
        yield from super().post_process(paths, dry_run, **options)
