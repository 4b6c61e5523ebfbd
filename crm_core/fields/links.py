"""A picker may answer with a record that does not exist yet: `new:Name` makes it on the way."""

import datetime as dt
from typing import Any

from crm_core.registry import Field, Kind, record_type
from crm_platform.identity.models import User

NEW = "new:"


def make_linked(
    values: dict[str, Any], fields: list[Field], *, actor: User, at: dt.datetime
) -> dict[str, Any]:
    """`values` with each `new:Name` of a link replaced by the id of the record made for it."""
    made = dict(values)
    for field in fields:
        value = made.get(field.name)
        if field.kind == Kind.LINK and isinstance(value, str) and value.startswith(NEW):
            kind = record_type(field.target)
            name = value.removeprefix(NEW).strip()
            made[field.name] = kind.create(values={"name": name}, actor=actor, at=at).pk
    return made
