"""The search documents: one row a record, of every kind."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from crm_platform.kernel.models import ScopedModel


class Document(ScopedModel):
    """The words of one record as a `tsvector` our own tokenizer writes (`search.tokens`)."""

    record_type = models.CharField(max_length=30)
    record_id = models.BigIntegerField()
    title = models.CharField(max_length=200)
    subtitle = models.CharField(max_length=200, default="")
    words = SearchVectorField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record_type", "record_id"], name="document_once")
        ]
        indexes = [GinIndex(fields=["words"], name="document_words")]

    def __str__(self) -> str:
        return f"{self.title} ({self.pk})"
