"""How one fact of a record is shown: in a list's cell, on a record page, in its history."""

import datetime as dt
import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm_core.fields import catalogue
from crm_core.registry import Field, Kind, RecordType
from crm_platform.ui import render
from crm_platform.ui.render import escaped
from crm_platform.ui.times import since_cell

Html = SafeString | str


def record_url(kind_name: str, record_id: int) -> str:
    """The address of a record's page; built by hand, for it is asked hundreds of times a page."""
    from crm_core.registry import record_type

    return f"/{record_type(kind_name).slug}/{record_id}/"


def value_of(field: Field, row: Any) -> Any:
    """The stored value, from a list's row (values by path) or from a record."""
    if field.custom_key:
        return (row["custom"] if isinstance(row, dict) else row.custom).get(field.custom_key)
    path = field.value_path
    if isinstance(row, dict):
        return row[path]
    for part in path.split("__"):
        row = getattr(row, part)
    return row


def _related_name(field: Field, row: Any) -> str:
    if isinstance(row, dict):
        return str(row[f"{field.orm_path}__name"] or "")
    for part in field.orm_path.split("__"):
        row = getattr(row, part)
    return str(row.name)


def _currency(field: Field, row: Any) -> str:
    from crm_platform.kernel.tenancy import current

    if not field.currency_path:
        return current().currency
    found = row[field.currency_path] if isinstance(row, dict) else getattr(row, field.currency_path)
    return str(found)


def _text(_field: Field, value: Any, _row: Any) -> Html:
    return str(value)


def _email(_field: Field, value: Any, _row: Any) -> Html:
    mail = escaped(value)
    return mark_safe(f'<a href="mailto:{mail}">{mail}</a>')  # noqa: S308  escaped above


def _phone(_field: Field, value: Any, _row: Any) -> Html:
    return render.phone(value)


def _url(_field: Field, value: Any, _row: Any) -> Html:
    shown = str(value).removeprefix("https://").removeprefix("http://").rstrip("/")
    return format_html(
        '<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', value, shown
    )


def _number(_field: Field, value: Any, _row: Any) -> Html:
    return format_html('<span class="num">{}</span>', render.number(value))


def _year_or_number(field: Field, value: Any, row: Any) -> Html:
    # A year is a number that nobody groups by thousands.
    return str(value) if field.name.endswith("_year") else _number(field, value, row)


def _money(field: Field, value: Any, row: Any) -> Html:
    amount = value if isinstance(value, Decimal) else Decimal(str(value))
    text = escaped(render.money(amount, _currency(field, row)))
    return mark_safe(f'<span class="num">{text}</span>')  # noqa: S308  escaped above


def _percent(_field: Field, value: Any, _row: Any) -> Html:
    return format_html('<span class="num">{}%</span>', value)


def _date(_field: Field, value: Any, _row: Any) -> Html:
    day = parse_date(value) if isinstance(value, str) else value
    return render.day_tag(day) if day else ""


def _moment(_field: Field, value: dt.datetime, _row: Any) -> Html:
    return since_cell(value)


def _boolean(_field: Field, value: Any, _row: Any) -> Html:
    return _("Yes") if value else _("No")


def _choice(field: Field, value: Any, _row: Any) -> Html:
    text = str(value)
    for choice in catalogue.choices_of(field):
        if choice.value == text:
            return render.tag_chip(choice.label, choice.hue) if choice.hue else choice.label
    return text


def _choices(field: Field, value: Any, row: Any) -> Html:
    return "、".join(str(_choice(field, each, row)) for each in value)


def _tags(_field: Field, value: list[int], _row: Any) -> Html:
    known = catalogue.tags()
    return render.tag_chips((known[pk].label, known[pk].hue) for pk in value if pk in known)


def _user(_field: Field, value: int, _row: Any) -> Html:
    person = catalogue.people().get(value)
    if person is None:
        return ""
    face = render.avatar(person.name, person.hue, "xs")
    return mark_safe(  # noqa: S308  escaped here and in the avatar
        f'<span class="co">{face}{escaped(person.name)}</span>'
    )


def _team(_field: Field, value: int, _row: Any) -> Html:
    return catalogue.teams().get(value, "")


def _link(field: Field, value: int, row: Any) -> Html:
    name = _related_name(field, row)
    face = render.avatar(name, value % 8 + 1, "xs", field.target == "account")
    return mark_safe(  # noqa: S308  escaped here and in the avatar
        f'<a class="co" href="{record_url(field.target, value)}">{face}{escaped(name)}</a>'
    )


_SHOWN: dict[Kind, Callable[[Field, Any, Any], Html]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _text,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.URL: _url,
    Kind.INTEGER: _year_or_number,
    Kind.DECIMAL: _number,
    Kind.MONEY: _money,
    Kind.PERCENT: _percent,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.MULTI_CHOICE: _choices,
    Kind.TAGS: _tags,
    Kind.USER: _user,
    Kind.TEAM: _team,
    Kind.LINK: _link,
}
RIGHT_ALIGNED = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.PERCENT)


