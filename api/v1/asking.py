"""What a list is asked for by its address: filters, words, order, page."""

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import quote

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from api import paging
from api.v1.bodies import YEARS
from api.v1.shapes import MOMENT_OR_DAY, NUMBERS
from crm_core.fields import catalogue
from crm_core.fields.addresses import read_address
from crm_core.fields.filters import Filter, operators_of
from crm_core.fields.lists import ListQuery
from crm_core.registry import Field, Kind, RecordType
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid

PARAMETERS = ("f", "q", "sort", *paging.PARAMETERS)
_LARGEST = Decimal(10) ** 16
_WORDS = ("1", "0", "true", "false", "yes", "no")


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as asked for; `what` names kind and order for the seal of the cursor."""

    query: ListQuery
    limit: int
    wants_total: bool
    what: str


def read_asked(user: User, kind: RecordType, given: QueryDict) -> Asked:
    """Understand a list's address. Every field the person may see is a column.

    Raises:
        Invalid: a parameter, field, operator or value that does not exist or cannot be read.
    """
    what = f"{kind.name}:{given.get('sort') or kind.default_sort}"
    plain = QueryDict(mutable=True)
    plain.setlist("f", [*given.getlist("f"), *_equalities(user, kind, given)])
    for name in ("q", "sort"):
        plain[name] = given.get(name, "")
    query = read_address(user, kind, plain).query
    for each in query.filters:
        _demand_legible(each)
    columns = tuple(field.name for field in catalogue.fields_for(user, kind))
    query = replace(query, columns=columns, cursor=paging.opened(what, given))
    return Asked(query, paging.limit_of(given), paging.wants_total(given), what)


def _equalities(user: User, kind: RecordType, given: QueryDict) -> list[str]:
    """`?stage=3&stage=4` as filter codes; an empty value asks for records without one."""
    codes = []
    for name in given:
        if name in PARAMETERS:
            continue
        field = _field_called(user, kind, name)
        values = [value for value in given.getlist(name) if value]
        if values:
            codes.append(f"{field.name}.is.{'|'.join(quote(v, safe='') for v in values)}")
        elif "empty" in operators_of(field):
            codes.append(f"{field.name}.empty")
    return codes


def _field_called(user: User, kind: RecordType, name: str) -> Field:
    for field in catalogue.fields_for(user, kind):
        if field.name == name and field.filterable:
            return field
    raise Invalid(
        _("There is no parameter “%(name)s” here.") % {"name": name[:60]}, field=name[:60]
    )


def _demand_legible(given: Filter) -> None:
    """Refuse values beyond what the database compares with."""
    if given.operator in ("empty", "filled", "in"):
        return
    if given.field.kind in NUMBERS:
        fits = all(_is_number(value) for value in given.values)
    elif given.field.kind in MOMENT_OR_DAY and given.operator == "older":
        fits = all(value.isascii() and value.isdigit() and len(value) < 6 for value in given.values)
    elif given.field.kind in MOMENT_OR_DAY:
        fits = all(_is_day(value) for value in given.values)
    elif given.field.kind == Kind.BOOLEAN:
        fits = all(value in _WORDS for value in given.values)
    else:
        return
    if not fits:
        raise Invalid(
            _("The filter on “%(label)s” cannot be read.") % {"label": given.field.label},
            field=given.field.name,
        )


def _is_number(text: str) -> bool:
    try:
        number = Decimal(text.replace(",", "")) if len(text) < 60 else None
    except ArithmeticError:
        return False
    return number is not None and number.is_finite() and abs(number) < _LARGEST


def _is_day(text: str) -> bool:
    try:
        day: dt.date | None = parse_date(text)
    except ValueError:
        return False
    return day is not None and day.year in YEARS
