"""The only raw SQL of imports: rows in by COPY, changes and derived facts in one statement each."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, models
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from crm_core.activities.models import Activity
from crm_core.audit.models import Entry
from crm_core.sales.models import StageStay
from crm_platform.kernel.models import plain_value

Record = dict[str, Any]
_ENTRY = (
    "at",
    "actor_id",
    "verb",
    "record_type",
    "record_id",
    "title",
    "changes",
    "channel",
    "batch",
)


def commit_lazily() -> None:
    """Let the running transaction be kept without waiting for the disk.

    For work that keeps its own checkpoint in it: a crash of the server then loses both, and the
    work is done again. Other companies' commits need not queue behind it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Numbers for `count` new rows. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def copy_in(model: type[models.Model], rows: Sequence[Record], constants: Record) -> None:
    """Add rows, each a dict by column; `constants` and the model's defaults fill the rest.

    One statement. Raises what PostgreSQL refuses, as psycopg's own errors.
    """
    if not rows:
        return
    names = [field.attname for field in model._meta.concrete_fields]
    rest = {
        field.attname: constants.get(field.attname, field.get_default())
        for field in model._meta.concrete_fields
    }
    is_json = {f.attname for f in model._meta.concrete_fields if isinstance(f, models.JSONField)}
    empty = {name: _as_text(rest[name]) for name in names}
    with connection.cursor() as cursor, cursor.copy(_copy(model._meta.db_table, names)) as copy:
        for row in rows:
            copy.write_row(
                [
                    (Jsonb(row[name]) if name in is_json else row[name])
                    if name in row
                    else empty[name]
                    for name in names
                ]
            )


def _as_text(value: Any) -> Any:
    """A default that every row repeats, as COPY's text, so that it is not formed anew each time."""
    if isinstance(value, dict):
        return json.dumps(value)
    return "{}" if value == [] else value


def _copy(table: str, names: Iterable[str]) -> Composed:
    columns = SQL(", ").join(map(Identifier, names))
    return SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), columns)


def copy_entries(
    *,
    at: Any,
    actor_id: int,
    verb: str,
    kind: str,
    batch: UUID | None,
    entries: Iterable[tuple[int, str, Record]],
) -> None:
    """History of many records, as `audit.services.record_many` has it: `(id, title, changes)`."""
    nothing = Jsonb({})
    statement = _copy(Entry._meta.db_table, _ENTRY)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for record_id, title, changes in entries:
            kept = Jsonb(changes) if changes else nothing
            copy.write_row(
                (at, actor_id, verb, kind, record_id, title[:200], kept, "import", batch)
            )


def copy_stays(rows: Iterable[tuple[int, int, Any]]) -> None:
    """The first stage of new deals: `(deal, stage, entered_at)`."""
    statement = _copy(StageStay._meta.db_table, ("deal_id", "stage_id", "entered_at"))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def update_rows(model: type[models.Model], rows: Sequence[Record], names: Sequence[str]) -> None:
    """Write `names` of each row (a dict with `id`), and count its version up. One statement."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    typed = SQL(", ").join(
        SQL("{} {}").format(Identifier(name), SQL(fields[name].db_type(connection) or "text"))
        for name in ("id", *names)
    )
    sets = SQL(", ").join(SQL("{0} = v.{0}").format(Identifier(name)) for name in names)
    statement = SQL(
        "UPDATE {table} AS t SET {sets}, version = t.version + 1"
        " FROM jsonb_to_recordset(%s) AS v({typed}) WHERE t.id = v.id"
    ).format(table=Identifier(model._meta.db_table), sets=sets, typed=typed)
    given = [{name: plain_value(row[name]) for name in ("id", *names)} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(given)])


_TOUCH = """
UPDATE {table} AS r SET
    last_touch_at = greatest(r.last_touch_at, a.last),
    next_step_at = a.next, next_step_kind = coalesce(a.next_kind, '')
FROM (
    SELECT {key} AS id,
        max(moment) FILTER (WHERE done_at IS NOT NULL OR kind = 'note') AS last,
        min(due_at) FILTER (WHERE done_at IS NULL AND kind <> 'note') AS next,
        (array_agg(kind ORDER BY due_at) FILTER (
            WHERE done_at IS NULL AND kind <> 'note' AND due_at IS NOT NULL))[1] AS next_kind
    FROM {activity} WHERE deleted_at IS NULL AND {key} = ANY(%s) AND {where}
    GROUP BY 1
) AS a WHERE r.id = a.id
"""


def refresh_touches(table: str, kind_name: str, ids: Sequence[int]) -> None:
    """Last touch and next activity of records that got activities. One statement."""
    if not ids:
        return
    is_account = kind_name == "account"
    statement = SQL(_TOUCH).format(
        table=Identifier(table),
        activity=Identifier(Activity._meta.db_table),
        key=Identifier("account_id" if is_account else "about_id"),
        where=SQL("true") if is_account else SQL("about_type = {}").format(kind_name),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(ids)])


def lower_of(texts: Sequence[str]) -> models.expressions.RawSQL:
    """A list of texts in lower case as PostgreSQL makes it, for `…__in`; one parameter."""
    return models.expressions.RawSQL("SELECT lower(x) FROM unnest(%s::text[]) AS x", [list(texts)])


def one_of(texts: Sequence[str]) -> models.expressions.RawSQL:
    """A list of texts for `…__in`, as one parameter however long."""
    return models.expressions.RawSQL("SELECT unnest(%s::text[])", [list(texts)])
