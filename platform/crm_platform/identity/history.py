"""Telling everybody that identity changed: history keeps it, processes read it anew."""

import datetime as dt
from typing import Any

from django.db import connection, models

from crm_platform.identity.events import ConfigChanged
from crm_platform.identity.models import ConfigVersion, User
from crm_platform.kernel import snapshot
from crm_platform.kernel.events import publish

THE_ROW = 1


def note(
    verb: str,
    row: models.Model,
    *,
    actor: User | None,
    at: dt.datetime,
    changes: dict[str, list[Any]] | None = None,
    is_config: bool = False,
) -> None:
    """Publish `verb` (`team.renamed`) about `row`; `is_config` also makes a new version."""
    title = getattr(row, "name", "") or getattr(row, "email", "")
    publish(
        ConfigChanged(
            verb=verb, subject=verb.partition(".")[0], subject_id=row.pk, title=str(title)[:200],
            actor_id=actor.pk if actor else None, at=at, changes=changes or {},
        )
    )  # fmt: skip
    if is_config:
        snapshot.bump()


def read_version() -> int:
    """The company's configuration version; 1 where nothing was changed yet. One query."""
    found = ConfigVersion.objects.filter(pk=THE_ROW).values_list("version", flat=True).first()
    return found or 1


def increase_version() -> int:
    """Count one change. One statement, also where the row is absent."""
    table = ConfigVersion._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (id, version) VALUES (%s, 2)"  # noqa: S608  our own constant
            f" ON CONFLICT (id) DO UPDATE SET version = {table}.version + 1 RETURNING version",
            [THE_ROW],
        )
        return int(cursor.fetchone()[0])
