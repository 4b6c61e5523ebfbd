"""The history table. A company's role may add rows and read them, never change or remove one."""

from django.db import models

from crm_platform.kernel.models import ScopedModel


class Entry(ScopedModel):
    """One act: who, when, what, on which record, and `changes` as `{field: [from, to]}`.

    `batch` joins the entries of one act on many records; `channel` says by which way in it came.
    """

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=60)
    record_type = models.CharField(max_length=30, default="")
    record_id = models.BigIntegerField(null=True)
    title = models.CharField(max_length=200, default="")
    changes = models.JSONField(default=dict)
    channel = models.CharField(max_length=12, default="page")
    batch = models.UUIDField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["record_type", "record_id", "-at"], name="audit_record"),
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(
                fields=["batch"], name="audit_batch", condition=models.Q(batch__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} ({self.pk})"
