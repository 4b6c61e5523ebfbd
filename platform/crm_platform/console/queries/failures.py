"""Reading what failed in the background."""

from uuid import UUID

from crm_platform.console.models import TaskFailure

MOST_SHOWN = 200


def open_failures(company_id: UUID | None = None) -> list[TaskFailure]:
    """Failures nobody dealt with yet (of one company), newest first."""
    rows = TaskFailure.objects.filter(resolved_at=None)
    if company_id is not None:
        rows = rows.filter(company_id=company_id)
    return list(rows.order_by("-last_at", "-pk")[:MOST_SHOWN])