def shown(field: Field, row: Any) -> Html:
    """The fact as people read it; empty when there is none."""
    value = value_of(field, row)
    if value is None or value == "" or value == []:
        return ""
    return _SHOWN[field.kind](field, value, row)


def plain(field: Field, row: Any) -> str:
    """The fact as text without markup: for exports and sentences."""
    value = value_of(field, row)
    if value is None or value == "" or value == []:
        return ""
    if field.kind == Kind.USER:
        person = catalogue.people().get(value)
        return person.name if person else ""
    if field.kind == Kind.TAGS:
        known = catalogue.tags()
        return ", ".join(known[pk].label for pk in value if pk in known)
    if field.kind == Kind.LINK:
        return _related_name(field, row)
    if field.kind == Kind.TEAM:
        return catalogue.teams().get(value, "")
    if field.kind == Kind.CHOICE:
        return next(
            (c.label for c in catalogue.choices_of(field) if c.value == str(value)), str(value)
        )
    if field.kind == Kind.MULTI_CHOICE:
        return ", ".join(value)
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else str(value)


def history_text(field: Field | None, value: Any) -> Html:
    """A value as the audit log keeps it (JSON), for people."""
    if value in (None, "", []) or field is None:
        return "" if value in (None, "", []) else str(value)
    if field.kind == Kind.USER:
        person = catalogue.people().get(int(value))
        return person.name if person else f"#{value}"
    if field.kind == Kind.TAGS:
        known = catalogue.tags()
        return ", ".join(known[pk].label if pk in known else f"#{pk}" for pk in value)
    if field.kind == Kind.TEAM:
        return catalogue.teams().get(int(value), f"#{value}")
    if field.kind == Kind.CHOICE:
        found = (c.label for c in catalogue.choices_of(field) if c.value == str(value))
        return next(found, str(value))
    if field.kind == Kind.DATE:
        day = parse_date(str(value)[:10])
        return render.day_tag(day) if day else str(value)
    return str(value)


LINKED = (Kind.LINK, Kind.EMAIL, Kind.PHONE, Kind.URL)
"""Kinds shown as links: these get a small pencil, the others open where they are clicked."""


@functools.lru_cache(maxsize=1024)
def _edit_words(label: str, _language: str | None) -> str:
    """What the button that opens a fact says, escaped."""
    return escaped(_("Edit %(label)s") % {"label": label})


class Column:
    """One column of a list: what is the same in all its cells is made once.

    `role` is its place in the card a row becomes on a phone: c-sub, c-last or nothing. The script
    opens an editable cell in place: it knows the row and, from `data-f`, the field.
    """

    __slots__ = ("_closed", "_empty", "_field", "_open", "_tail")

    def __init__(self, field: Field, role: str = "") -> None:
        align = " r" if field.kind in RIGHT_ALIGNED else ""
        names = f"c-{field.name}{align}{f' {role}' if role else ''}"
        edit = _edit_words(str(field.label), get_language())
        self._field = field
        self._closed = f'<td class="{names} ro">'
        self._open = (
            f'<td class="cell {names}" data-f="{field.name}"><button type="button" class="cv">'
        )
        self._tail = "</button></td>"
        if field.kind in LINKED:
            self._open = f'<td class="cell linked {names}" data-f="{field.name}">'
            self._tail = (
                f'<button type="button" class="btn ghost icon xs pen" aria-label="{edit}">'
                f"{render.icon_use('pencil', 12)}</button></td>"
            )
        self._empty = (
            f'<td class="cell {names}" data-f="{field.name}"><button type="button" class="cv"'
            f' aria-label="{edit}"></button></td>'
        )

    def cell(self, row: Any, *, editable: bool) -> str:
        """The `<td>`; an editable one can be opened in place."""
        inner = escaped(shown(self._field, row))
        if not editable:
            return f"{self._closed}{inner}</td>"
        return f"{self._open}{inner}{self._tail}" if inner else self._empty


def cell(field: Field, row: Any, *, editable: bool) -> SafeString:
    """One `<td>` alone, after an edit in place."""
    return mark_safe(Column(field).cell(row, editable=editable))  # noqa: S308  parts escaped


def fact(kind: RecordType, field: Field, record: Any, *, editable: bool) -> SafeString:
    """One fact on a record page: label and value, opened in place when it is editable."""
    inner = escaped(shown(field, record)) or '<span class="dim">–</span>'
    name, label = field.name, str(field.label)
    if not editable:
        value = f'<span class="fv">{inner}</span>'
    else:
        edit = _edit_words(label, get_language())
        value = (
            f'<span class="fv edit">{inner}<button type="button" class="pen" aria-label="{edit}"'
            f' hx-get="/{kind.slug}/{record.pk}/field/{name}/?edit=1&amp;in=facts"'
            f' hx-target="#fact-{name}" hx-swap="outerHTML">{render.icon_use("pencil", 12)}'
            "</button></span>"
        )
    return mark_safe(  # noqa: S308  every part is escaped above or built by us
        f'<div class="field" id="fact-{name}"><span class="fl">{escaped(label)}</span>{value}</div>'
    )
