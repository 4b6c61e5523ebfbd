"""Reading saved views and stars."""

from django.db.models import QuerySet

from crm_core.fields.models import CustomField, SavedView, Tag
from crm_core.registry import RecordType
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotFound
from crm_platform.kernel.snapshot import snapshot


@snapshot
def _all_views() -> list[SavedView]:
    """Every saved view of the company; never changed in place, for processes share them."""
    return list(SavedView.objects.all())


def views_for(user: User, kind: RecordType | None = None) -> list[SavedView]:
    """The person's own views and the shared ones, in their order. Kept in the process."""
    return [
        view
        for view in _all_views()
        if (view.is_shared or view.owner_id == user.pk)
        and (kind is None or view.record_type == kind.name)
    ]


def get_view(user: User, kind: RecordType, view_id: str | int) -> SavedView:
    """One view the person may open.

    Raises:
        NotFound: there is none.
    """
    text = str(view_id)
    view = next((each for each in views_for(user, kind) if str(each.pk) == text), None)
    if view is None:
        raise NotFound("This view does not exist any more.")
    return view


def custom_fields() -> QuerySet[CustomField]:
    return CustomField.objects.filter(archived_at=None)


def fields_in_use() -> int:
    """How many fields of its own the company has, of all kinds of record. One query."""
    return CustomField.objects.filter(archived_at=None).count()


def tags() -> QuerySet[Tag]:
    return Tag.objects.order_by("name", "id")
