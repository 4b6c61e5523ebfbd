"""The documentation page: the OpenAPI document as a person reads it, without outside assets."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from api.auth import bearer_key
from api.errors import codes, titles
from api.v1.schema import document_for
from crm_platform.identity.decorators import ask_to_sign_in
from crm_platform.identity.models import User, is_person
from crm_platform.identity.services import tokens

PREFIX = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Fact:
    """One parameter or property, in words."""

    name: str
    type: str
    note: str
    is_required: bool = False
    is_read_only: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One method at one address."""

    id: str
    method: str
    path: str
    summary: str
    parameters: list[Fact]
    sent: str
    answered: str
    refusals: list[str]
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    """Everything about one kind of thing."""

    name: str
    acts: list[Act] = field(default_factory=list)


@require_safe
def docs(request: HttpRequest) -> HttpResponseBase:
    """For people who signed in; a program may read it with its key too."""
    user = reader_of(request)
    if user is None:
        return ask_to_sign_in(request)
    document = document_for(user)
    context = {
        "groups": groups_of(document, request.build_absolute_uri("/").rstrip("/")),
        "schemas": schemas_of(document),
        "problems": [(code, status, titles()[status]) for code, status in codes()],
    }
    return render(request, "api/docs.html", context)


def reader_of(request: HttpRequest) -> User | None:
    """Who reads: the session's person, or the person behind a key."""
    person: Any = request.user
    if is_person(person):
        return person  # type: ignore[no-any-return]  # is_person says so
    key = bearer_key(request.headers.get("Authorization", ""))
    token = tokens.token_of_key(key, at=timezone.now()) if key else None
    return token.user if token else None


def groups_of(document: dict[str, Any], host: str) -> list[Group]:
    """The acts by tag, in the document's order."""
    found: dict[str, Group] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            group = found.setdefault(operation["tags"][0], Group(operation["tags"][0]))
            group.acts.append(_act(path, method, operation, document, host))
    return list(found.values())


def _act(
    path: str, method: str, operation: dict[str, Any], document: dict[str, Any], host: str
) -> Act:
    sent = _schema_name(operation.get("requestBody", {}))
    answered = next(
        (_schema_name(r) for code, r in operation["responses"].items() if code.startswith("2")), ""
    )
    return Act(
        id=operation["operationId"], method=method.upper(), path=path,
        summary=operation.get("summary", ""),
        parameters=[_parameter(p) for p in operation.get("parameters", [])],
        sent=sent, answered=answered,
        refusals=sorted(code for code in operation["responses"] if code.startswith("4")),
        curl=_curl(path, method, _example(document, sent), host, operation),
    )  # fmt: skip


def _schema_name(holder: dict[str, Any]) -> str:
    for media in holder.get("content", {}).values():
        return str(media.get("schema", {}).get("$ref", "")).removeprefix(PREFIX)
    return ""


def _parameter(given: dict[str, Any]) -> Fact:
    schema = given.get("schema", {})
    return Fact(
        name=given["name"], type=type_words(schema), note=given.get("description", ""),
        is_required=given.get("required", False), place=given["in"],
    )  # fmt: skip


def type_words(schema: dict[str, Any]) -> str:
    """A schema's type in a word or two, with what may be chosen."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(PREFIX)
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value not in ("", None))
    if "oneOf" in schema:
        return " | ".join(type_words(each) for each in schema["oneOf"])
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = " | ".join(kind)
    if kind == "array":
        return f"array<{type_words(schema.get('items', {}))}>"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def schemas_of(document: dict[str, Any]) -> list[tuple[str, list[Fact]]]:
    """Every schema with its properties, by name."""
    return [
        (name, _properties(schema)) for name, schema in document["components"]["schemas"].items()
    ]


def _properties(schema: dict[str, Any]) -> list[Fact]:
    required = schema.get("required", [])
    return [
        Fact(
            name=name, type=type_words(each),
            note=" ".join(part for part in (each.get("title"), each.get("description")) if part),
            is_required=name in required, is_read_only=each.get("readOnly", False),
        )
        for name, each in schema.get("properties", {}).items()
    ]  # fmt: skip


def _example(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A small body: what is needed, and what shows how values look."""
    schema = document["components"]["schemas"].get(name, {})
    needed = schema.get("required") or list(schema.get("properties", {}))[:1]
    shown = [*needed, *(n for n in ("amount", "close_date") if n in schema.get("properties", {}))]
    return {name: _sample(schema["properties"][name]) for name in shown}


def _sample(schema: dict[str, Any]) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("pattern"):
        return "1"
    return {"date": "2026-12-31", "date-time": "2026-12-31T09:00:00Z"}.get(
        schema.get("format", ""), str(schema.get("title", "…"))
    )


def _curl(
    path: str, method: str, body: dict[str, Any], host: str, operation: dict[str, Any]
) -> str:
    lines = [f"curl -H 'Authorization: Bearer rap_…' \\\n  '{host}{path.replace('{id}', '1')}'"]
    if method != "get":
        lines[0] = lines[0].replace("curl", f"curl -X {method.upper()}", 1)
    if any(p["name"] == "If-Match" and p.get("required") for p in operation.get("parameters", [])):
        lines.append("-H 'If-Match: W/\"3\"'")
    if body:
        text = json.dumps(body, ensure_ascii=False).replace("'", "")
        lines += ["-H 'Content-Type: application/json'", f"-d '{text}'"]
    return " \\\n  ".join(lines)
