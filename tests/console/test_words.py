"""Whatever is noted of a company, and of operators, is said in words."""

import ast
import re
from pathlib import Path

from django.conf import settings

from crm_platform.console.billing_words import by_word
from crm_platform.console.words import actor_word, event_word, verb_word

VERB = re.compile(r"[a-z_]+\.(?!json$)[a-z_]+")
OF_COMPANIES = ("team.", "role.", "token.", "person.team_changed")
"""What people of companies do with the same services; operators have no page for it."""


def trees(*folders):
    for folder in folders:
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def verbs_in(node):
    texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and VERB.fullmatch(text)}


def noted(*folders):
    """The verbs that calls of `note` and `record` there are given as they stand."""
    found = set()
    for tree in trees(*folders):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("note", "record")):
                found |= verbs_in(ast.Module([ast.Expr(each) for each in node.args[:2]], []))
    return found


def test_events_of_companies_have_words():
    constants = [
        node.value for tree in trees("tenants") for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Tuple)
    ]  # fmt: skip
    verbs = noted("tenants").union(*map(verbs_in, constants)) - {"company.moved"}
    assert len(verbs) > 15
    assert sorted(verb for verb in verbs if event_word(verb, {}) == verb) == []


def test_what_operators_do_has_words():
    verbs = {
        verb
        for verb in noted("platform/crm_platform/console", "platform/crm_platform/identity")
        if not verb.startswith(OF_COMPANIES)
    }
    assert len(verbs) > 20
    assert sorted(verb for verb in verbs if verb_word(verb) == verb) == []


def given(name, *folders):
    """What our own code says it is where it passes `name`: constants, and a module's ACTOR."""
    found = set()
    for tree in trees(*folders):
        own = {
            ast.unparse(node.targets[0]): node.value.value for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == name:
                inner = list(ast.walk(node.value))
                found |= {each.value for each in inner if isinstance(each, ast.Constant)}
                found |= {own.get(each.id) for each in inner if isinstance(each, ast.Name)}
    return {each for each in found if isinstance(each, str) and each}


def test_our_own_actors_of_a_companys_events_have_words():
    actors = given("actor", "tenants", "billing")
    assert {"clock", "service", "billing"} <= actors
    assert sorted(actor for actor in actors if actor_word(actor) == actor) == []


def test_our_own_actors_of_an_account_have_words():
    actors = given("by", "billing")
    assert {"clock", "outbox", "provider", "operators"} <= actors
    assert sorted(actor for actor in actors if by_word(actor) == actor) == []
