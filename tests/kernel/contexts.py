"""Checks of the chosen company (T3, T4): threads, tasks of asyncio, nestings, lazy queries."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, models

from crm_core.fields.models import Tag
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import CrossedCompanies, NoCompany
from tests.isolation.companies import every_model
from tests.kernel.figures import Figures

Pair = tuple[tenancy.Scope, tenancy.Scope]
REFUSALS = (CrossedCompanies, NoCompany)


async def _switch(scope: tenancy.Scope, found: Figures, turns: int) -> None:
    for _turn in range(turns):
        with tenancy.choose(scope):
            await asyncio.sleep(0)
            found.judge(is_right=tenancy.current_or_none() == scope, note="async: another company")
            seen = await sync_to_async(tenancy.current_or_none)()
            found.judge(is_right=seen == scope, note="sync_to_async: another company")
        await asyncio.sleep(0)
        found.judge(is_right=tenancy.current_or_none() is None, note="async: a scope was left over")


def switched_by_tasks(pair: Pair, *, tasks: int, turns: int) -> Figures:
    """Many tasks of one event loop, each in its own company, giving way all the time."""
    found = Figures()

    async def everybody() -> None:
        await asyncio.gather(*[_switch(pair[n % 2], found, turns) for n in range(tasks)])

    asyncio.run(everybody())
    return found


def copied_contexts(pair: Pair) -> Figures:
    """A copied context keeps its company and gives nothing back to the one it came from."""
    found = Figures()
    one, other = pair
    with tenancy.choose(one):
        copied = contextvars.copy_context()
        with tenancy.choose(other):
            found.judge(is_right=copied.run(tenancy.current_or_none) == one, note="copy changed")
            copied.run(tenancy._scope.set, None)
            found.judge(is_right=tenancy.current_or_none() == other, note="copy wrote back")
    found.judge(is_right=tenancy.current_or_none() is None, note="left over")
    return found


def nested(pair: Pair, program: list[tuple[int, str]]) -> Figures:
    """Enter companies one in another as `program` says (0, 1: which; raise, yield, or go on)."""
    found = Figures()

    def step(rest: list[tuple[int, str]]) -> None:
        if not rest:
            return
        (which, how), before = rest[0], tenancy.current_or_none()
        scope = (*pair, None)[which]
        try:
            with tenancy.choose(scope):
                found.judge(is_right=tenancy.current_or_none() == scope, note="entered another")
                if how == "generator":
                    list(_generated(rest[1:], step))
                else:
                    step(rest[1:])
                found.judge(is_right=tenancy.current_or_none() == scope, note="inside changed")
                if how == "raise":
                    raise KeyError(how)
        except KeyError:
            pass
        found.judge(is_right=tenancy.current_or_none() == before, note="after is not before")

    step(program)
    found.judge(is_right=tenancy.current_or_none() is None, note="left over at the end")
    return found


def _generated(rest: list[tuple[int, str]], step: Callable[..., None]) -> Any:
    step(rest)
    yield tenancy.current_or_none()


LAZY: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "first": lambda rows: rows.first(),
    "values": lambda rows: list(rows.values()),
    "pks": lambda rows: list(rows.values_list("pk", flat=True)),
    "iterator": lambda rows: list(rows.iterator()),
    "aggregate": lambda rows: rows.aggregate(n=models.Count("pk")),
    "slice": lambda rows: list(rows[:2]),
    "update": lambda rows: rows.update(id=models.F("id")),
    "delete": lambda rows: rows.delete(),
    "inner": lambda rows: list(rows.model._default_manager.filter(pk__in=rows.values("pk"))),
}
"""Ways to make a queryset run."""


class _Undone(Exception):
    """Takes back what ran although it should not have."""


def lazy_querysets(pair: Pair) -> Figures:
    """A queryset built in one company and run in the other, every way and for every model (T4)."""
    found = Figures()
    one, other = pair
    for model in every_model():
        for name, run in LAZY.items():
            with tenancy.unit_of_work(one):
                rows = model._default_manager.all()
            try:
                with tenancy.unit_of_work(other):
                    run(rows)
                    found.judge(is_right=False, note=f"{model.__name__}: {name} ran")
                    raise _Undone
            except CrossedCompanies:
                found.judge(is_right=True)
            except (_Undone, DatabaseError):
                continue
    return found


def half_read(pair: Pair) -> Figures:
    """A cursor opened in one company and read on in the other gives no row of the other."""
    found = Figures()
    one, other = pair
    with tenancy.unit_of_work(one):
        rows = Tag.objects.values_list("name", flat=True).iterator(chunk_size=1)
        first = next(rows, None)
    try:
        with tenancy.unit_of_work(other):
            read = [first, *rows]
        found.judge(is_right=other.slug not in read, note=f"read {read}")
    except (*REFUSALS, DatabaseError):
        found.judge(is_right=True)
    finally:
        connection.close()
    return found
