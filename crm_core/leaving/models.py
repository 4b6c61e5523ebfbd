"""Packages of everything a company has, made for one person, gone after a week."""

from django.db import models
from django.db.models import Q

from crm_platform.identity.models import User
from crm_platform.kernel.models import ScopedModel


class ExitPackage(ScopedModel):
    """One package: asked for, made by a worker, downloaded by the person who asked, removed.

    While it is made its progress stands in the cache, because all of it is read in one transaction.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being made"
        DONE = "done", "Ready"
        FAILED = "failed", "Failed"
        REMOVED = "removed", "Removed"

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    file = models.FileField(max_length=200, default="")
    size_bytes = models.BigIntegerField(default=0)
    row_count = models.PositiveIntegerField(default=0)
    file_count = models.PositiveIntegerField(default=0)
    downloads = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, default="")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state__in=("waiting", "running")),
                name="package_one_at_a_time",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"package {self.pk}"
