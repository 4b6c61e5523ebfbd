"""The only code that writes search documents; it runs inside the transaction that saved."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from crm_core.registry import RecordType, record_type, record_types
from crm_core.registry.queries import live
from crm_core.search import tokens

CHUNK = 2000
_UPSERT = """
INSERT INTO search_document (record_type, record_id, title, subtitle, words, changed_at)
SELECT %s, d.id, d.title, d.subtitle, d.words::tsvector, d.changed
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
     AS d(id, title, subtitle, words, changed)
ON CONFLICT (record_type, record_id) DO UPDATE
SET title = excluded.title, subtitle = excluded.subtitle, words = excluded.words,
    changed_at = excluded.changed_at
"""
_INSERT = _UPSERT[: _UPSERT.index("ON CONFLICT")]


def index_records(kind: RecordType, ids: Iterable[int], *, are_new: bool = False) -> None:
    """Write the documents of these records; those in the trash lose theirs.

    Two or three statements for each 2,000 records.
    """
    if kind.search_texts is None:
        return
    keys = list(ids)
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        rows = list(_among(kind, part).values("pk", "updated_at", *kind.search_values))
        _write(kind, rows, are_new=are_new)
        if len(rows) < len(part):
            gone = set(part) - {row["pk"] for row in rows}
            _remove(kind, gone)


def _among(kind: RecordType, ids: list[int]) -> QuerySet[Any]:
    """These records, asked for by one array: 2,000 parameters cost more than the rows."""
    table = connection.ops.quote_name(kind.model._meta.db_table)
    among = RawSQL(f"{table}.id = ANY(%s)", [ids], output_field=BooleanField())  # noqa: S611
    return live(kind).filter(among)


def _write(kind: RecordType, rows: list[dict[str, Any]], *, are_new: bool) -> None:
    assert kind.search_texts is not None
    if not rows:
        return
    texts = [kind.search_texts(row) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT if are_new else _UPSERT,
            [
                kind.name,
                [row["pk"] for row in rows],
                [text.title[:200] for text in texts],
                [text.subtitle[:200] for text in texts],
                [tokens.document(text) for text in texts],
                [row["updated_at"] for row in rows],
            ],
        )


def _remove(kind: RecordType, ids: set[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM search_document WHERE record_type = %s AND record_id = ANY(%s)",
            [kind.name, list(ids)],
        )


def rebuild() -> int:
    """Write every document of the company anew; returns how many records were read."""
    count = 0
    for kind in record_types():
        if kind.search_texts is None:
            continue
        keys = list(live(kind).order_by("pk").values_list("pk", flat=True))
        index_records(record_type(kind.name), keys)
        count += len(keys)
    return count
