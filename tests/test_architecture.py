"""What the house's plan says and no other tool checks."""

import ast
import re
import subprocess
import sys

import pytest
from django.conf import settings

from tests.lint.rules import BAD, GOOD, RULES, violations
from tests.lint.tree import ROOT, python_files, templates

PERMITTED: dict[str, dict[str, str]] = {
    "makes_a_thread": {},
    "sets_the_session": {
        "platform/crm_platform/kernel/db/owner/base.py": "the owner's connection serves nobody",
        "platform/crm_platform/ops/database_roles.py": "the login's own empty path, by a superuser",
    },
    "caches_what_reads": {
        "crm_core/web/found.py": "keeps compiled SQL, no row",
        "tenants/provisioning.py": "the script of migrations: the same for every company",
        "platform/crm_platform/ops/health.py": "the names of this release's own migrations",
    },
}
MARKED_SAFE = {
    "crm_core/activities/notes.py": "notes, cleaned by nh3",
    "crm_core/fields/cells.py": "cells of lists, written in Python for speed; values escaped",
    "crm_core/fields/views/lists.py": "rows of those cells",
    "crm_core/sales/boards.py": "cards of the board, written in Python for speed; values escaped",
    "crm_core/web/views/records.py": "facts made of those cells",
    "platform/crm_platform/ui/charts.py": "SVG of numbers; labels escaped",
    "platform/crm_platform/ui/fields.py": "parts of form fields",
    "platform/crm_platform/ui/kept.py": "parts built by the above, kept",
    "platform/crm_platform/ui/render.py": "icons, avatars and chips; names escaped",
    "platform/crm_platform/ui/times.py": "the <time> element",
    "platform/crm_platform/ui/widgets.py": "controls; attributes escaped",
}
"""Modules that may call text safe, and why."""
STDLIB = "import platform; print(platform.__file__)"
EVENT = re.compile(r"<[a-z][^<>]*?\son(?!ly\s*=)[a-z]+\s*=", re.IGNORECASE)
STYLE = re.compile(r"<[a-z][^<>]*?\sstyle\s*=", re.IGNORECASE)
COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)


def test_platform_folder_never_shadows_the_standard_library():
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert {p.name for p in (ROOT / "platform").iterdir() if p.name != "__pycache__"} == {
        "crm_platform"
    }
    seen = subprocess.run(
        [sys.executable, "-c", STDLIB], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert str(ROOT) not in seen


@pytest.mark.parametrize("name", RULES)
def test_rule_fires_on_its_bad_samples_and_on_nothing_good(name):
    for sample in BAD[name]:
        assert list(violations(ast.parse(sample), RULES[name])), f"{name} lets pass: {sample}"
    assert list(violations(ast.parse(GOOD), RULES[name])) == []


@pytest.mark.parametrize("name", RULES)
def test_rule_is_kept_by_the_whole_tree(name, say):
    files = python_files()
    permitted = PERMITTED.get(name, {})
    found = [
        f"{path}:{line}"
        for path, tree in files
        for line in violations(tree, RULES[name])
        if path not in permitted
    ]

    say(f"lint {name}: violations={len(found)} in {len(files)} files")
    assert found == []


BANNED = {
    "django.dispatch": "from django.dispatch import receiver\n",
    "django.db.models.signals": "from django.db.models.signals import post_save\n",
    "threading.Thread": "import threading\n\nthreading.Thread()\n",
    "concurrent.futures.ThreadPoolExecutor": "from concurrent.futures import ThreadPoolExecutor\n",
    "cache_page": "from django.views.decorators.cache import cache_page\n",
    "datetime.datetime.now": "import datetime\n\ndatetime.datetime.now()\n",
}


@pytest.mark.parametrize("name", BANNED)
def test_ruff_refuses_what_is_banned_by_name(name):
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--no-cache", "-"],
        cwd=ROOT, input=BANNED[name], capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "TID251" in checked.stdout


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def test_only_listed_modules_call_text_safe():
    calls = re.compile(r"\b(mark_safe|SafeString|SafeText)\s*\(")
    found = {path for path, _tree in python_files() if calls.search(text_of(path))}

    assert found - set(MARKED_SAFE) == set(), "Say in MARKED_SAFE why this text is safe"
    assert set(MARKED_SAFE) - found == set(), "These are listed and need it no longer"


def test_no_template_turns_escaping_off():
    off = re.compile(r"\|\s*safe\b|\|\s*safeseq\b|\{%\s*autoescape\s+off")
    assert [path for path, text in templates() if off.search(COMMENT.sub("", text))] == []


def without_tags(text):
    """Template tags and comments taken out, so that only the HTML is looked at."""
    return re.sub(r"\{[%{].*?[%}]\}", "", COMMENT.sub("", text), flags=re.DOTALL)


def test_no_template_has_inline_style_script_or_handlers():
    wrong = []
    for path, text in templates():
        plain = without_tags(text)
        for what, pattern in (("style=", STYLE), ("on…=", EVENT)):
            wrong += [f"{path}: {what} {match.group()[:60]}" for match in pattern.finditer(plain)]
        wrong += [f"{path}: <style>"] if "<style" in plain else []
        for script in re.findall(r"<script\b[^>]*>", plain):
            if "src=" not in script and 'type="application/' not in script:
                wrong.append(f"{path}: {script}")
    assert wrong == []


def test_fragment_says_first_what_it_needs():
    fragments = [(path, text) for path, text in templates() if "/_" in path]
    silent = [path for path, text in fragments if not text.lstrip().startswith("{#")]

    assert len(fragments) > 20
    assert silent == []


def test_lists_of_apps_overlap_in_identity_alone():
    """Users are in the platform's schema and in every company's; nothing else is in both (M7)."""
    both = set(settings.SHARED_APPS) & set(settings.TENANT_APPS)

    assert both == {"crm_platform.identity"}
    assert set(settings.SHARED_APPS) | set(settings.TENANT_APPS) <= set(settings.INSTALLED_APPS)
    assert "public" not in str(settings.DATABASES["default"].get("OPTIONS", {}))


def test_no_app_with_tables_is_in_neither_list():
    from django.apps import apps

    placed = {name.rpartition(".")[2] for name in (*settings.SHARED_APPS, *settings.TENANT_APPS)}
    homeless = {c.label for c in apps.get_app_configs() if list(c.get_models())} - placed
    assert homeless == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", False),
        ("USE_X_FORWARDED_HOST", False),
        ("USE_X_FORWARDED_PORT", False),
        ("SESSION_COOKIE_DOMAIN", None),
        ("CSRF_COOKIE_DOMAIN", None),
        ("SESSION_COOKIE_HTTPONLY", True),
        ("CSRF_COOKIE_HTTPONLY", True),
        ("CSRF_TRUSTED_ORIGINS", []),
        ("X_FRAME_OPTIONS", "DENY"),
        ("USE_TZ", True),
    ],
)
def test_setting_is_pinned(name, value):
    assert getattr(settings, name) == value


