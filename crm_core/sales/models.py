"""Selling: the pipelines a company works with and the deals in them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from crm_core.records.models import Account, Contact
from crm_core.registry.models import Record, record_indexes
from crm_platform.kernel.models import ScopedModel


class Pipeline(ScopedModel):
    """One way of selling: an ordered row of stages."""

    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    is_default = models.BooleanField(default=False)
    stale_days = models.PositiveSmallIntegerField(
        default=14, help_text="Days without change after which a deal is marked stale."
    )
    is_shaped = models.BooleanField(
        default=False, help_text="Somebody changed it after the template made it."
    )
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Stage(ScopedModel):
    """One column of a pipeline; its kind says whether a deal there is open, won or lost."""

    class Kind(models.TextChoices):
        OPEN = "open", "Open"
        WON = "won", "Won"
        LOST = "lost", "Lost"

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=4, choices=Kind, default=Kind.OPEN)
    probability = models.PositiveSmallIntegerField(help_text="Chance to win, percent.")
    hue = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["pipeline", "position", "id"]
        constraints = [
            models.CheckConstraint(
                name="stage_probability_percent", condition=Q(probability__lte=100)
            ),
            models.UniqueConstraint("pipeline", Lower("name"), name="stage_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class LostReason(ScopedModel):
    """Why a deal was lost, in this company's own words."""

    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(Lower("name"), name="lost_reason_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Deal(Record):
    """Something we may sell to an account.

    `rank` orders cards in a column, smallest first; `stage_since` is when it came to its stage;
    `closed_at` is set in won and lost stages only.
    """

    name = models.CharField(max_length=200)
    account = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, related_name="deals", db_index=False
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, related_name="deals", db_index=False
    )
    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, db_index=False)
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, db_index=False)
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    currency = models.CharField(max_length=3)
    product = models.CharField(max_length=200, default="", blank=True)
    close_date = models.DateField(null=True)
    opened_date = models.DateField(null=True)
    stage_since = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    lost_reason = models.ForeignKey(
        LostReason, on_delete=models.SET_NULL, null=True, db_index=False
    )
    lost_note = models.CharField(max_length=500, default="", blank=True)
    next_step = models.CharField(max_length=200, default="", blank=True)
    description = models.TextField(default="", blank=True)
    rank = models.FloatField(default=0)

    class Meta:
        indexes = [
            *record_indexes("deal"),
            models.Index(
                fields=["stage", "rank", "id"], name="deal_board", condition=Q(deleted_at=None)
            ),
            models.Index(
                # The sums of the board, the home page and the report, read from the index alone.
                fields=["stage", "currency"],
                include=["amount"],
                name="deal_totals",
                condition=Q(deleted_at=None),
            ),
            models.Index(fields=["account"], name="deal_account"),
            models.Index(
                fields=["contact"], name="deal_contact", condition=Q(contact__isnull=False)
            ),
            models.Index(
                fields=["close_date", "id"], name="deal_close", condition=Q(deleted_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class StageStay(ScopedModel):
    """A deal's time in one stage: the chain of its moves."""

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="stays")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, db_index=False)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"stay {self.pk}"
