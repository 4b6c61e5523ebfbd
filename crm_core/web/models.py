"""What a company knows of its rehearsal: where it is, what was asked last, in what it differs."""

from django.db import models

from crm_platform.identity.models import User
from crm_platform.kernel.models import ScopedModel


class Rehearsal(ScopedModel):
    """The one row of a company that ever had a rehearsal.

    `differences` is what the last comparison found (`tenants.rehearsal.Difference` as JSON);
    `batch` names the last act of bringing changes over, by which it is taken back.
    """

    class State(models.TextChoices):
        READY = "ready", "Ready"
        WAITING = "waiting", "Being worked on"
        GONE = "gone", "Removed"

    class Act(models.TextChoices):
        MAKE = "make", "Make"
        RESET = "reset", "Reset"
        COMPARE = "compare", "Compare"
        REMOVE = "remove", "Remove"

    state = models.CharField(max_length=10, choices=State, default=State.GONE)
    act = models.CharField(max_length=10, choices=Act, default=Act.MAKE)
    host = models.CharField(max_length=253, default="")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    compared_at = models.DateTimeField(null=True)
    differences = models.JSONField(default=list)
    batch = models.UUIDField(null=True)
    error = models.CharField(max_length=300, default="")

    def __str__(self) -> str:
        return f"rehearsal {self.pk}"
