"""What every kind of record has in common."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from crm_platform.identity.models import Team, User
from crm_platform.kernel.models import ScopedModel


class Record(ScopedModel):
    """Owner, team, tags, custom values, origin, who and when, soft deletion, version.

    `last_touch_at` is the newest activity; `next_step_at`/`next_step_kind` the earliest open one
    (kept by activities). `batch` names the import that made the row.
    """

    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    team = models.ForeignKey(
        Team, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    tag_ids = ArrayField(models.BigIntegerField(), default=list)
    custom = models.JSONField(default=dict)
    source = models.CharField(max_length=60, default="", blank=True)
    source_id = models.CharField(max_length=120, default="", blank=True)
    batch = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    version = models.PositiveIntegerField(default=1)
    last_touch_at = models.DateTimeField(null=True)
    next_step_at = models.DateTimeField(null=True)
    next_step_kind = models.CharField(max_length=10, default="")

    class Meta:
        abstract = True


def record_indexes(name: str) -> list[models.Index]:
    """The indexes every kind's lists need; `name` makes them unique."""
    live = models.Q(deleted_at__isnull=True)
    return [
        models.Index(fields=["-updated_at", "-id"], name=f"{name}_newest", condition=live),
        models.Index(fields=["owner", "-updated_at"], name=f"{name}_owner", condition=live),
        models.Index(
            fields=["source_id"], name=f"{name}_source", condition=~models.Q(source_id="")
        ),
        models.Index(
            fields=["-deleted_at"],
            name=f"{name}_trash",
            condition=models.Q(deleted_at__isnull=False),
        ),
        models.Index(
            fields=["batch"], name=f"{name}_batch", condition=models.Q(batch__isnull=False)
        ),
        GinIndex(fields=["tag_ids"], name=f"{name}_tags"),
    ]
