"""The company's own note of what it rents, so that a seat is taken in one transaction with it."""

from django.db import models

from crm_platform.kernel.models import ScopedModel


class SeatPool(ScopedModel):
    """One row: how many seats are paid for. Who holds them is counted, never kept twice."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    purchased = models.PositiveIntegerField(null=True, help_text="Null: not limited.")
    told_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.purchased} seats"
