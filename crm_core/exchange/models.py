"""Imports: the file, what its columns mean, how far it got, and what became of each odd row."""

import uuid

from django.db import models
from django.db.models import Q

from crm_platform.identity.models import User
from crm_platform.kernel.models import ScopedModel


class ImportJob(ScopedModel):
    """One file on its way into the company.

    `rows` is the file as we read it: one JSON list a line, the row's number first. `shape` is what
    was found in it, `columns` where each column goes, `options` the choices for the whole import
    (`exchange.choices`). `offset` (bytes of `rows`) and `row` are the checkpoint, kept in the same
    transaction as the records of the rows before it. `lease` names the worker that holds the job
    until `lease_until`.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Being prepared"
        READY = "ready", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped by a fault"
        CANCELLED = "cancelled", "Cancelled"
        UNDOING = "undoing", "Being taken back"
        UNDONE = "undone", "Taken back"

    kind = models.CharField(max_length=30)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    file = models.FileField(max_length=200)
    rows = models.FileField(max_length=200, default="")
    file_name = models.CharField(max_length=200)
    shape = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    options = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    offset = models.BigIntegerField(default=0)
    row = models.PositiveIntegerField(default=0)
    batch = models.UUIDField(default=uuid.uuid4)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, default="")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="running"), name="import_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.pk})"

    @property
    def seen(self) -> int:
        """How many rows were dealt with."""
        return self.created + self.updated + self.skipped + self.failed


class ImportRowIssue(ScopedModel):
    """What a person should know of one row: why it failed or was skipped, or a note on it.

    `values` are its cells as they stand in the file.
    """

    class Outcome(models.TextChoices):
        FAILED = "failed", "Not imported"
        SKIPPED = "skipped", "Skipped"
        NOTE = "note", "Imported, with a note"

    job = models.ForeignKey(
        ImportJob, on_delete=models.CASCADE, related_name="issues", db_index=False
    )
    row = models.PositiveIntegerField()
    outcome = models.CharField(max_length=7, choices=Outcome)
    reason = models.CharField(max_length=500)
    values = models.JSONField(default=list)

    class Meta:
        ordering = ["row"]
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="import_row_once")]

    def __str__(self) -> str:
        return f"row {self.row} ({self.pk})"
