"""Lists of everything of a kind: what people open most, by queries compiled once a process.

A list that is filtered, searched or narrowed by a role is built anew each time, by `lists`.
"""

import datetime as dt
import functools
import json
from typing import Any

from django.db.models import Count, QuerySet, Value

from crm_core.fields.ordering import Order, beside, sorted_rows
from crm_core.registry import record_type
from crm_core.registry.queries import live
from crm_platform.kernel.prepared import Prepared


@functools.cache
def _counter(kind_name: str) -> Prepared:
    def build() -> QuerySet[Any, Any]:
        rows = live(record_type(kind_name)).order_by().annotate(one=Value(1)).values("one")
        counted: QuerySet[Any, Any] = rows.annotate(n=Count("*")).values_list("n")
        return counted

    return Prepared(build)


def count(kind_name: str) -> int:
    """How many records of the kind there are. One query."""
    return int(_counter(kind_name)()[0][0])


@functools.lru_cache(maxsize=256)
def _page(kind_name: str, paths: tuple[str, ...], order: Order, most: int) -> Prepared:
    def build() -> QuerySet[Any, Any]:
        return sorted_rows(live(record_type(kind_name)), order).values_list(*paths)[:most]

    return Prepared(build)


def first_rows(
    kind_name: str, paths: tuple[str, ...], order: Order, most: int
) -> list[dict[str, Any]]:
    """The first rows of the list, by ORM path. One query."""
    rows = [dict(zip(paths, row, strict=True)) for row in _page(kind_name, paths, order, most)()]
    for row in rows:
        if isinstance(row.get("custom"), str):
            row["custom"] = json.loads(row["custom"])
    return rows


@functools.lru_cache(maxsize=64)
def _sides(kind_name: str, order: Order, is_text: bool) -> Prepared:
    def build(*, value: Any, pk: int) -> QuerySet[Any, Any]:
        return beside(live(record_type(kind_name)), order, value, pk)

    return Prepared(build, value=str if is_text else dt.datetime, pk=int)


def is_known(value: Any) -> bool:
    """Whether `neighbours` can look beside a record with that value."""
    return type(value) in (str, dt.datetime)


def neighbours(kind_name: str, order: Order, value: Any, pk: int) -> list[tuple[Any, ...]]:
    """Rows `(side, pk)` as `ordering.beside` gives them. One query."""
    return _sides(kind_name, order, isinstance(value, str))(value=value, pk=pk)
