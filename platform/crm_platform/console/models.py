"""What the operators' side keeps of its own; these tables exist in the platform's schema only."""

import uuid

from django.db import models
from django.db.models import Q

from tenants.models import Company


class OperatorEntry(models.Model):
    """One thing an operator did. The serving role may add and read entries, nothing else.

    `object_type` and `object_id` name what it was done to, `title` how that was called then,
    `company_id` the company it concerns, if any.
    """

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=120, default="")
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=30, default="")
    object_id = models.CharField(max_length=40, default="")
    title = models.CharField(max_length=200, default="")
    company_id = models.UUIDField(null=True)
    facts = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, default="")
    request_id = models.CharField(max_length=64, default="")

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="operator_entry_newest"),
            models.Index(fields=["company_id", "-at", "-id"], name="operator_entry_company"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} ({self.pk})"


class CompanyNote(models.Model):
    """What an operator wants the others to know of a company; never shown to the company."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="notes")
    body = models.TextField()
    author_id = models.BigIntegerField()
    author_name = models.CharField(max_length=120)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"note {self.pk}"


class CompanyFacts(models.Model):
    """What the survey read inside a company, so that lists need not go there: sums, no records.

    `owner_email` is where operators reach it. The firsts stay as they were first seen.
    """

    company = models.OneToOneField(
        Company, on_delete=models.CASCADE, related_name="facts", primary_key=True
    )
    surveyed_at = models.DateTimeField()
    owner_name = models.CharField(max_length=120, default="")
    owner_email = models.CharField(max_length=254, default="")
    imports_running = models.PositiveIntegerField(default=0)
    imports_failed = models.PositiveIntegerField(default=0)
    mail_waiting = models.PositiveIntegerField(default=0)
    mail_failed = models.PositiveIntegerField(default=0)
    oldest_mail_at = models.DateTimeField(null=True)
    template = models.CharField(max_length=40, default="")
    first_sign_in_at = models.DateTimeField(null=True)
    first_record_at = models.DateTimeField(null=True)
    usage = models.JSONField(
        default=dict, db_default={}, help_text="{kind: how much} of what a plan may limit."
    )

    def __str__(self) -> str:
        return f"facts of {self.pk}"


class TaskFailure(models.Model):
    """A task that failed for good, once a task and arguments; `resolved_at` empty: it is open.

    `arguments` holds ids only (numbers and UUIDs); `names` every argument's name. `error` is the
    exception's class and the line it came from: messages hold people's data.
    """

    key_hash = models.CharField(max_length=64, unique=True)
    company_id = models.UUIDField(null=True)
    task = models.CharField(max_length=120)
    arguments = models.JSONField(default=dict)
    names = models.JSONField(default=list)
    error = models.CharField(max_length=300)
    attempts = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["company_id"], name="task_failure_open", condition=Q(resolved_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.task} ({self.pk})"

    @property
    def can_retry(self) -> bool:
        """Whether every argument is known, so that the task can be sent again."""
        return set(self.names) == set(self.arguments)


class SupportRequest(models.Model):
    """An operator's wish to look into a company; the company's answer arrives here afterwards.

    `id` is the visit's `key` in the company. `delivered_at`: the company has been told.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        GRANTED = "granted", "Granted"
        REFUSED = "refused", "Refused"
        ENDED = "ended", "Ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="support_requests")
    operator_id = models.BigIntegerField()
    operator_name = models.CharField(max_length=120)
    reason = models.CharField(max_length=300)
    minutes = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    may_write = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=120, default="")
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"support request {self.pk}"


class Approval(models.Model):
    """Something that needs two platform operators: one asks, another agrees within a day.

    `act` is a key of `console.acts`; `outcome` says for each company what became of it. `subject`
    is the row that a whole act is about, `title` how it was called then.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"
        EXPIRED = "expired", "Expired"

    act = models.CharField(max_length=40)
    company_ids = models.JSONField(default=list)
    subject = models.BigIntegerField(null=True)
    title = models.CharField(max_length=200, default="", db_default="")
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    asked_by_id = models.BigIntegerField()
    asked_by = models.CharField(max_length=120)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by_id = models.BigIntegerField(null=True)
    decided_by = models.CharField(max_length=120, default="")
    decided_at = models.DateTimeField(null=True)
    outcome = models.JSONField(default=dict)

    class Meta:
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"approval {self.pk}"
