"""What is to be had: plans, their editions, prices. A published version never changes."""

from django.db import models
from django.db.models import Q

INTERVALS = [("month", "Month"), ("year", "Year")]


class Plan(models.Model):
    """Something to rent, as people know it; what it holds stands in its versions."""

    key = models.SlugField(max_length=40, unique=True)
    names = models.JSONField(help_text="{language: name}")
    is_default = models.BooleanField(default=False, help_text="What a new company gets.")
    is_public = models.BooleanField(default=True, help_text="Shown on the pricing page.")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint("is_default", condition=Q(is_default=True), name="one_default"),
        ]

    def __str__(self) -> str:
        return self.key


class PlanVersion(models.Model):
    """One edition of a plan: drafted, published, never changed again."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        RETIRED = "retired", "Retired"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    published_at = models.DateTimeField(null=True)
    entitlements = models.JSONField(default=dict, help_text="{limit: number}, see `entitlements`")

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint("plan", "number", name="version_number_once"),
            models.UniqueConstraint("plan", condition=Q(state="draft"), name="one_draft_a_plan"),
            models.UniqueConstraint(
                "plan", condition=Q(state="published"), name="one_published_a_plan"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} v{self.number}"


class Price(models.Model):
    """What a user costs in one currency, a month or a year."""

    version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="prices")
    currency = models.CharField(max_length=3)
    interval = models.CharField(max_length=5, choices=INTERVALS)
    unit_amount = models.BigIntegerField()
    least_seats = models.PositiveIntegerField(default=1)
    most_seats = models.PositiveIntegerField(null=True)
    provider_id = models.CharField(
        max_length=120,
        default="",
        db_default="",
        help_text="The price there, once it was used.",
    )

    class Meta:
        ordering = ["currency", "interval"]
        constraints = [
            models.UniqueConstraint("version", "currency", "interval", name="price_once"),
            models.CheckConstraint(condition=Q(unit_amount__gte=0), name="price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.currency} {self.interval} {self.unit_amount}"
