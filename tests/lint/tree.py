"""Our own source files, parsed."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("platform/crm_platform", "tenants", "billing", "crm_core", "api")


@functools.cache
def python_files() -> list[tuple[str, ast.Module]]:
    """`(path from the root, tree)` of every module that ships; migrations aside."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                name = str(path.relative_to(ROOT))
                found.append((name, ast.parse(path.read_text(encoding="utf-8"), name)))
    return found


@functools.cache
def templates() -> list[tuple[str, str]]:
    """`(path from the root, text)` of every template that ships."""
    found = []
    for package in PACKAGES:
        paths = sorted((ROOT / package).rglob("templates/**/*.html"))
        found += [(str(p.relative_to(ROOT)), p.read_text(encoding="utf-8")) for p in paths]
    return found
