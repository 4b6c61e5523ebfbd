"""Days and moments as words: due, ago, in the reader's language and time zone."""

from __future__ import annotations

import datetime as dt
import functools

from babel.dates import format_date, format_datetime
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from crm_platform.ui.money import babel_locale

Day = dt.date | dt.datetime

# Skeletons by language: the year is left out within the current year.
SHORT = {"en": ("d MMM", "d MMM y"), "zh": ("M月d日", "y年M月d日")}
CLOCK = "HH:mm"
FAR_MINUTES = 366 * 24 * 60


def local(value: dt.datetime) -> dt.datetime:
    """`value` in the reader's time zone; a naive moment is taken as already there."""
    return timezone.localtime(value) if timezone.is_aware(value) else value


@functools.lru_cache(maxsize=4096)
def _day(value: dt.date, language: str, this_year: bool) -> str:
    where = babel_locale(language)
    pattern = SHORT["zh" if where.language == "zh" else "en"][0 if this_year else 1]
    return format_date(value, pattern, locale=where)


def day_text(value: Day | None) -> str:
    """`5 Mar`, with the year unless it is this one."""
    if value is None:
        return ""
    day = local(value).date() if isinstance(value, dt.datetime) else value
    return _day(day, get_language() or "en", day.year == timezone.localdate().year)


def moment_text(value: dt.datetime | None) -> str:
    """`5 Mar, 14:05`."""
    if value is None:
        return ""
    here = local(value)
    return _("%(day)s, %(time)s") % {"day": day_text(here), "time": here.strftime("%H:%M")}


def full_text(value: dt.datetime) -> str:
    """The whole moment with its weekday and zone, for a tooltip."""
    return format_datetime(local(value), "full", locale=babel_locale(get_language() or "en"))


def day_tag(value: Day | None) -> SafeString | str:
    """`<time>` around the day."""
    if value is None:
        return ""
    day = local(value).date() if isinstance(value, dt.datetime) else value
    return format_html('<time datetime="{}">{}</time>', day.isoformat(), day_text(day))


def moment_tag(value: dt.datetime | None) -> SafeString | str:
    """`<time>` around day and clock."""
    if value is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), moment_text(value))


def since_tag(value: dt.datetime | None) -> SafeString | str:
    """`<time>` that says how long ago; the script keeps it fresh and the title has the moment."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}" data-since>{}</time>',
        value.isoformat(), moment_text(value), ago(value),
    )  # fmt: skip


def since_cell(value: dt.datetime) -> SafeString:
    """`since_tag` for a list's hundreds of cells: without the tooltip, which the script adds."""
    return mark_safe(  # noqa: S308  a date and our own words
        f'<time datetime="{value.isoformat()}" data-since>{escape(_ago_moment(value))}</time>'
    )


def _ago_moment(value: dt.datetime) -> str:
    now = timezone.now()
    minutes = int((now - value).total_seconds() // 60)
    if minutes > FAR_MINUTES:
        # So far back that no hour matters: name the day, without asking what today is.
        here = local(value)
        return _day(here.date(), get_language() or "en", False)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes) % {"n": minutes}
    zone = timezone.get_current_timezone()
    days = (now.astimezone(zone).date() - value.astimezone(zone).date()).days
    if days == 0:
        hours = minutes // 60
        return ngettext("%(n)d hour ago", "%(n)d hours ago", hours) % {"n": hours}
    return ago(days)


def ago(value: int | Day | None) -> str:
    """How long ago, from a number of days, a day or a moment. A far day is named."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return _ago_moment(value if timezone.is_aware(value) else timezone.make_aware(value))
    days = (timezone.localdate() - value).days if isinstance(value, dt.date) else value
    if days < 0:
        return due_text(-days)
    if days == 0:
        return _("today")
    if days == 1:
        return _("yesterday")
    if days > 60:
        return day_text(timezone.localdate() - dt.timedelta(days=days))
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}


def days_until(value: Day | int | None) -> int | None:
    """Whole days from today in the reader's zone; negative is past."""
    if value is None or isinstance(value, int):
        return value
    day = local(value).date() if isinstance(value, dt.datetime) else value
    return (day - timezone.localdate()).days


def due_text(value: Day | int | None) -> str:
    """When the next step is due: `3 days late`, `Today`, `in 5 days`."""
    days = days_until(value)
    if days is None:
        return _("No next step")
    if days == 0:
        return _("Today")
    if days == 1:
        return _("Tomorrow")
    if days < 0:
        return ngettext("%(n)d day late", "%(n)d days late", -days) % {"n": -days}
    return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days}


def due_state(value: Day | int | None) -> str:
    """`late`, `today`, `later` or `none`, for `data-due`."""
    days = days_until(value)
    if days is None:
        return "none"
    return "late" if days < 0 else "today" if days == 0 else "later"


def days_short(days: int | None) -> str:
    """`12d`, for a place with no room."""
    return "" if days is None else _("%(n)dd") % {"n": days}
