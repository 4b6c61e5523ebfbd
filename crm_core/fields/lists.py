"""One page of a list of any kind: filtered, sorted, with its totals, by keyset."""

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Lower

from crm_core.fields import catalogue, filters
from crm_core.fields.filters import TEXTS, Filter
from crm_core.registry import Field, Kind, RecordType
from crm_core.registry.queries import visible_to
from crm_core.registry.store import text_match
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid
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
        rows = rows.filter(text_match(query.kind, query.words))
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
    found = matching(user, query, today=today)
    fields = shown_fields(user, query)
    total, sums = (
        _totals(query.kind, fields, found) if with_totals and not query.cursor else (None, [])
    )
    ordered, sort_paths = _ordered(user, query, found)
    read = [Row(row) for row in ordered.values(*needs(query.kind, fields), *sort_paths)[: size + 1]]
    more = len(read) > size
    rows = read[:size]
    cursor = _cursor_after(rows[-1], sort_paths) if more else ""
    return ListPage(rows, fields, cursor, total, sums)


def _totals(kind: RecordType, fields: list[Field], found: QuerySet[Any]) -> tuple[int, list[Total]]:
    shown = [f for f in fields if f.name in kind.sums]
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


def _sort_field(user: User, query: ListQuery) -> tuple[str, bool]:
    """The path to sort by, and whether it falls."""
    sort = query.sort or query.kind.default_sort
    falls, name = sort.startswith("-"), sort.removeprefix("-")
    if name in ("updated_at", "created_at", "deleted_at"):
        return name, falls
    found = catalogue.get_field(user, query.kind, name)
    if not found.sortable:
        raise Invalid(f"A list cannot be sorted by “{found.label}”.")
    return _sort_path(found), falls


def _sort_path(found: Field) -> str:
    if found.kind in (Kind.LINK, Kind.USER, Kind.TEAM):
        return f"{found.orm_path}__name"
    return found.orm_path


def _ordered(user: User, query: ListQuery, found: QuerySet[Any]) -> tuple[QuerySet[Any], list[str]]:
    """The rows in order and after the cursor, with the paths the next cursor is made of."""
    path, falls = _sort_field(user, query)
    by = path
    if _is_text(query.kind, path):
        found = found.annotate(sort_text=Lower(path))
        by = "sort_text"
    if query.cursor:
        value, pk = decode_cursor(query.cursor, length=2)
        nullable = _is_nullable(query.kind, path)
        found = found.filter(_after(by, value, pk, falls=falls, nullable=nullable))
    order = F(by).desc(nulls_last=True) if falls else F(by).asc(nulls_last=True)
    if not _is_nullable(query.kind, path):
        order = F(by).desc() if falls else F(by).asc()
    return found.order_by(order, "-pk" if falls else "pk"), list(dict.fromkeys([by, "pk"]))


def _is_text(kind: RecordType, path: str) -> bool:
    if path.endswith("__name"):
        return True
    return any(f.orm_path == path and f.kind in TEXTS and not f.custom_key for f in kind.fields)


def _is_nullable(kind: RecordType, path: str) -> bool:
    if "__" in path:
        return True
    return bool(getattr(kind.model._meta.get_field(path), "null", True))


def _after(by: str, value: Any, pk: int, *, falls: bool, nullable: bool) -> Q:
    """Rows behind `(value, pk)`; nothing sorts last. The first clause lets an index begin there."""
    beyond, reach = ("lt", "lte") if falls else ("gt", "gte")
    tie = Q(**{f"pk__{beyond}": pk})
    if value is None:
        return Q(**{f"{by}__isnull": True}) & tie
    strictly = Q(**{f"{by}__{beyond}": value})
    here = Q(**{f"{by}__{reach}": value}) & (strictly | tie)
    return here | Q(**{f"{by}__isnull": True}) if nullable else here


def _cursor_after(row: Row, sort_paths: list[str]) -> str:
    value, pk = row[sort_paths[0]], row["pk"]
    if isinstance(value, dt.datetime | dt.date):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    return encode_cursor([value, pk])


def neighbours_of(
    user: User, query: ListQuery, record: Any, *, today: dt.date
) -> tuple[int | None, int | None]:
    """The ids before and after a loaded record in a list; None at its ends. One query."""
    path, falls = _sort_field(user, query)
    value = record
    for part in path.split("__"):
        value = getattr(value, part, None)
    if value is None:
        return None, None
    found = matching(user, query, today=today).order_by()
    by = path
    if _is_text(query.kind, path):
        found, by, value = found.annotate(sort_text=Lower(path)), "sort_text", str(value).lower()
    sides = []
    for place, back in ((0, True), (1, False)):
        downwards = falls != back
        order = (f"-{by}", "-pk") if downwards else (by, "pk")
        rows = found.filter(_after(by, value, record.pk, falls=downwards, nullable=False))
        sides.append(
            rows.order_by(*order).annotate(side=Value(place)).values_list("side", "pk")[:1]
        )
    beside = dict(sides[0].union(sides[1], all=True))
    return beside.get(0), beside.get(1)