def test_no_setting_names_a_default_company():
    words = r"(DEFAULT|FALLBACK|PUBLIC_IF).*(TENANT|COMPANY)|SHOW_PUBLIC|TENANT_LIMIT_SET_CALLS"
    names = [name for name in dir(settings) if re.search(words, name)]
    assert names == []
    assert settings.CACHES["default"]["KEY_FUNCTION"] == "crm_platform.kernel.cache.company_key"
    assert settings.STORAGES["default"]["BACKEND"] == "crm_platform.kernel.storage.CompanyStorage"
    assert settings.DATABASES["default"]["ENGINE"] == "crm_platform.kernel.db.company"
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]


def test_company_is_found_before_the_person_and_after_nothing_that_reads():
    order = [name.rpartition(".")[2] for name in settings.MIDDLEWARE]

    assert order.index("CompanyOfHost") < order.index("SignedInPerson")
    before = set(order[: order.index("CompanyOfHost")])
    assert before <= {"security_headers", "WhiteNoiseMiddleware", "RequestLog", "Timed"}


def test_cookie_is_bound_to_its_host_over_tls():
    text = text_of("platform/crm_platform/settings.py")

    assert 'SESSION_COOKIE_NAME = "__Host-session" if SECURE_COOKIES' in text
    assert 'CSRF_COOKIE_NAME = "__Host-csrf" if SECURE_COOKIES' in text


def test_django_has_the_repairs_we_count_on():
    import django

    assert (5, 2, 11) <= django.VERSION[:3] < (5, 3, 0)


def test_class_is_styled_by_itself_in_one_sheet():
    """Two sheets that both say what `.sum` is change each other's screens."""
    sheets = [p for p in ROOT.glob("platform/**/css/*.css") if p.stem not in ("base", "print")]
    styled: dict[str, set[str]] = {}
    for sheet in sheets:
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        while (inner := re.sub(r"\([^()]*\)", "", text)) != text:
            text = inner
        for selectors in re.findall(r"(?:^|[{};])([^{};@]+)\{", text):
            for name in re.findall(r"(?:^|,)\s*(\.[a-z][\w-]*)\s*(?=,|$)", selectors.strip()):
                styled.setdefault(name, set()).add(sheet.name)

    assert len(styled) > 200
    assert {name: files for name, files in styled.items() if len(files) > 1} == {}
