"""Mails about money that were written."""

from django.db import models

from billing.models.books import Invoice
from tenants.models import Company


class Letter(models.Model):
    """A mail about money that was written, so that nobody gets it twice."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=120, help_text="What it tells of.")
    to = models.EmailField(max_length=254)
    delivery_id = models.UUIDField(unique=True, help_text="The mail's.")
    invoice = models.ForeignKey(
        Invoice, null=True, on_delete=models.CASCADE, related_name="+", help_text="Goes with it."
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("key", "to", name="letter_once")]

    def __str__(self) -> str:
        return self.key
