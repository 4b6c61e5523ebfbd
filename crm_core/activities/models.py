"""What happens with a customer: said, planned and done."""

from django.db import models
from django.db.models import Q

from crm_core.records.models import Account
from crm_core.registry.models import Record
from crm_platform.identity.models import User


class Activity(Record):
    """A note, call or meeting that took place, or a task, call or meeting still to come.

    `about_type`/`about_id` name the record it hangs on (registry name, not a content type);
    `account` is that record's account, so that a company's page shows all of it. `owner` wrote
    it, `assignee` does it. `due_at` is when it is to happen; `done_at` when it did.
    """

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        TASK = "task", "Task"
        CALL = "call", "Call"
        MEETING = "meeting", "Meeting"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=200)
    body = models.TextField(default="", blank=True)
    about_type = models.CharField(max_length=30, default="")
    about_id = models.BigIntegerField(null=True)
    account = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, related_name="activities", db_index=False
    )
    assignee = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    priority = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    is_all_day = models.BooleanField(default=True)
    done_at = models.DateTimeField(null=True)
    minutes = models.PositiveIntegerField(null=True)
    outcome = models.CharField(max_length=80, default="", blank=True)
    moment = models.DateTimeField(help_text="Where it stands in a timeline.")

    class Meta:
        verbose_name_plural = "activities"
        indexes = [
            models.Index(fields=["about_type", "about_id", "-moment"], name="activity_about"),
            models.Index(fields=["account", "-moment"], name="activity_account"),
            models.Index(
                fields=["assignee", "due_at"],
                name="activity_open",
                condition=Q(done_at=None, deleted_at=None) & ~Q(kind="note"),
            ),
            models.Index(fields=["-updated_at", "-id"], name="activity_newest"),
            models.Index(fields=["batch"], name="activity_batch", condition=Q(batch__isnull=False)),
            models.Index(fields=["source_id"], name="activity_source", condition=~Q(source_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"
