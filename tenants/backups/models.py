"""The ledger of backups and of what was restored from them; in the platform's schema only."""

import uuid

from django.db import models
from django.db.models import Q

from tenants.models import Company


class Backup(models.Model):
    """One archive of one company: asked for, made, read back, and one day removed.

    `due_at` is when it may begin; `lease_until` says until when a worker is believed to be at it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being made"
        DONE = "done", "Made and read back"
        FAILED = "failed", "Failed"
        REMOVED = "removed", "Removed"

    class Reason(models.TextChoices):
        DAILY = "daily", "Every night"
        ASKED = "asked", "Asked for"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="backups")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=10, choices=Reason)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(default="")
    name = models.CharField(max_length=200, default="", help_text="Its name in the store.")
    checksum = models.CharField(max_length=64, default="", help_text="SHA-256 of the archive.")
    size_bytes = models.BigIntegerField(default=0)
    row_count = models.BigIntegerField(default=0)
    table_count = models.PositiveIntegerField(default=0)
    file_count = models.PositiveIntegerField(default=0)
    file_bytes = models.BigIntegerField(default=0)
    verified_at = models.DateTimeField(null=True, help_text="When it was read back whole.")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("company", "due_at", name="backup_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["company"], condition=Q(state__in=("waiting", "running")),
                name="backup_one_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["company", "due_at"], condition=Q(reason="daily"),
                name="backup_once_a_night",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"backup {self.id}"


class RestoreRun(models.Model):
    """One archive brought back: as a company of its own, or as a rehearsal that is removed again.

    `comparison` is one entry a table: name, rows and checksum of the archive and of what stands.
    `schema_name` and `new_id` are kept from the beginning, so that what a dead process left
    half-made is found and removed.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Being restored"
        DONE = "done", "Restored"
        FAILED = "failed", "Refused"
        SWAPPED = "swapped", "In place of the old one"

    class Kind(models.TextChoices):
        COPY = "copy", "Beside the old one"
        REHEARSAL = "rehearsal", "Rehearsal"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    backup = models.ForeignKey(Backup, on_delete=models.PROTECT, related_name="restores")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    slug = models.CharField(max_length=40, default="", help_text="The address asked for.")
    new_id = models.UUIDField()
    schema_name = models.CharField(max_length=40)
    restored = models.ForeignKey(
        Company, on_delete=models.PROTECT, null=True, related_name="restored_by"
    )
    comparison = models.JSONField(default=list)
    is_equal = models.BooleanField(default=False)
    left_out = models.JSONField(default=list, help_text="Tables that are never restored.")
    row_count = models.BigIntegerField(default=0)
    file_count = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    swapped_at = models.DateTimeField(null=True)
    error = models.TextField(default="")

    class Meta:
        indexes = [models.Index("company", "started_at", name="restore_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["backup", "slug", "kind"], condition=Q(state="running"),
                name="restore_once_at_a_time",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"restore {self.id}"
