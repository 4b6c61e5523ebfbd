"""Reading an inbox."""

from django.db.models import QuerySet

from crm_core.notify.models import Notification
from crm_platform.identity.models import User


def inbox_of(user: User) -> QuerySet[Notification]:
    """What the person was told, newest first."""
    return Notification.objects.filter(user=user).order_by("-at", "-pk")


def unread_count(user: User) -> int:
    return Notification.objects.filter(user=user, read_at=None).count()
