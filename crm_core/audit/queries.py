"""Reading history."""

from typing import Any

from django.db.models import QuerySet

from crm_core.audit.models import Entry
from crm_platform.kernel.prepared import Prepared, columns_of, instance_of

PAGE = 31
"""One more than a page shows, so that it knows whether there is another."""


def history_of(record_type: str, record_id: int) -> QuerySet[Entry]:
    """What happened to one record, newest first."""
    return Entry.objects.filter(record_type=record_type, record_id=record_id).order_by("-at", "-id")


def _newest_of(*, record_type: str, record_id: int) -> QuerySet[Entry, Any]:
    return history_of(record_type, record_id).values_list(*columns_of(Entry))[:PAGE]


_find_newest = Prepared(_newest_of, record_type=str, record_id=int)


def newest_of(record_type: str, record_id: int) -> list[Entry]:
    """The first page of a record's history. One query."""
    rows = _find_newest(record_type=record_type, record_id=record_id)
    return [instance_of(Entry, row) for row in rows]


def newest() -> QuerySet[Entry]:
    """Everything that happened in the company, newest first."""
    return Entry.objects.order_by("-at", "-id")
