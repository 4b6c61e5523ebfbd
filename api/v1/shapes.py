"""How each kind of fact looks in JSON: written out, read in, and described in the schema."""

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime

from crm_core.fields import catalogue
from crm_core.fields.cells import value_of
from crm_core.registry import Field, Kind
from crm_platform.kernel.tenancy import current

Json = dict[str, Any]
Writer = Callable[[Any, Json], None]
"""Adds one fact of a row (values by path, or a record) to the answer."""

NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.PERCENT)
MANY = (Kind.TAGS, Kind.MULTI_CHOICE)
MOMENT_OR_DAY = (Kind.DATE, Kind.MOMENT)


def is_id(field: Field) -> bool:
    """Whether the fact names another row; ids are text in JSON, for they outgrow its numbers."""
    return field.is_key or field.kind in (Kind.LINK, Kind.USER, Kind.TEAM)


def moment_text(value: Any) -> str | None:
    """ISO 8601 in UTC, as `2026-11-20T12:00:00Z`."""
    moment = parse_datetime(value) if isinstance(value, str) else value
    if moment is None:
        return None
    return str(moment.astimezone(dt.UTC).isoformat()).replace("+00:00", "Z")


def money_text(value: Any) -> str | None:
    return None if value is None else str(Decimal(str(value)).quantize(Decimal("0.01")))


def _day_text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, dt.date) else value


def _id_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _as_it_is(value: Any) -> Any:
    return value


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value or ()]


def _plain(field: Field) -> Callable[[Any], Any]:
    if is_id(field):
        return _id_text
    return {
        Kind.MONEY: money_text,
        Kind.MOMENT: moment_text,
        Kind.DATE: _day_text,
        Kind.TAGS: _texts,
        Kind.MULTI_CHOICE: _texts,
    }.get(field.kind, _as_it_is)


def _linked_name(field: Field) -> Callable[[Any], str | None]:
    """Reads the name of the linked row, from a list's row or from a record."""
    path = f"{field.orm_path}__name"

    def read(row: Any) -> str | None:
        if isinstance(row, dict):
            return str(row[path]) if row[path] is not None else None
        linked = getattr(row, field.orm_path)
        return str(linked.name) if linked else None

    return read


def _named(field: Field) -> Callable[[Any], Any] | None:
    """What `<name>_name` says beside an id; from the process's snapshots but for links."""
    if field.kind == Kind.LINK:
        return _linked_name(field)
    if field.kind == Kind.USER:
        people = catalogue.people()
        return lambda row: people[pk].name if (pk := value_of(field, row)) in people else None
    if field.kind == Kind.TEAM:
        teams = catalogue.teams()
        return lambda row: teams.get(value_of(field, row) or 0)
    if field.is_key:
        labels = {choice.value: choice.label for choice in catalogue.choices_of(field)}
        return lambda row: labels.get(str(value_of(field, row)))
    if field.kind == Kind.TAGS:
        tags = catalogue.tags()
        return lambda row: [tags[pk].label for pk in value_of(field, row) or () if pk in tags]
    return None


def companions(field: Field) -> dict[str, Json]:
    """The read-only facts that stand beside a field, with their schemas."""
    if field.kind == Kind.TAGS:
        return {f"{field.name[:-1]}_names": {"type": "array", "items": {"type": "string"}}}
    if is_id(field):
        return {f"{field.name}_name": {"type": ["string", "null"]}}
    if field.kind == Kind.MONEY and not field.currency_path:
        return {f"{field.name}_currency": {"type": "string"}}
    return {}


def writer_of(field: Field) -> Writer:
    """The function that writes one field and its companions."""
    plain, named = _plain(field), _named(field)
    beside = next(iter(companions(field)), "")
    currency = current().currency

    def write(row: Any, answer: Json) -> None:
        answer[field.name] = plain(value_of(field, row))
        if beside:
            answer[beside] = named(row) if named else currency

    return write


def writers_of(fields: Iterable[Field]) -> list[Writer]:
    return [writer_of(field) for field in fields]


def facts_of(row: Any, writers: list[Writer]) -> Json:
    """One record as the API answers it; `row` is a list's row or a record."""
    answer: Json = {"id": str(row.pk), "version": row.version}
    for write in writers:
        write(row, answer)
    return answer


# -- the schema ----------------------------------------------------------------------------------
ID_SCHEMA: Json = {"type": "string", "pattern": "^[0-9]{1,18}$"}
_TYPES: dict[Kind, Json] = {
    Kind.EMAIL: {"type": "string", "format": "email"},
    Kind.INTEGER: {"type": "integer"},
    Kind.DECIMAL: {"type": "number"},
    Kind.PERCENT: {"type": "integer", "minimum": 0, "maximum": 100},
    Kind.MONEY: {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "examples": ["1000.00"]},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.MOMENT: {"type": "string", "format": "date-time"},
    Kind.BOOLEAN: {"type": "boolean"},
}


def schema_of(field: Field) -> Json:
    """The JSON Schema of one fact, as answered and as sent."""
    made = dict(ID_SCHEMA) if is_id(field) else dict(_TYPES.get(field.kind, {"type": "string"}))
    if field.kind in MANY:
        item = ID_SCHEMA if field.kind == Kind.TAGS else _options(field, {"type": "string"})
        return _described(field, {"type": "array", "items": item})
    if field.kind == Kind.CHOICE and not field.is_key:
        made = _options(field, made)
    elif made == {"type": "string"}:
        made["maxLength"] = 20_000 if field.kind == Kind.LONG_TEXT else field.max_length
    if field.kind != Kind.BOOLEAN or field.custom_key:
        made["type"] = [made["type"], "null"]
    return _described(field, made)


def _options(field: Field, made: Json) -> Json:
    """A closed choice; empty and null are for nothing chosen."""
    values = [choice.value for choice in catalogue.choices_of(field)]
    return {**made, "enum": [*values, "", None] if field.kind == Kind.CHOICE else values}


def _described(field: Field, made: Json) -> Json:
    made["title"] = str(field.label)
    if field.help_text:
        made["description"] = str(field.help_text)
    return made
