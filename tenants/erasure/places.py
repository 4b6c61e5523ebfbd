"""The places where a company has left something, and how each is emptied. All repeatable."""

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import redis
from django.conf import settings
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.tasks import LONG

QUEUES = ("celery", LONG)
LOCK_MILLISECONDS = 5000


def _raw() -> Any:
    connection = owner_connection()
    connection.ensure_connection()
    return connection.connection


def drop_schema(schema: str, *, erasure_id: int) -> None:
    """Count every row of a schema and drop it, in one transaction that also keeps the counts.

    Cut off anywhere, either nothing has happened or all of it. An absent schema counts nothing.

    Raises:
        LockNotAvailable: somebody still works there; to be tried again.
    """
    raw = _raw()
    with raw.transaction():
        raw.execute(SQL("SET LOCAL lock_timeout = {}").format(LOCK_MILLISECONDS))
        tables = _tables(raw, schema)
        counts, size = {}, 0
        if tables:
            names = SQL(", ").join(Identifier(schema, table) for table in tables)
            raw.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))
        for table in tables:
            each = Identifier(schema, table)
            counts[table] = raw.execute(SQL("SELECT count(*) FROM {}").format(each)).fetchone()[0]
            name = each.as_string(raw)
            size += raw.execute("SELECT pg_total_relation_size(%s)", [name]).fetchone()[0]
        raw.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))
        facts = {"tables": counts, "rows": sum(counts.values()), "schema_bytes": size}
        raw.execute(
            "UPDATE public.tenants_erasure SET facts = facts || %s, step = 'schema' WHERE id = %s",
            [Jsonb(facts), erasure_id],
        )


def _tables(raw: Any, schema: str) -> list[str]:
    rows = raw.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename", [schema]
    )
    return [row[0] for row in rows.fetchall()]


def drop_role(schema: str) -> None:
    """Drop a company's role; an absent one is fine."""
    raw = _raw()
    with raw.transaction():
        raw.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(schema)))


def folder_of(company_id: UUID) -> Path:
    """Where a company's files are."""
    return Path(settings.MEDIA_ROOT) / str(company_id)


def files_of(company_id: UUID) -> tuple[int, int]:
    """How many files there are, and their bytes."""
    found = [path for path in folder_of(company_id).rglob("*") if path.is_file()]
    return len(found), sum(path.stat().st_size for path in found)


def remove_files(company_id: UUID) -> None:
    """Remove the folder; what vanishes meanwhile is fine."""
    shutil.rmtree(folder_of(company_id), ignore_errors=True)


def _cache() -> Any:
    return redis.Redis.from_url(str(settings.CACHES["default"]["LOCATION"]))


def cache_keys_of(company_id: UUID) -> list[bytes]:
    """The keys of a company in the shared cache."""
    with _cache() as client:
        return list(client.scan_iter(match=f"{company_id}:*", count=1000))


def remove_cache_keys(company_id: UUID) -> None:
    """Forget all a company has cached."""
    keys = cache_keys_of(company_id)
    with _cache() as client:
        for start in range(0, len(keys), 500):
            client.delete(*keys[start : start + 500])


def _broker() -> Any | None:
    """The queue's Redis; None where the broker is another kind."""
    parts = urlsplit(settings.CELERY_BROKER_URL)
    if parts.scheme == "redis+socket":
        return redis.Redis(unix_socket_path=parts.path)
    is_redis = parts.scheme in ("redis", "rediss")
    return redis.Redis.from_url(settings.CELERY_BROKER_URL) if is_redis else None


def queued_of(company_id: UUID) -> list[bytes]:
    """The messages that wait for a worker on behalf of a company.

    One in a worker's hands is refused when it begins: no company works any more under that id.
    """
    client = _broker()
    if client is None:
        return []
    with client:
        waiting = [each for queue in QUEUES for each in client.lrange(queue, 0, -1)]
    return [each for each in waiting if _is_for(each, company_id)]


def _is_for(message: bytes, company_id: UUID) -> bool:
    try:
        headers = json.loads(message).get("headers") or {}
    except ValueError:
        return False
    envelope = headers.get("rapport_company") or {}
    return isinstance(envelope, dict) and envelope.get("id") == str(company_id)


def remove_queued(company_id: UUID) -> None:
    """Take a company's messages out of the queue."""
    client = _broker()
    if client is None:
        return
    with client:
        for message in queued_of(company_id):
            for queue in QUEUES:
                client.lrem(queue, 0, message)


def what_is_left(schema: str, company_id: UUID) -> list[str]:
    """What still stands of a company that should be gone, in words; empty when all is."""
    raw = _raw()
    looked = {
        "schema": raw.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone(),
        "role": raw.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [schema]).fetchone(),
        "files": folder_of(company_id).exists(),
        "cache": cache_keys_of(company_id),
        "queue": queued_of(company_id),
    }
    return [name for name, found in looked.items() if found]
