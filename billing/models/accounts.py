"""Who rents, what, and what was planned for the next period."""

from django.db import models
from django.db.models import Q

from billing.models.catalogue import Price
from tenants.models import Company


class Account(models.Model):
    """Who pays for a company, and how."""

    company = models.OneToOneField(Company, on_delete=models.PROTECT, related_name="account")
    provider = models.CharField(max_length=20, default="manual")
    provider_id = models.CharField(max_length=120, default="", help_text="The customer there.")
    currency = models.CharField(max_length=3, help_text="Fixed after the first invoice.")
    language = models.CharField(max_length=10, default="en")
    legal_name = models.CharField(max_length=200)
    address = models.TextField(default="")
    country = models.CharField(max_length=2, default="")
    email = models.EmailField(default="", help_text="Where invoices go; empty: to the owners.")
    tax_id_kind = models.CharField(max_length=10, default="")
    tax_id = models.CharField(max_length=30, default="")
    balance = models.BigIntegerField(default=0, help_text="What was paid beyond what was owed.")
    card = models.JSONField(
        default=dict, db_default={}, help_text="brand, last4, month, year; nothing more is kept."
    )
    asked_seq = models.BigIntegerField(
        default=0, db_default=0, help_text="How often the provider was asked how things stand."
    )
    known_seq = models.BigIntegerField(
        default=0, db_default=0, help_text="The question whose answer stands here."
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "provider", "provider_id", condition=~Q(provider_id=""), name="customer_once"
            ),
        ]

    def __str__(self) -> str:
        return self.legal_name


class Subscription(models.Model):
    """What a company rents now. How it may be used stands in `Company.state`."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="subscriptions")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="subscriptions")
    provider_id = models.CharField(max_length=120, default="")
    provider_status = models.CharField(
        max_length=30, default="", db_default="", help_text="In the provider's own word."
    )
    seats = models.PositiveIntegerField()
    anchor = models.DateTimeField(help_text="Every period is counted from here.")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    past_due_since = models.DateTimeField(null=True, help_text="The oldest unpaid due date.")
    ends_at = models.DateTimeField(null=True, help_text="It was cancelled for then.")
    end_reason = models.CharField(max_length=300, default="")
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "account", condition=Q(ended_at=None), name="one_live_subscription"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.seats}"


class PendingChange(models.Model):
    """What will be otherwise from the next period on, and can be taken back until then."""

    class Kind(models.TextChoices):
        SEATS = "seats", "Seats"
        PRICE = "price", "Price"

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=5, choices=Kind)
    target = models.BigIntegerField(help_text="The number of seats, or the price's id.")
    effective_at = models.DateTimeField()
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="Taken into effect, or taken back.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "subscription", "kind", condition=Q(settled_at=None), name="one_change_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.kind} {self.target}"


class BillingEntry(models.Model):
    """Who did what with a company's subscription; added to, never changed."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    verb = models.CharField(max_length=40)
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    reason = models.CharField(max_length=300, default="")
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.account_id} {self.verb}"
