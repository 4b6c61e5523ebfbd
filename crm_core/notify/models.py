"""What each person should know: one row a message, kept until read."""

from django.db import models
from django.db.models import Q

from crm_platform.identity.models import User
from crm_platform.kernel.models import ScopedModel


class Notification(ScopedModel):
    """Something told to one person; `kind` and `facts` make the sentence in their language."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    record_type = models.CharField(max_length=30, default="")
    record_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-at"], name="notification_newest"),
            models.Index(fields=["user"], name="notification_unread", condition=Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.pk})"
