"""From what people, files and programs send to what the database keeps; and plain refusals."""

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from crm_core.fields import catalogue
from crm_core.registry import Field, Kind, record_type
from crm_core.registry.queries import visible_to
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid

EMPTY: tuple[Any, ...] = (None, "", [], ())
_WEB = URLValidator(schemes=["http", "https"])
_LARGEST = Decimal(10) ** 16


def _refuse(field: Field, sentence: str) -> Invalid:
    return Invalid(sentence, field=field.name)


def _text(field: Field, value: Any) -> str:
    text = str(value).replace("\x00", "").strip()
    limit = 20_000 if field.kind == Kind.LONG_TEXT else field.max_length
    if len(text) > limit:
        raise _refuse(
            field,
            _("“%(label)s” holds at most %(limit)d characters; this has %(length)d.")
            % {"label": field.label, "limit": limit, "length": len(text)},
        )
    return text


def _email(field: Field, value: Any) -> str:
    text = _text(field, value)
    try:
        validate_email(text)
    except ValidationError:
        raise _refuse(
            field, _("“%(value)s” is not a mail address.") % {"value": text[:60]}
        ) from None
    return text


def _url(field: Field, value: Any) -> str:
    text = _text(field, value)
    full = text if re.match(r"^[a-z]+:", text, re.IGNORECASE) else f"https://{text}"
    try:
        _WEB(full)
    except ValidationError:
        raise _refuse(
            field, _("“%(value)s” is not a web address.") % {"value": text[:60]}
        ) from None
    return full


def _number(field: Field, value: Any) -> Decimal:
    text = str(value).strip().replace(",", "").replace(" ", "").replace("\u00a0", "")
    try:
        number = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        raise _refuse(field, _("“%(value)s” is not a number.") % {"value": text[:60]}) from None
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise _refuse(field, _("“%(value)s” is too large.") % {"value": text[:60]})
    return number


def _integer(field: Field, value: Any) -> int:
    number = _number(field, value)
    if number != number.to_integral_value():
        raise _refuse(field, _("“%(label)s” takes a whole number.") % {"label": field.label})
    if not 0 <= number <= field.largest and not field.custom_key:
        raise _refuse(field, _("“%(value)s” is too large.") % {"value": str(number)[:60]})
    return int(number)


def _money(field: Field, value: Any) -> Decimal:
    return _number(field, value).quantize(Decimal("0.01"))


def _percent(field: Field, value: Any) -> int:
    number = _integer(field, value)
    if not 0 <= number <= 100:
        raise _refuse(field, _("“%(label)s” takes 0 to 100.") % {"label": field.label})
    return number


def _date(field: Field, value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    try:
        day = value if isinstance(value, dt.date) else parse_date(str(value).strip())
    except ValueError:
        day = None
    if day is None or not 1000 <= day.year <= 9998:
        raise _refuse(
            field,
            _("“%(value)s” is not a date; write it as 2026-12-31.") % {"value": str(value)[:40]},
        )
    return day


def _moment(field: Field, value: Any) -> dt.datetime:
    """A moment; without a zone it is meant where the person is, a bare day at its noon."""
    moment: dt.datetime | None = value if isinstance(value, dt.datetime) else None
    text = str(value).strip()
    if moment is None and len(text) > len("2026-12-31"):
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
    if moment is None:
        moment = dt.datetime.combine(_date(field, value), dt.time(12))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.get_current_timezone())
    # Neither end of the calendar: such a moment could not be shown in every time zone.
    if not 1000 <= moment.year <= 9998:
        raise _refuse(
            field,
            _("“%(value)s” is not a date; write it as 2026-12-31.") % {"value": text[:40]},
        )
    return moment.astimezone(dt.UTC)


_YES = {"1", "true", "yes", "y", "on", "是", "有", "真"}
_NO = {"0", "false", "no", "n", "off", "否", "无", "無", "假"}


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise _refuse(field, _("“%(label)s” takes yes or no.") % {"label": field.label})


def _choice(field: Field, value: Any) -> str:
    text = str(value).strip()
    found = {choice.value for choice in catalogue.choices_of(field)}
    if text not in found:
        raise _refuse(
            field,
            _("“%(value)s” is not one of the choices of “%(label)s”.")
            % {"value": text[:60], "label": field.label},
        )
    return text


def _key(field: Field, value: Any) -> int:
    return int(_choice(field, value))


def _keys(field: Field, value: Any) -> list[int]:
    values = value if isinstance(value, list | tuple) else [value]
    return sorted({_key(field, each) for each in values if each not in EMPTY})


def _many(field: Field, value: Any) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    return sorted({_choice(field, each) for each in values if each not in EMPTY})


_READERS: dict[Kind, Any] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _text,
    Kind.PHONE: _text,
    Kind.EMAIL: _email,
    Kind.URL: _url,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _number,
    Kind.MONEY: _money,
    Kind.PERCENT: _percent,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.MULTI_CHOICE: _many,
    Kind.TAGS: _keys,
    Kind.USER: _key,
    Kind.TEAM: _key,
}


def nothing(field: Field) -> Any:
    """What an empty fact is kept as."""
    if field.kind in (Kind.TAGS, Kind.MULTI_CHOICE):
        return []
    text_kinds = (Kind.TEXT, Kind.LONG_TEXT, Kind.PHONE, Kind.EMAIL, Kind.URL, Kind.CHOICE)
    if field.custom_key or field.is_key or field.kind not in text_kinds:
        return None
    return ""


def coerce(field: Field, value: Any, *, actor: User) -> Any:
    """`value` as the database keeps it; links are checked to be visible to `actor` (one query).

    Raises:
        Invalid: it cannot be, in a sentence that names the value and the rule.
    """
    if isinstance(value, str):
        value = value.replace("\x00", "").strip()
    if value in EMPTY:
        if field.kind == Kind.BOOLEAN and not field.custom_key:
            return False
        if field.required:
            raise _refuse(field, _("“%(label)s” is needed.") % {"label": field.label})
        return nothing(field)
    if field.kind == Kind.LINK:
        return _link(field, value, actor)
    if field.is_key:
        return _key(field, value)
    kept = _READERS[field.kind](field, value)
    return _as_json(kept) if field.custom_key else kept


def _link(field: Field, value: Any, actor: User) -> int:
    number = getattr(value, "pk", value)
    text = str(number)
    is_number = text.isascii() and text.isdigit() and len(text) <= 18
    rows = visible_to(actor, record_type(field.target))
    if not is_number or not rows.filter(pk=int(text)).exists():
        raise _refuse(
            field,
            _("The record chosen for “%(label)s” does not exist, or is not open to you.")
            % {"label": field.label},
        )
    return int(text)


def _as_json(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
