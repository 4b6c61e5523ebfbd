"""A picker may answer with a record that does not exist yet: `new:Name` makes it on the way.

Both are kept, or neither: a refused contact leaves no company behind.
"""

import datetime as dt
from typing import Any

from django.db import transaction

from crm_core.registry import Kind, RecordType, record_type
from crm_platform.identity.models import User

NEW = "new:"
Values = dict[str, Any]


@transaction.atomic
def create_with_links(*, kind: RecordType, values: Values, actor: User, at: dt.datetime) -> Any:
    """Make a record, and first the records its links name as `new:Name`."""
    return kind.create(values=_made(kind, values, actor, at), actor=actor, at=at)


@transaction.atomic
def edit_with_links(
    *, record: Any, kind: RecordType, values: Values, actor: User, at: dt.datetime,
    version: int | None = None,
) -> Any:  # fmt: skip
    """Change a record, and first make the records its links name as `new:Name`."""
    made = _made(kind, values, actor, at)
    return kind.edit(record=record, values=made, actor=actor, at=at, version=version)


def _made(kind: RecordType, values: Values, actor: User, at: dt.datetime) -> Values:
    made = dict(values)
    for name, value in values.items():
        field = kind.field(name)
        if field and field.kind == Kind.LINK and isinstance(value, str) and value.startswith(NEW):
            other = record_type(field.target)
            named = {"name": value.removeprefix(NEW).strip()}
            made[name] = other.create(values=named, actor=actor, at=at).pk
    return made
