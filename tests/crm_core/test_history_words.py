"""The company's history says what was kept in the reader's words: every code that is written."""

import ast
import re

import pytest
from django.utils import translation

from crm_core.registry import record_types
from crm_core.web import history_words
from tests.lint.tree import ROOT

WRITERS = (
    "platform/crm_platform/identity",
    "platform/crm_platform/console/middleware.py",
    "crm_core",
)
CALLS = {"note", "record", "record_many", "_note"}
CHINESE = re.compile("[\u4e00-\u9fff]")


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def strings(node: ast.AST) -> set[str]:
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


@pytest.fixture(scope="module")
def written() -> dict[str, set[str]]:
    """The verbs, subjects and facts that the code gives to the history."""
    found: dict[str, set[str]] = {"verbs": set(), "subjects": set(), "facts": set()}
    for place in WRITERS:
        path = ROOT / place
        for file in [path] if path.is_file() else path.rglob("*.py"):
            if "migrations" in file.parts:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and called(node) in CALLS:
                    add(node, found)
    return found


def add(node: ast.Call, found: dict[str, set[str]]) -> None:
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    said = set().union(*(strings(each) for each in [*node.args, given.get("verb", ast.Pass())]))
    verbs = {verb for verb in said if re.fullmatch(r"[a-z_]+\.[a-z_]*[a-z]", verb)}
    found["verbs"] |= verbs
    if called(node) == "note":  # identity's: the verb begins with the subject
        found["subjects"] |= {verb.partition(".")[0] for verb in verbs}
    if isinstance(given.get("on_type"), ast.Constant):
        found["subjects"].add(given["on_type"].value)
    if isinstance(changes := given.get("changes"), ast.Dict):
        found["facts"] |= {key.value for key in changes.keys if isinstance(key, ast.Constant)}


@pytest.mark.parametrize("language", ["zh-hant", "zh-hans"])
def test_every_code_that_is_written_has_words(written, language):
    kinds = {kind.name for kind in record_types()}
    subjects = written["subjects"] - kinds
    assert len(written["verbs"]) > 50
    assert len(subjects) > 15
    assert len(written["facts"]) > 10
    with translation.override(language):
        words = {
            **{verb: history_words.act_words(verb) for verb in written["verbs"]},
            **{name: history_words.subject_words(name) for name in subjects},
            **{name: history_words.fact_words(name) for name in written["facts"]},
        }
    assert {code: word for code, word in words.items() if not CHINESE.search(word)} == {}


def test_values_are_words_not_codes():
    with translation.override("zh-hant"):
        assert history_words.value_words("may_write", False) == "否"
        assert CHINESE.search(history_words.value_words("state", "granted"))
        assert CHINESE.search(history_words.value_words("scope", "read"))
    assert history_words.value_words("rights", {"deal": {"edit": "all"}}) == "…"
    assert history_words.value_words("name", "Ann") == "Ann"
    assert history_words.value_words("coupon", None) == ""


def test_what_was_said_and_stayed_as_it_was_is_no_change():
    (said,) = history_words.changes_in_words({"may_write": [False, False]})
    assert said == {"label": "May change things", "old": "", "new": "no"}
