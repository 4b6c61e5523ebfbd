"""The list of any kind of record, its rows, and the picker that searches in it."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.html import json_script
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm_core.fields import catalogue, cells, filters, spans
from crm_core.fields.addresses import Address, list_address, read_address, view_url
from crm_core.fields.lists import ListPage, ListQuery, Row, page_of, shown_fields
from crm_core.fields.queries import views_for
from crm_core.fields.requests import StaffRequest, record_view, today
from crm_core.registry import Field, Kind, RecordType
from crm_core.registry.queries import visible_to
from crm_core.registry.store import text_match
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.ui import kept
from crm_platform.ui import render as parts
from crm_platform.ui.answers import is_htmx

PICKED = 8


@require_safe
@record_view
def record_list(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """The page, or for htmx only its rows (a search, or the next page appended)."""
    address = read_address(request.user, kind, request.GET)
    page = page_of(request.user, address.query, today=today())
    context = {
        "kind": kind,
        "rows": rows_html(request.user, kind, page),
        "page": page,
        "query": address.query,
        "pager": _pager(kind, address.query, page),
        "has_filter": bool(address.query.filters or address.query.words),
    }
    if request.headers.get("HX-Target") in ("rows", "rows-end"):
        return render(request, "fields/_rows.html", {**context, "more": bool(address.query.cursor)})
    context.update(list_context(request.user, kind, address))
    context.update(
        columns_key=head_key(request.user, address, "columns"),
        headings=lambda: _headings(page.fields, address),
    )
    return render(request, "fields/list.html", context)


def head_key(user: User, address: Address, part: str) -> Hashable | None:
    """Under what the head of a list is kept: everything it says but counts. Searches are not."""
    query = address.query
    if query.words:
        return None
    view = address.view.pk if address.view else None
    shown = (list_address(query), view, address.is_edited)
    return kept.key_of(f"list-{part}", query.kind.name, user.pk, *shown)


def list_context(user: User, kind: RecordType, address: Address) -> dict[str, Any]:
    """What the head of a list needs besides its rows: views, chips, filter editor.

    The costly parts are functions: where the head's HTML is kept, nobody calls them.
    """
    query = address.query
    return {
        "head_key": head_key(user, address, "head"),
        "view": address.view,
        "is_edited": address.is_edited,
        "view_href": view_url(address.view) if address.view else "",
        "views": lambda: _views(user, kind),
        "filters": lambda: _filters(user, kind, query),
        "address": list_address(query),
        "address_without_words": list_address(replace(query, words="")),
        "bulk_key": kept.key_of("bulk", kind.name, user.role_id),
        "may_create": rules.may_create(user, kind.name),
        "may_bulk": rules.has_ability(user, "records.bulk"),
        "may_import": rules.has_ability(user, "records.import"),
        "may_export": rules.level(user, kind.name, "export") != "none",
        "people": lambda: [p for p in catalogue.people().values() if p.is_active],
        "tags": lambda: list(catalogue.tags().values()),
    }


def _views(user: User, kind: RecordType) -> list[dict[str, Any]]:
    return [
        {"view": view, "href": view_url(view), "is_mine": view.owner_id == user.pk}
        for view in views_for(user, kind)
    ]


def _filters(user: User, kind: RecordType, query: ListQuery) -> dict[str, Any]:
    known = catalogue.fields_for(user, kind)
    return {
        "fields_json": kept.keep(
            kept.key_of("filters", kind.name, user.role_id), lambda: _editor_json(known)
        ),
        "chips": [chip(user, query, each) for each in query.filters],
        "clear_href": f"?{list_address(replace(query, filters=()))}",
    }


def _editor_json(known: list[Field]) -> str:
    """The filter editor's fields as a script element of JSON."""
    return json_script([_editor(each) for each in known if each.filterable], "filter-fields")


def rows_html(user: User, kind: RecordType, page: ListPage) -> Any:
    """The rows of a list as HTML; every value is escaped by `cells`."""
    roles = _phone_roles(page.fields[1:])
    columns = [
        (cells.Column(field, roles.get(field.name, "")), catalogue.may_write(user, kind, field))
        for field in page.fields[1:]
    ]
    may_all = rules.level(user, kind.name, "edit") == "all"
    select = parts.escaped(_("Select %(name)s"))
    made = []
    for row in page.rows:
        editable = may_all or rules.may(user, "edit", kind.name, row)
        tail = "".join(column.cell(row, editable=editable and may) for column, may in columns)
        made.append(_row_head(kind, page.fields[0], row, select) + tail + "</tr>")
    return mark_safe("".join(made))  # noqa: S308  every value above is escaped


def _phone_roles(fields: list[Field]) -> dict[str, str]:
    """The columns that stay when a row becomes a phone's card: below the name, and at the end."""
    below = next((f for f in fields if f.kind in (Kind.LINK, Kind.TEXT, Kind.CHOICE)), None)
    last = next((f for f in fields if f.kind == Kind.MONEY), None) or next(
        (f for f in reversed(fields) if f.kind in filters.DAYS), None
    )
    found = {below.name: "c-sub"} if below else {}
    return found | ({last.name: "c-last"} if last else {})


def _row_head(kind: RecordType, title: Field, row: Row, select: str) -> str:
    pk, text = row["pk"], str(row[title.orm_path])
    name = parts.escaped(text)
    face = (
        parts.avatar(text, pk % 8 + 1, "s", kind.name == "account") if kind.name != "deal" else ""
    )
    return (
        f'<tr data-id="{pk}"><td class="c-ck">'
        f'<input type="checkbox" class="ck" name="id" value="{pk}"'
        f' aria-label="{select.replace("%(name)s", name)}"></td>'
        f'<th scope="row" class="c-name"><a href="/{kind.slug}/{pk}/">{face}'
        f"<span>{name}</span></a></th>"
    )


