"""The order of a list, and the rows behind a place in it (keyset paging, never an offset)."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Lower

from crm_core.fields import catalogue
from crm_core.fields.filters import TEXTS
from crm_core.registry import Field, Kind, RecordType
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid

STAMPS = ("updated_at", "created_at", "deleted_at")


@dataclass(frozen=True, slots=True)
class Order:
    """By which path a list is sorted. Texts are sorted whatever their case, nothing comes last."""

    path: str
    falls: bool
    is_text: bool
    is_nullable: bool

    @property
    def by(self) -> str:
        """What `sorted_rows` sorts by: the path, or the annotation with its small letters."""
        return "sort_text" if self.is_text else self.path


def order_of(user: User, kind: RecordType, sort: str) -> Order:
    """The order named by `sort` (a field, with `-` if it falls), else the kind's own.

    Raises:
        Invalid: that field cannot be sorted by.
    """
    sort = sort or kind.default_sort
    falls, name = sort.startswith("-"), sort.removeprefix("-")
    path = name if name in STAMPS else _path_of(catalogue.get_field(user, kind, name))
    return Order(path, falls, _is_text(kind, path), _is_nullable(kind, path))


def _path_of(found: Field) -> str:
    if not found.sortable:
        raise Invalid(f"A list cannot be sorted by “{found.label}”.")
    if found.kind in (Kind.LINK, Kind.USER, Kind.TEAM):
        return f"{found.orm_path}__name"
    return found.orm_path


def _is_text(kind: RecordType, path: str) -> bool:
    if path.endswith("__name"):
        return True
    return any(f.orm_path == path and f.kind in TEXTS and not f.custom_key for f in kind.fields)


def _is_nullable(kind: RecordType, path: str) -> bool:
    if "__" in path:
        return True
    return bool(getattr(kind.model._meta.get_field(path), "null", True))


def sorted_rows(found: QuerySet[Any], order: Order) -> QuerySet[Any]:
    """`found` in that order; `order.by` may be read from its rows."""
    if order.is_text:
        found = found.annotate(sort_text=Lower(order.path))
    by = F(order.by)
    last = True if order.is_nullable else None
    first = by.desc(nulls_last=last) if order.falls else by.asc(nulls_last=last)
    return found.order_by(first, "-pk" if order.falls else "pk")


def behind(order: Order, value: Any, pk: int) -> Q:
    """Rows behind `(value, pk)`. The first clause lets an index begin there."""
    beyond, reach = ("lt", "lte") if order.falls else ("gt", "gte")
    tie = Q(**{f"pk__{beyond}": pk})
    if value is None:
        return Q(**{f"{order.by}__isnull": True}) & tie
    strictly = Q(**{f"{order.by}__{beyond}": value})
    here = Q(**{f"{order.by}__{reach}": value}) & (strictly | tie)
    return here | Q(**{f"{order.by}__isnull": True}) if order.is_nullable else here


def beside(found: QuerySet[Any], order: Order, value: Any, pk: int) -> QuerySet[Any, Any]:
    """At most two rows `(side, pk)`: 0 the one before the record, 1 the one after it."""
    sides = []
    for place, falls in ((0, not order.falls), (1, order.falls)):
        towards = Order(order.path, falls, order.is_text, is_nullable=False)
        rows = sorted_rows(found, towards).filter(behind(towards, value, pk))
        sides.append(rows.annotate(side=Value(place)).values_list("side", "pk")[:1])
    both: QuerySet[Any, Any] = sides[0].union(sides[1], all=True)
    return both
