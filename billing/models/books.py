"""What was billed and paid. Finalized invoices and payments are never changed."""

from django.db import models
from django.db.models import Q

from billing.models.accounts import Account, Subscription
from billing.models.catalogue import INTERVALS


class NumberSeries(models.Model):
    """The last number given out; one row a seller, kind and year, so that none is left out."""

    seller = models.CharField(max_length=20)
    kind = models.CharField(max_length=10)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("seller", "kind", "year", name="series_once")]

    def __str__(self) -> str:
        return f"{self.seller}-{self.kind}-{self.year}"


class Invoice(models.Model):
    """A bill. From `issued_at` on only what was paid of it changes."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        PAID = "paid", "Paid"
        VOID = "void", "Void"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoices")
    subscription = models.ForeignKey(
        Subscription, null=True, on_delete=models.PROTECT, related_name="invoices"
    )
    number = models.CharField(max_length=40, unique=True)
    provider_id = models.CharField(
        max_length=120, default="", db_default="", help_text="Empty: from our own books."
    )
    act_key = models.CharField(
        max_length=80, unique=True, help_text="What it bills, so that nothing is billed twice."
    )
    state = models.CharField(max_length=5, choices=State, default=State.OPEN)
    currency = models.CharField(max_length=3)
    language = models.CharField(max_length=10)
    issued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    seller = models.JSONField(help_text="As it stood when issued.")
    buyer = models.JSONField(help_text="As it stood when issued.")
    net = models.BigIntegerField()
    tax_permille = models.PositiveSmallIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField()
    paid = models.BigIntegerField(default=0)
    credited = models.BigIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("state", "due_at", name="invoice_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(paid__gte=0, credited__gte=0), name="invoice_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class InvoiceLine(models.Model):
    """One line: seats of a plan over a time, or what is taken off."""

    class Kind(models.TextChoices):
        SEATS = "seats", "Seats"
        ADDED = "added", "Seats added"
        CREDIT = "credit", "Time not used"
        COUPON = "coupon", "Coupon"
        GRANT = "grant", "Credit used"

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=6, choices=Kind)
    plan = models.JSONField(help_text="{language: name}, as it stood when issued.")
    label = models.CharField(
        max_length=300, default="", db_default="", help_text="The coupon's code."
    )
    quantity = models.IntegerField()
    unit_amount = models.BigIntegerField()
    interval = models.CharField(max_length=5, choices=INTERVALS)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    amount = models.BigIntegerField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.position}"


class Payment(models.Model):
    """Money that came in; never changed. A mistake is undone by a second one, negative."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(
        Invoice, null=True, on_delete=models.PROTECT, related_name="payments"
    )
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    received_on = models.DateField()
    reference = models.CharField(max_length=120, help_text="What the bank's statement says.")
    by = models.CharField(max_length=250)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            # A transfer entered twice would settle two bills.
            models.UniqueConstraint("account", "reference", "received_on", "amount",
                                    name="transfer_once"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.account_id} {self.amount}"


class CreditNote(models.Model):
    """What is taken back of a finalized invoice."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    number = models.CharField(max_length=40, unique=True)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=300)
    by = models.CharField(max_length=250)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number