def _headings(fields: list[Field], address: Address) -> list[dict[str, Any]]:
    query = address.query
    view = address.view.pk if address.view else None
    sort = query.sort or query.kind.default_sort
    found = []
    for field in fields:
        state = "none"
        if sort.removeprefix("-") == field.name:
            state = "descending" if sort.startswith("-") else "ascending"
        turned = f"-{field.name}" if state == "ascending" else field.name
        found.append(
            {
                "field": field,
                "state": state,
                "href": list_address(replace(query, sort=turned), view_id=view),
                "right": field.kind in cells.RIGHT_ALIGNED,
            }
        )
    return found


def _columns(user: User, kind: RecordType, shown: list[Field]) -> list[dict[str, Any]]:
    """Every field a list may show: the shown ones first, in their order."""
    names = {field.name for field in shown}
    rest = [f for f in catalogue.fields_for(user, kind) if f.name not in names]
    chosen = list(shown[1:]) + [f for f in rest if f.kind != Kind.LONG_TEXT]
    return [{"name": f.name, "label": f.label, "on": f.name in names} for f in chosen]


def _pager(kind: RecordType, query: ListQuery, page: ListPage) -> dict[str, Any]:
    if not page.next_cursor:
        return {}
    tail = list_address(query)
    return {
        "more_url": f"/{kind.slug}/?{tail}&after={page.next_cursor}".replace("?&", "?"),
        "target": "#rows",
    }


def chip(user: User, query: ListQuery, given: filters.Filter) -> dict[str, str]:
    """One filter in words, with the address of the list without it."""
    rest = tuple(each for each in query.filters if each is not given)
    return {
        "raw": given.code,
        "label": str(given.field.label),
        "op": str(filters.LABELS[given.operator]),
        "value": _value_words(user, given),
        "remove_href": f"?{list_address(replace(query, filters=rest))}",
    }


def _value_words(user: User, given: filters.Filter) -> str:
    if given.operator in ("empty", "filled"):
        return ""
    if given.operator == "in":
        return str(spans.NAMED.get(given.values[0], given.values[0]))
    if given.field.kind == Kind.BOOLEAN:
        return _("Yes") if given.values[0] in ("1", "true", "yes") else _("No")
    names = {choice.value: choice.label for choice in catalogue.choices_of(given.field)}
    names |= {"me": _("me"), "none": _("nobody")}
    if given.field.kind == Kind.LINK:
        names = _link_names(user, given)
    joint = " – " if given.operator == "between" else ", "
    return joint.join(names.get(value, value) for value in given.values)


def _link_names(user: User, given: filters.Filter) -> dict[str, str]:
    ids = [int(v) for v in given.values if v.isdigit()]
    rows = visible_to(user, given.field.target).select_related(None).filter(pk__in=ids)
    return {str(pk): name for pk, name in rows.values_list("pk", "name")}


@require_safe
@record_view
def columns(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """Choose which columns the list shows and in which order."""
    address = read_address(request.user, kind, request.GET)
    context = {
        "kind": kind,
        "query": address.query,
        "view": address.view,
        "columns": _columns(request.user, kind, shown_fields(request.user, address.query)),
    }
    template = "fields/_columns.html" if is_htmx(request) else "fields/columns.html"
    return render(request, template, context)


_EDITOR_TYPES = {
    Kind.INTEGER: "number", Kind.DECIMAL: "number", Kind.PERCENT: "number", Kind.MONEY: "money",
    Kind.DATE: "date", Kind.MOMENT: "date", Kind.BOOLEAN: "bool", Kind.LINK: "record",
}  # fmt: skip


def _editor(field: Field) -> dict[str, Any]:
    """What the filter editor in the browser needs to know of a field."""
    many = field.kind in filters.SETS and field.kind != Kind.LINK
    operators = []
    for code in filters.operators_of(field):
        arity: Any = filters.ARITY.get(code, 1)
        operators.append([code, str(filters.LABELS[code]), "many" if many and arity else arity])
    made: dict[str, Any] = {
        "key": field.name,
        "label": str(field.label),
        "type": _EDITOR_TYPES.get(field.kind, "choice" if many else "text"),
        "ops": operators,
    }
    if field.kind == Kind.LINK:
        from crm_core.registry import record_type

        made["src"] = f"/{record_type(field.target).slug}/pick/"
    elif field.kind == Kind.BOOLEAN:
        made["choices"] = [["1", _("Yes")], ["0", _("No")]]
    elif field.kind in filters.DAYS:
        made["spans"] = [[name, str(label)] for name, label in spans.NAMED.items()]
    elif many:
        first = [["me", _("Me")], ["none", _("Nobody")]] if field.kind == Kind.USER else []
        made["choices"] = first + [[c.value, c.label] for c in catalogue.choices_of(field)]
    return made


@require_safe
@record_view
def pick(request: StaffRequest, kind: RecordType) -> JsonResponse:
    """Records for a search box: `{"items": [{id, label, note, hue}], "create": bool}`."""
    words = request.GET.get("q", "").strip()[:100]
    rows = visible_to(request.user, kind)
    rows = (
        rows.filter(text_match(request.user, kind, words)).order_by("name", "pk")
        if words
        else rows.order_by("-updated_at", "-pk")
    )
    plain = catalogue.hides(request.user, kind.name)
    items = [
        {
            "id": row.pk,
            "label": row.name,
            "note": "" if plain else kind.subtitle(row),
            "hue": row.pk % 8 + 1,
        }
        for row in rows[:PICKED]
    ]
    return JsonResponse({"items": items, "create": rules.may_create(request.user, kind.name)})
