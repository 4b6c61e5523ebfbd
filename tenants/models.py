"""The platform's register of companies; these tables exist in the platform's schema only."""

import uuid

from django.db import models
from django.db.models.functions import Lower


class Company(models.Model):
    """One renting company. Its schema's name is random, never changes and is never reused."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        BUILDING = "building", "Building"
        ACTIVE = "active", "Active"
        FAILED = "failed", "Failed"
        SUSPENDED = "suspended", "Suspended"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=40, unique=True)
    schema_name = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=60, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    accent_hue = models.PositiveSmallIntegerField(null=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    user_count = models.PositiveIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    measured_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(default="")
    pending_owner = models.JSONField(
        null=True, help_text="Who will own it (`services.NewOwner`), until it is built."
    )
    state_reason = models.CharField(max_length=250, default="")

    class Meta:
        indexes = [models.Index("created_at", "id", name="company_created")]

    def __str__(self) -> str:
        return f"{self.name} ({self.slug}, {self.id})"


class Domain(models.Model):
    """A host name that opens a company; always lower-case ASCII (IDNA)."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="domains")
    host = models.CharField(max_length=253)
    is_primary = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("host"), name="domain_host_once")]

    def __str__(self) -> str:
        return f"{self.host} ({self.pk})"


class RetiredName(models.Model):
    """A schema or address name that was used once and is never given out again."""

    name = models.CharField(max_length=60, unique=True)
    retired_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class DemoMail(models.Model):
    """A mail the demo would have sent, for the operators' outbox page."""

    company_name = models.CharField(max_length=120, default="")
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=250)
    body = models.TextField()
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.subject} ({self.pk})"
