"""Reading wishes to look into companies."""

from uuid import UUID

from crm_platform.console.models import SupportRequest

MOST_SHOWN = 200


def requests(company_id: UUID | None = None) -> list[SupportRequest]:
    """Wishes (for one company), the open ones first, newest first. One query."""
    rows = SupportRequest.objects.select_related("company")
    if company_id is not None:
        rows = rows.filter(company_id=company_id)
    found = list(rows[:MOST_SHOWN])
    return sorted(found, key=lambda row: row.state not in ("asked", "granted"))
