"""Rows without an order come in a random one, with RAPPORT_ANY_ORDER=1.

PostgreSQL gives them as they lie, nearly always as they were written: what relies on it holds for
months and fails once.
"""

from django.db.models.expressions import OrderBy
from django.db.models.functions import Random
from django.db.models.sql.compiler import SQLCompiler

in_djangos_order = SQLCompiler.get_order_by


def in_any_order(compiler):
    found, query = in_djangos_order(compiler), compiler.query
    if found or query.group_by is not None or query.distinct or query.combinator:
        return found
    if type(compiler).__name__ != "SQLCompiler":
        return found  # UPDATE, DELETE and sums
    if any(each.contains_aggregate for each in query.annotations.values()):
        return found
    order = OrderBy(Random())
    sql, params = compiler.compile(order)
    return [(order, (sql, params, False))]


def begin():
    """For the life of this process."""
    SQLCompiler.get_order_by = in_any_order
