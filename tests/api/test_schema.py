"""The OpenAPI document is valid, whole and true; the page that shows it needs nobody else."""

import re
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251  the fault is about threads

import jsonschema
import pytest
from django.urls import get_resolver
from drf_spectacular.validation import validate_schema

from api.v1 import schema
from tests import factories
from tests.api.conftest import Program

NOT_DESCRIBED = {"docs/", "^.*$"}


@pytest.fixture
def document(program):
    return program.get("schema/").json()


def routes():
    """Every pattern under /api/v1/ as the document writes it, from the URLconf."""
    found = set()
    for resolver in get_resolver("crm_platform.urls_tenant").url_patterns:
        if str(resolver.pattern) != "api/v1/":
            continue
        for pattern in resolver.url_patterns:
            text = str(pattern.pattern)
            if text not in NOT_DESCRIBED:
                path = re.sub(r"\(\?P<pk>[^)]*\)", "{id}", text).strip("^$").replace("\\Z", "")
                found.add((f"/api/v1/{path}", pattern.callback))
    return found


def test_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    validate_schema(document)


def test_every_route_and_method_is_in_the_document(document):
    assert len(routes()) > 15
    for path, view in routes():
        assert path in document["paths"], path
        methods = {m for m in getattr(view, "actions", {"get": ""}) if m != "head"}
        assert set(document["paths"][path]) == methods, path
    assert set(document["paths"]) == {path for path, _view in routes()}


def test_every_reference_leads_somewhere_and_every_act_has_its_own_name(document):
    text = str(document)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in document["components"]["schemas"], name
    acts = [
        act["operationId"] for methods in document["paths"].values() for act in methods.values()
    ]
    assert len(acts) == len(set(acts))
    bodies = [
        act["requestBody"]
        for m in document["paths"].values()
        for act in m.values()
        if "requestBody" in act
    ]
    assert len(bodies) == 11
    assert all("$ref" in body["content"]["application/json"]["schema"] for body in bodies)


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("accounts", "Account"),
        ("contacts", "Contact"),
        ("deals", "Deal"),
        ("activities", "Activity"),
    ],
)
def test_answers_are_what_the_document_says(program, manager, document, slug, name):
    account, tag = factories.account(manager, city="x", annual_revenue="5"), factories.tag()
    values = {"tags": [tag.pk], **({} if slug == "accounts" else {"account": account.pk})}
    factories.record(name.lower(), manager, **values)
    shape = {
        **document["components"]["schemas"][f"{name}Page"],
        "components": document["components"],
    }

    answer = program.get(f"{slug}/?count=1").json()
    jsonschema.validate(answer, shape)
    row = answer["results"][0]
    assert set(row) == set(document["components"]["schemas"][name]["properties"])


@pytest.mark.parametrize("slug", ["pipelines", "lost-reasons", "users", "teams", "tags"])
def test_configuration_is_what_the_document_says(program, document, slug):
    factories.team()
    factories.tag()
    found = document["paths"][f"/api/v1/{slug}/"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]["schema"]

    jsonschema.validate(
        program.get(f"{slug}/").json(), {**found, "components": document["components"]}
    )


def test_problems_are_what_the_document_says(program, document):
    shape = {"$ref": "#/components/schemas/Problem", "components": document["components"]}

    jsonschema.validate(program.post("deals/", {"x": 1}).json(), shape)


def test_many_threads_building_it_at_once_all_get_it():
    """M19: the live generator answered 500 under threads."""
    schema._built.clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _number: schema._common("en"), range(16)))

    assert all(each is found[0] for each in found)
    assert "/api/v1/deals/" in found[0]["paths"]


def test_document_and_page_need_a_key_or_a_session(in_acme, client_for, manager, program):
    stranger = Program(in_acme, "")
    assert stranger.get("schema/").status_code == 401
    assert stranger.get("docs/").status_code == 302
    assert program.get("docs/").status_code == 200
    assert client_for(in_acme, manager).get("/api/v1/schema/").status_code == 200


def test_page_shows_every_act_and_asks_nobody_else(in_acme, client_for, manager, document):
    answer = client_for(in_acme, manager).get("/api/v1/docs/")

    text = answer.content.decode()
    assert answer.status_code == 200
    for path, methods in document["paths"].items():
        assert f"<code>{path}</code>" in text
        for act in methods.values():
            assert f'id="{act["operationId"]}"' in text
    for name in document["components"]["schemas"]:
        assert f'id="s-{name}"' in text
    assert 'id="problem-stale"' in text
    assert "curl -X PATCH" in text
    outside = re.findall(r'(?:src|href)="(https?:)?//[^"]*"', text)
    assert outside == []
    assert text.count("<h1") == 1
    assert " style=" not in text
