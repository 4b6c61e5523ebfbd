"""Reading saved views and stars."""

from django.db.models import Q, QuerySet

from crm_core.fields.models import CustomField, SavedView, Star, Tag
from crm_core.registry import RecordType
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotFound


def views_for(user: User, kind: RecordType | None = None) -> QuerySet[SavedView]:
    """The person's own views and the shared ones, in their order."""
    rows = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
    return rows.filter(record_type=kind.name) if kind else rows


def get_view(user: User, kind: RecordType, view_id: str | int) -> SavedView:
    """One view the person may open.

    Raises:
        NotFound: there is none.
    """
    text = str(view_id)
    view = views_for(user, kind).filter(pk=int(text)).first() if text.isdigit() else None
    if view is None:
        raise NotFound("This view does not exist any more.")
    return view


def custom_fields() -> QuerySet[CustomField]:
    return CustomField.objects.filter(archived_at=None)


def tags() -> QuerySet[Tag]:
    return Tag.objects.order_by("name", "id")


def is_starred(user: User, kind: RecordType, record_id: int) -> bool:
    return Star.objects.filter(user=user, record_type=kind.name, record_id=record_id).exists()
