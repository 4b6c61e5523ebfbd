"""What a body says about a record: only known, open fields, each of the right type; all at once.

Rules and rights stay in the services; this is the shape, so that a client hears of every slip in
one answer and nothing of a wrong type reaches them.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from api.errors import WrongFields
from api.v1.shapes import MANY, NUMBERS, is_id
from crm_core.fields import catalogue
from crm_core.fields.values import EMPTY, coerce
from crm_core.registry import Field, Kind, RecordType
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid

Values = dict[str, Any]
YEARS = range(1000, 9999)
_ABSENT = object()


def read_facts(user: User, kind: RecordType, body: Any, *, is_new: bool) -> Values:
    """The values for the kind's own `create` or `edit`, keyed by field name.

    In a new record null stands for “not given” where the database has no place for nothing.

    Raises:
        Invalid: the body is no object, a field is unknown or read-only for this person, a value
            is not of the field's type. Every such field is named.
    """
    demand_object(body)
    writable = {
        field.name: field
        for field in catalogue.fields_for(user, kind)
        if catalogue.may_write(user, kind, field)
    }
    values: Values = {}
    wrong: list[tuple[str, str]] = []
    for name, value in body.items():
        try:
            kept = _read(user, kind, writable.get(name), name, value, is_new=is_new)
        except Invalid as refusal:
            wrong.append((name[:60], str(refusal)))
            continue
        if kept is not _ABSENT:
            values[name] = kept
    if wrong:
        raise WrongFields(wrong[:50])
    return values


def demand_object(body: Any) -> None:
    if not isinstance(body, dict):
        raise Invalid(_("Send a JSON object."))


def _read(
    user: User, kind: RecordType, field: Field | None, name: str, value: Any, *, is_new: bool
) -> Any:
    if field is None:
        raise Invalid(_("“%(name)s” cannot be changed here.") % {"name": name[:60]})
    if not is_of_type(field, value):
        raise Invalid(_("“%(label)s” is not of its type.") % {"label": field.label})
    # A link costs a query, which the service makes; everything else is read here.
    if field.kind == Kind.LINK:
        return None if value in EMPTY else str(value)
    kept = coerce(field, value, actor=user)
    if field.custom_key:
        demand_sane_moment(field, kept)
        return kept
    column = kind.model._meta.get_field(field.column)
    if _has_no_place(column, kept):
        if is_new:
            return _ABSENT
        raise Invalid(_("“%(label)s” is needed.") % {"label": field.label})
    _demand_room(column, kept)
    demand_sane_moment(field, kept)
    return kept


def is_of_type(field: Field, value: Any) -> bool:
    """Whether JSON's own type of `value` can mean this fact; nothing always can."""
    if value is None:
        return True
    if field.kind in MANY:
        return isinstance(value, list) and all(_is_text_or_id(each) for each in value)
    if is_id(field):
        return value == "" or (_is_text_or_id(value) and is_id_text(str(value)))
    if field.kind == Kind.BOOLEAN:
        return isinstance(value, bool)
    if field.kind in NUMBERS:
        is_number = isinstance(value, int | Decimal | str) and not isinstance(value, bool)
        return is_number and len(str(value)) < 60
    return isinstance(value, str)


def _is_text_or_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def is_id_text(text: str) -> bool:
    """Whether it reads as a row's number."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def _has_no_place(column: Any, kept: Any) -> bool:
    if kept is None:
        return not column.null
    return bool(kept == "" and isinstance(column, models.CharField) and not column.blank)


def _demand_room(column: Any, kept: Any) -> None:
    """Refuse a whole number beyond its column."""
    if not isinstance(kept, int) or not isinstance(column, models.IntegerField):
        return
    low, high = connection.ops.integer_field_range(column.get_internal_type())
    if not (low or 0) <= kept <= (high or 0):
        raise Invalid(_("“%(value)s” is too large.") % {"value": kept})


def demand_sane_moment(field: Field, kept: Any) -> None:
    """Refuse years that other clocks and zones cannot hold."""
    if field.kind not in (Kind.MOMENT, Kind.DATE) or kept is None:
        return
    if isinstance(kept, str):
        kept = parse_datetime(kept) or dt.date.fromisoformat(kept)
    if kept.year not in YEARS:
        raise Invalid(_("“%(value)s” is too far away.") % {"value": kept.isoformat()})
