"""T6, T10 and T13: the database's own wall, no ids of anybody else's tables, and the files."""

import ast

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models

from crm_platform.kernel import tenancy
from tests.isolation.companies import every_model
from tests.kernel import walls
from tests.lint.tree import python_files

RAW_SQL = {
    "platform/crm_platform/kernel/db/together.py": "two inserts the ORM wrote, in one statement",
    "platform/crm_platform/kernel/limits.py": "a company makes one after the other near a limit",
    "crm_core/exchange/bulk.py": "COPY of an import",
    "crm_core/leaving/services.py": "reads a package of one moment",
    "crm_core/search/queries.py": "ranks the search documents",
    "crm_core/search/services.py": "writes search documents in one statement",
    "platform/crm_platform/identity/attempts.py": "an advisory lock",
    "platform/crm_platform/identity/history.py": "counts the configuration version up",
    "platform/crm_platform/kernel/prepared.py": "runs SQL the ORM compiled",
    "platform/crm_platform/ops/health.py": "asks whether the database answers",
    "tenants/backups/streams.py": "COPY of whole tables, as the owner",
    "tenants/queries.py": "the size of a schema",
    "tenants/upgrades/spares.py": "finds a spare and takes it in one statement",
    "tenants/wholeness.py": "which tables a schema has",
}
"""Modules that may send SQL of their own on the serving connection, and what for."""


def test_company_reaches_no_table_beyond_its_schema(pair, say):
    one, other = pair

    found = walls.reached_beyond(one, [other.schema, "public"])

    say(f"T6 as one company: denied={found.total - found.wrong}/{found.total}")
    assert found.wrong == 0, found.notes
    assert found.total > 200


def test_company_cannot_make_itself_more(pair, say):
    found = walls.escalated(*pair)

    say(f"T6 escalation: {found}")
    assert found.wrong == 0, found.notes


def test_history_is_only_added_to(pair, say):
    found = walls.history_rewritten(pair[0])

    say(f"T6 history: {found}")
    assert found.wrong == 0, found.notes


def sends_sql(tree):
    """Whether a module opens a cursor, or hands SQL to the ORM."""
    names = {"cursor", "raw", "extra", "RawSQL", "copy"}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        owner = ast.unparse(called.value) if isinstance(called, ast.Attribute) else ""
        if name in ("cursor", "RawSQL") or (name in ("raw", "extra") and "objects" in owner):
            return True
        if name in names - {"copy", "raw", "extra"}:
            return True
    return False


def test_sql_of_our_own_stands_in_listed_modules_only(say):
    found = {path for path, tree in python_files() if sends_sql(tree)}

    beyond = sorted(found - set(RAW_SQL))
    say(f"T6 raw SQL: {len(beyond)} outside the list of {len(RAW_SQL)}")
    assert beyond == []
    assert set(RAW_SQL) - found == set(), "These need the permission no longer"


def test_no_sql_is_built_from_text():
    """f-strings and % in `execute` would let a name or a value in; `psycopg.sql` quotes."""
    wrong = []
    for path, tree in python_files():
        for node in ast.walk(tree):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if is_call and node.func.attr in ("execute", "executemany") and node.args:
                given = node.args[0]
                if isinstance(given, ast.JoinedStr | ast.BinOp):
                    wrong.append(f"{path}:{node.lineno}")
    listed = {"platform/crm_platform/identity/history.py"}
    assert [each for each in wrong if each.partition(":")[0] not in listed] == []


def test_no_app_numbers_the_models_of_a_company():
    """ContentType and Permission ids differ from company to company (M4)."""
    for name in ("django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin"):
        assert not apps.is_installed(name)
    generic = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in [*model._meta.get_fields(), *model._meta.private_fields]
        if "content_type" in field.name
        or (type(field).__name__.startswith("Generic")
            and not isinstance(field, models.GenericIPAddressField))
    ]  # fmt: skip
    assert generic == []


def test_records_name_what_they_hang_on_by_the_registrys_word():
    named = [m for m in every_model() if "record_type" in {f.name for f in m._meta.get_fields()}]

    assert len(named) > 3
    assert all(isinstance(m._meta.get_field("record_type"), models.CharField) for m in named)


def test_no_table_of_a_company_points_at_the_platforms():
    shared = {m for app in settings.SHARED_APPS if app not in settings.TENANT_APPS
              for m in apps.get_app_config(app.rpartition(".")[2]).get_models()}  # fmt: skip

    crossing = [
        f"{model.__name__}.{field.name}"
        for model in every_model()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model in shared
    ]
    assert crossing == []


def test_file_of_one_company_is_out_of_reach_in_the_other(pair, settings, tmp_path, say):
    settings.MEDIA_ROOT = str(tmp_path)

    found = walls.files_of_the_other(pair)

    say(f"T13 files: {found}")
    assert found.wrong == 0, found.notes


def test_files_have_no_address_and_no_place_outside_a_company(pair):
    with tenancy.choose(pair[0]), pytest.raises(NotImplementedError):
        default_storage.url("anything")
    for scope in (None, tenancy.PLATFORM):
        with tenancy.choose(scope), pytest.raises(tenancy.NoCompany):
            default_storage.path("anything")
