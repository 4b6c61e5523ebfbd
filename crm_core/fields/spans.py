"""Spans of days that people name: this week, the next 30 days, more than 90 days ago."""

import datetime as dt

from django.db.models import Q
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_core.registry import Field, Kind
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.periods import start_of_day

NAMED = {
    "today": gettext_lazy("today"),
    "yesterday": gettext_lazy("yesterday"),
    "tomorrow": gettext_lazy("tomorrow"),
    "this_week": gettext_lazy("this week"),
    "last_week": gettext_lazy("last week"),
    "next_week": gettext_lazy("next week"),
    "this_month": gettext_lazy("this month"),
    "last_month": gettext_lazy("last month"),
    "next_month": gettext_lazy("next month"),
    "this_quarter": gettext_lazy("this quarter"),
    "last_quarter": gettext_lazy("last quarter"),
    "this_year": gettext_lazy("this year"),
    "last_year": gettext_lazy("last year"),
    "last_7": gettext_lazy("the last 7 days"),
    "last_30": gettext_lazy("the last 30 days"),
    "last_90": gettext_lazy("the last 90 days"),
    "next_7": gettext_lazy("the next 7 days"),
    "next_30": gettext_lazy("the next 30 days"),
    "past": gettext_lazy("the past"),
    "future": gettext_lazy("the future"),
}
_FIRST, _LAST = dt.date(1000, 1, 1), dt.date(9998, 12, 30)


def _month(day: dt.date, offset: int, length: int = 1) -> tuple[dt.date, dt.date]:
    """First and last day of `length` months, `offset` months from `day`'s."""
    index = day.year * 12 + day.month - 1 + offset
    first = dt.date(index // 12, index % 12 + 1, 1)
    end = index + length
    return first, dt.date(end // 12, end % 12 + 1, 1) - dt.timedelta(days=1)


def span(name: str, today: dt.date) -> tuple[dt.date, dt.date]:
    """First and last day (inclusive) of a named span; weeks begin on Monday.

    Raises:
        Invalid: there is no such span.
    """
    day = dt.timedelta(days=1)
    monday = today - today.weekday() * day
    quarter = -((today.month - 1) % 3)
    found = {
        "today": (today, today),
        "yesterday": (today - day, today - day),
        "tomorrow": (today + day, today + day),
        "this_week": (monday, monday + 6 * day),
        "last_week": (monday - 7 * day, monday - day),
        "next_week": (monday + 7 * day, monday + 13 * day),
        "this_month": _month(today, 0),
        "last_month": _month(today, -1),
        "next_month": _month(today, 1),
        "this_quarter": _month(today, quarter, 3),
        "last_quarter": _month(today, quarter - 3, 3),
        "this_year": _month(today, 1 - today.month, 12),
        "last_year": _month(today, 1 - today.month - 12, 12),
        "last_7": (today - 7 * day, today),
        "last_30": (today - 30 * day, today),
        "last_90": (today - 90 * day, today),
        "next_7": (today, today + 7 * day),
        "next_30": (today, today + 30 * day),
        "past": (_FIRST, today - day),
        "future": (today + day, _LAST),
    }.get(name)
    if found is None:
        raise Invalid(_("There is no span of days called “%(name)s”.") % {"name": name})
    return found


def _day(field: Field, value: str) -> dt.date:
    try:
        day = parse_date(value)
    except ValueError:
        day = None
    if day is None or not 1000 <= day.year <= 9998:
        raise Invalid(_("The filter on “%(label)s” takes a date.") % {"label": field.label})
    return day


def _days_ago(field: Field, value: str, today: dt.date) -> dt.date:
    if not value.isascii() or not value.isdigit() or int(value[:6]) > 36_500:
        raise Invalid(
            _("The filter on “%(label)s” takes a number of days.") % {"label": field.label}
        )
    return today - dt.timedelta(days=int(value))


def condition(field: Field, operator: str, values: tuple[str, ...], *, today: dt.date) -> Q:
    """The condition of a filter on a day or a moment, in the company's days."""
    day = dt.timedelta(days=1)
    if operator == "in":
        return _within(field, *span(values[0], today))
    if operator == "older":
        return _within(field, _FIRST, _days_ago(field, values[0], today) - day)
    first = _day(field, values[0])
    if operator == "is":
        return _within(field, first, first)
    if operator == "before":
        return _within(field, _FIRST, first - day)
    if operator == "after":
        return _within(field, first + day, _LAST)
    return _within(field, first, _day(field, values[1]))


def _within(field: Field, first: dt.date, last: dt.date) -> Q:
    path = field.orm_path
    if field.kind == Kind.DATE:
        if field.custom_key:
            return Q(**{f"{path}__gte": first.isoformat(), f"{path}__lte": last.isoformat()})
        return Q(**{f"{path}__gte": first, f"{path}__lte": last})
    end = start_of_day(last + dt.timedelta(days=1))
    later = Q(**{f"{path}__lt": end})
    return later if first == _FIRST else later & Q(**{f"{path}__gte": start_of_day(first)})
