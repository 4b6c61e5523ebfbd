"""Filters as people read them: a field, an operator, values. A closed list, never raw input."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_core.fields import catalogue, spans
from crm_core.registry import Field, Kind, RecordType, record_type
from crm_core.registry.queries import visible_to
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid

TEXTS = (Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL)
NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.PERCENT)
DAYS = (Kind.DATE, Kind.MOMENT)
SETS = (Kind.CHOICE, Kind.MULTI_CHOICE, Kind.TAGS, Kind.USER, Kind.TEAM, Kind.LINK)

LABELS = {
    "contains": gettext_lazy("contains"),
    "is": gettext_lazy("is"),
    "not": gettext_lazy("is not"),
    "starts": gettext_lazy("starts with"),
    "gte": gettext_lazy("at least"),
    "lte": gettext_lazy("at most"),
    "between": gettext_lazy("between"),
    "before": gettext_lazy("before"),
    "after": gettext_lazy("after"),
    "in": gettext_lazy("in"),
    "older": gettext_lazy("more than … days ago"),
    "empty": gettext_lazy("is empty"),
    "filled": gettext_lazy("is filled"),
}
ARITY = {"empty": 0, "filled": 0, "between": 2}
MOST_FILTERS = 20
LARGEST = Decimal(10) ** 16


def operators_of(field: Field) -> tuple[str, ...]:
    """The operators that make sense for a field."""
    if field.kind in TEXTS:
        return ("contains", "is", "not", "starts", "empty", "filled")
    if field.kind in NUMBERS:
        return ("is", "gte", "lte", "between", "empty", "filled")
    if field.kind in DAYS:
        return ("in", "is", "before", "after", "between", "older", "empty", "filled")
    if field.kind == Kind.BOOLEAN:
        return ("is",)
    return ("is", "not", "empty", "filled")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition; `values` are as sent (text)."""

    field: Field
    operator: str
    values: tuple[str, ...]

    @property
    def code(self) -> str:
        """How it stands in an address: `field.operator.value|value`."""
        return ".".join(
            [self.field.name, self.operator, "|".join(quote(v, safe="") for v in self.values)]
        )


def parse(user: User, kind: RecordType, codes: list[str]) -> list[Filter]:
    """Filters from an address or a saved view.

    Raises:
        Invalid: a field, operator or number of values that does not exist.
    """
    if len(codes) > MOST_FILTERS:
        raise Invalid(_("At most %(count)d filters at a time.") % {"count": MOST_FILTERS})
    return [_parse_one(user, kind, code) for code in codes]


def _parse_one(user: User, kind: RecordType, code: str) -> Filter:
    name, _dot, rest = code.partition(".")
    operator, _dot, tail = rest.partition(".")
    field = catalogue.get_field(user, kind, name)
    if not field.filterable or operator not in operators_of(field):
        raise Invalid(_("This filter does not fit “%(label)s”.") % {"label": field.label})
    parts = (unquote(part).replace("\x00", "")[:500] for part in tail.split("|") if part)
    values = tuple(part for part in parts if part) if tail else ()
    wanted = ARITY.get(operator, 1)
    if len(values) < wanted:
        raise Invalid(_("The filter on “%(label)s” lacks its value.") % {"label": field.label})
    return Filter(field, operator, values)


def condition(user: User, given: Filter, *, today: dt.date) -> Q:
    """The database condition of one filter; `today` is the company's day.

    Raises:
        Invalid: a value cannot be read.
    """
    field, operator = given.field, given.operator
    if operator in ("empty", "filled"):
        empty = _empty(field)
        return empty if operator == "empty" else ~empty
    if field.kind in TEXTS:
        return _text(field, operator, given.values)
    if field.kind in NUMBERS:
        return _number(field, operator, given.values)
    if field.kind in DAYS:
        return spans.condition(field, operator, given.values, today=today)
    if field.kind == Kind.BOOLEAN:
        return Q(**{field.value_path: given.values[0] in ("1", "true", "yes")})
    found = _SET_CONDITIONS.get(field.kind, _plain_set)(user, field, given.values)
    return ~found if operator == "not" else found


def _empty(field: Field) -> Q:
    path = field.value_path
    if field.custom_key:
        return ~Q(custom__has_key=field.custom_key)
    if field.kind == Kind.TAGS:
        return Q(**{path: []})
    if field.kind in TEXTS or (field.kind == Kind.CHOICE and not field.is_key):
        return Q(**{path: ""})
    return Q(**{f"{path}__isnull": True})


def _text(field: Field, operator: str, values: tuple[str, ...]) -> Q:
    lookups = {"contains": "icontains", "starts": "istartswith", "is": "iexact", "not": "iexact"}
    found = Q()
    for value in values:
        found |= Q(**{f"{field.orm_path}__{lookups[operator]}": value})
    return ~found if operator == "not" else found


def _number(field: Field, operator: str, values: tuple[str, ...]) -> Q:
    path = field.orm_path
    try:
        numbers = [Decimal(value.replace(",", "")) for value in values]
    except ArithmeticError:
        raise Invalid(
            _("The filter on “%(label)s” takes a number.") % {"label": field.label}
        ) from None
    if not all(number.is_finite() and abs(number) < LARGEST for number in numbers):
        raise Invalid(_("The filter on “%(label)s” takes a number.") % {"label": field.label})
    kept: list[Any] = [float(n) for n in numbers] if field.custom_key else list(numbers)
    if operator == "between":
        return Q(**{f"{path}__gte": kept[0], f"{path}__lte": kept[1]})
    if operator == "is":
        return Q(**{f"{path}__in": kept})
    return Q(**{f"{path}__{operator}": kept[0]})


def _ids(field: Field, values: tuple[str, ...]) -> list[int]:
    try:
        return [int(value) for value in values if len(value) < 19]
    except ValueError:
        raise Invalid(_("The filter on “%(label)s” is damaged.") % {"label": field.label}) from None


def _people(user: User, field: Field, values: tuple[str, ...]) -> Q:
    named = tuple(str(user.pk) if value == "me" else value for value in values if value != "none")
    found = Q(**{f"{field.value_path}__in": _ids(field, named)}) if named else Q(pk__in=[])
    return found | Q(**{f"{field.value_path}__isnull": True}) if "none" in values else found


def _tags(_user: User, field: Field, values: tuple[str, ...]) -> Q:
    return Q(**{f"{field.value_path}__overlap": _ids(field, values)})


def _links(user: User, field: Field, values: tuple[str, ...]) -> Q:
    rows = visible_to(user, record_type(field.target)).filter(pk__in=_ids(field, values))
    return Q(**{f"{field.value_path}__in": rows.values("pk")})


def _several(_user: User, field: Field, values: tuple[str, ...]) -> Q:
    found = Q()
    for value in values:
        found |= Q(**{f"{field.orm_path}__contains": value})
    return found


def _plain_set(_user: User, field: Field, values: tuple[str, ...]) -> Q:
    kept: list[Any] = (
        _ids(field, values) if field.is_key or field.kind == Kind.TEAM else list(values)
    )
    return Q(**{f"{field.value_path}__in": kept})


_SET_CONDITIONS: dict[Kind, Callable[[User, Field, tuple[str, ...]], Q]] = {
    Kind.USER: _people,
    Kind.TAGS: _tags,
    Kind.LINK: _links,
    Kind.MULTI_CHOICE: _several,
}
