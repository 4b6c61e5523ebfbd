"""The only code that tells people something."""

import datetime as dt
from typing import Any

from django.db import transaction

from crm_core.notify.models import Notification
from crm_platform.identity.models import User


@transaction.atomic
def tell(
    *,
    user_id: int,
    kind: str,
    at: dt.datetime,
    actor: User | None = None,
    record_type: str = "",
    record_id: int | None = None,
    facts: dict[str, Any] | None = None,
) -> Notification:
    """Put a message into one person's inbox; `kind` and `facts` make its sentence when read."""
    return Notification.objects.create(
        user_id=user_id,
        kind=kind,
        at=at,
        actor_id=actor.pk if actor else None,
        record_type=record_type,
        record_id=record_id,
        facts=facts or {},
    )


@transaction.atomic
def mark_read(*, user: User, at: dt.datetime, notification_id: int | None = None) -> int:
    """Mark one message of the person's as read, or all; returns how many were new."""
    rows = Notification.objects.filter(user=user, read_at=None)
    if notification_id is not None:
        rows = rows.filter(pk=notification_id)
    return rows.update(read_at=at)
