"""What the operators' side keeps of its own; these tables exist in the platform's schema only."""

from django.db import models


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
