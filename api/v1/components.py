"""The schemas of the OpenAPI document as one person of one company sees them."""

from typing import Any

from django.utils.translation import gettext as _

from api.v1 import described_billing
from api.v1.activities import about_types
from api.v1.described import name_of, ref
from api.v1.shapes import ID_SCHEMA, Json, companions, schema_of
from crm_core.fields import catalogue
from crm_core.fields.filters import operators_of
from crm_core.registry import Field, RecordType, record_types
from crm_platform.identity.models import User

TEXT: Json = {"type": "string"}


def components(user: User) -> Json:
    """Every schema by name: the company's own fields are in, fields hidden from `user` are not."""
    found: Json = {"Problem": _problem(), **_configuration(), **described_billing.components()}
    for kind in record_types():
        found.update(_of_kind(user, kind))
    found["DealMove"] = _move()
    return dict(sorted(found.items()))


def _object(properties: Json, required: list[str] | None = None, **more: Any) -> Json:
    made: Json = {"type": "object", "properties": properties, **more}
    if required:
        made["required"] = required
    return made


def page_of(name: str) -> Json:
    """The envelope of a list."""
    return _object(
        {
            "results": {"type": "array", "items": ref(name)},
            "next": {"type": ["string", "null"], "format": "uri"},
            "total": {"type": "integer", "description": _("Only where `count` asked for it.")},
        },
        ["results", "next"],
    )


def _of_kind(user: User, kind: RecordType) -> Json:
    name, fields = name_of(kind), catalogue.fields_for(user, kind)
    writable = [field for field in fields if catalogue.may_write(user, kind, field)]
    sent = {field.name: schema_of(field) for field in writable}
    new = dict(sent)
    needed = [field.name for field in writable if field.required]
    if kind.name == "activity":
        new["about"], needed = _about(), []
    made = {
        name: _answered(kind, fields, writable),
        f"{name}Page": page_of(name),
        f"{name}Edit": _object(sent, additionalProperties=False, title=_("Changes")),
        f"{name}Create": _object(new, needed, additionalProperties=False),
        f"{name}Equals": _object(
            {f.name: TEXT for f in fields if f.filterable and "is" in operators_of(f)}
        ),
    }
    made[name]["title"] = str(kind.label)
    return made


def _answered(kind: RecordType, fields: list[Field], writable: list[Field]) -> Json:
    properties: Json = {
        "id": {**ID_SCHEMA, "readOnly": True},
        "version": {"type": "integer", "readOnly": True},
    }
    for field in fields:
        properties[field.name] = schema_of(field)
        if field not in writable:
            properties[field.name]["readOnly"] = True
        for beside, schema in companions(field).items():
            properties[beside] = {**schema, "readOnly": True}
    if kind.name == "activity":
        about = _about()
        properties["about"] = {**about, "type": ["object", "null"], "readOnly": True}
    return _object(properties, list(properties))


def _about() -> Json:
    return _object(
        {"type": {**TEXT, "enum": about_types()}, "id": ID_SCHEMA}, ["type", "id"],
        description=_("The record it hangs on."), additionalProperties=False,
    )  # fmt: skip


def _move() -> Json:
    return _object(
        {
            "stage": ID_SCHEMA,
            "lost_reason": {**ID_SCHEMA, "description": _("Needed for a lost stage.")},
            "lost_note": {**TEXT, "maxLength": 500},
            "before": {**ID_SCHEMA, "description": _("The deal it is put above on the board.")},
        },
        ["stage"], additionalProperties=False,
    )  # fmt: skip


def _problem() -> Json:
    error = _object({"field": TEXT, "detail": TEXT}, ["field", "detail"])
    return _object(
        {
            "type": {**TEXT, "format": "uri-reference"}, "title": TEXT,
            "status": {"type": "integer"}, "code": TEXT, "detail": TEXT,
            "errors": {"type": "array", "items": error},
        },
        ["type", "title", "status", "code", "detail", "errors"],
        description=_("Why a request was refused (RFC 9457)."),
    )  # fmt: skip


def _configuration() -> Json:
    named = {"id": ID_SCHEMA, "name": TEXT}
    percent = {"type": "integer", "minimum": 0, "maximum": 100}
    kind = {**TEXT, "enum": ["open", "won", "lost"]}
    stage = {**named, "kind": kind, "probability": percent}
    rows: dict[str, Json] = {
        "Pipeline": {
            **named, "is_default": {"type": "boolean"}, "stale_days": {"type": "integer"},
            "stages": {"type": "array", "items": ref("Stage")},
        },
        "LostReason": named,
        "User": {**named, "email": TEXT, "active": {"type": "boolean"}},
        "Team": named,
        "Tag": named,
    }  # fmt: skip
    found = {"Stage": _object(stage, list(stage))}
    for name, properties in rows.items():
        found[name] = _object(properties, list(properties))
        found[f"{name}Page"] = page_of(name)
    return found
