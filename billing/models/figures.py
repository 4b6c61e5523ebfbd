"""What renting brought, day by day."""

from django.db import models

from tenants.models import Company


class MetricDay(models.Model):
    """A day whose figures are kept."""

    day = models.DateField(primary_key=True)
    taken_at = models.DateTimeField()
    is_filled = models.BooleanField(help_text="Taken later, from what was known by then.")

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class MetricSnapshot(models.Model):
    """What one company brought a month at the end of one day (UTC); absent: nothing."""

    day = models.DateField()
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    currency = models.CharField(max_length=3)
    mrr = models.BigIntegerField()
    seats = models.PositiveIntegerField()
    began_on = models.DateField(help_text="When the company first began to rent.")

    class Meta:
        constraints = [
            models.UniqueConstraint("day", "company", name="snapshot_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.company_id} {self.mrr}"
