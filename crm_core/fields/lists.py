"""One page of a list of any kind: filtered, sorted, with its totals, by keyset."""

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from crm_core.fields import catalogue, filters, whole_lists
from crm_core.fields.filters import Filter
from crm_core.fields.ordering import Order, behind, beside, order_of, sorted_rows
from crm_core.registry import Field, Kind, RecordType
from crm_core.registry.queries import visible_to
from crm_core.registry.store import text_match
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel.paging import decode_cursor, encode_cursor

PAGE_SIZE = 50


class Row(dict[str, Any]):
    """One record as read for a list: values by ORM path, also as attributes."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """What a list shows: everything that stands in its address."""

    kind: RecordType
    filters: tuple[Filter, ...] = ()
    words: str = ""
    sort: str = ""
    columns: tuple[str, ...] = ()
    cursor: str = ""

    def first_page(self) -> "ListQuery":
        return replace(self, cursor="")


@dataclass(frozen=True, slots=True)
class Total:
    """A sum under a column, one a currency."""

    field: Field
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows ready to render, and where the next page begins (empty: it was the last)."""

    rows: list[Row]
    fields: list[Field]
    next_cursor: str
    total: int | None = None
    sums: list[Total] = field(default_factory=list)


def matching(user: User, query: ListQuery, *, today: dt.date, verb: str = "view") -> QuerySet[Any]:
    """Every record the query finds, unordered and without related rows."""
    rows = visible_to(user, query.kind, verb).select_related(None)
    for each in query.filters:
        rows = rows.filter(filters.condition(user, each, today=today))
    if query.words:
        rows = rows.filter(text_match(user, query.kind, query.words))
    return rows


def shown_fields(user: User, query: ListQuery) -> list[Field]:
    """The columns of the list, in their order; the title always leads."""
    known = {f.name: f for f in catalogue.fields_for(user, query.kind)}
    names = query.columns or tuple(f.name for f in known.values() if f.in_list)
    title = query.kind.field(query.kind.title_field)
    assert title is not None
    # A record without its name could not be told apart: the title shows whatever the role hides.
    return [title, *(known[name] for name in names if name in known and name != title.name)]


def needs(kind: RecordType, fields: list[Field]) -> list[str]:
    """The ORM paths that rows of these columns are read by."""
    paths = {"pk", "version", "owner_id", "team_id", kind.title_field}
    for each in fields:
        if each.custom_key:
            paths.add("custom")
            continue
        paths.add(each.value_path)
        if each.kind == Kind.LINK:
            paths.add(f"{each.orm_path}__name")
        if each.currency_path:
            paths.add(each.currency_path)
    return sorted(paths)


def page_of(
    user: User, query: ListQuery, *, today: dt.date, size: int = PAGE_SIZE, with_totals: bool = True
) -> ListPage:
    """One page. Two queries with totals, one without."""
    fields = shown_fields(user, query)
    order = order_of(user, query.kind, query.sort)
    paths = tuple(sorted({*needs(query.kind, fields), order.by, "pk"}))
    total: int | None = None
    sums: list[Total] = []
    if with_totals and not query.cursor:
        total, sums = _totals(user, query, fields, today)
    if _is_whole(user, query) and not query.cursor:
        read = whole_lists.first_rows(query.kind.name, paths, order, size + 1)
    else:
        found = sorted_rows(matching(user, query, today=today), order)
        if query.cursor:
            value, pk = decode_cursor(query.cursor, length=2)
            found = found.filter(behind(order, value, pk))
        read = list(found.values(*paths)[: size + 1])
    more = len(read) > size
    rows = [Row(row) for row in read[:size]]
    cursor = _cursor_after(rows[-1], order) if more else ""
    return ListPage(rows, fields, cursor, total, sums)


def _is_whole(user: User, query: ListQuery) -> bool:
    """Whether the list shows every record of its kind."""
    is_plain = not query.filters and not query.words
    return is_plain and rules.reach(user, query.kind.name, "view") is None


def _totals(
    user: User, query: ListQuery, fields: list[Field], today: dt.date
) -> tuple[int, list[Total]]:
    shown = [f for f in fields if f.name in query.kind.sums]
    if not shown and _is_whole(user, query):
        return whole_lists.count(query.kind.name), []
    found = matching(user, query, today=today)
    if not shown:
        return found.order_by().count(), []
    currency = next((f.currency_path for f in shown if f.currency_path), "")
    wanted: dict[str, Any] = {f"sum_{f.name}": Sum(f.orm_path) for f in shown}
    if not currency:
        row = found.aggregate(n=Count("pk"), **wanted)
        return row["n"], [Total(f, "", row[f"sum_{f.name}"] or Decimal(0)) for f in shown]
    groups = list(found.order_by().values(currency).annotate(n=Count("pk"), **wanted))
    groups.sort(key=lambda group: -group["n"])
    sums = [
        Total(f, group[currency], group[f"sum_{f.name}"])
        for f in shown
        for group in groups
        if group[f"sum_{f.name}"] is not None
    ]
    return sum(group["n"] for group in groups), sums


def _cursor_after(row: Row, order: Order) -> str:
    value, pk = row[order.by], row["pk"]
    if isinstance(value, dt.datetime | dt.date):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    return encode_cursor([value, pk])


def neighbours_of(
    user: User, query: ListQuery, record: Any, *, today: dt.date
) -> tuple[int | None, int | None]:
    """The ids before and after a loaded record in a list; None at its ends. One query."""
    order = order_of(user, query.kind, query.sort)
    value = record
    for part in order.path.split("__"):
        value = getattr(value, part, None)
    if value is None:
        return None, None
    if order.is_text:
        value = str(value).lower()
    if _is_whole(user, query) and whole_lists.is_known(value):
        found = dict(whole_lists.neighbours(query.kind.name, order, value, record.pk))
    else:
        found = dict(beside(matching(user, query, today=today), order, value, record.pk))
    return found.get(0), found.get(1)
