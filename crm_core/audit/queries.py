"""Reading history."""

from django.db.models import QuerySet

from crm_core.audit.models import Entry


def history_of(record_type: str, record_id: int) -> QuerySet[Entry]:
    """What happened to one record, newest first."""
    return Entry.objects.filter(record_type=record_type, record_id=record_id).order_by("-at", "-id")


def newest() -> QuerySet[Entry]:
    """Everything that happened in the company, newest first."""
    return Entry.objects.order_by("-at", "-id")
