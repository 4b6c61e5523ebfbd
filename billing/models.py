"""What is rented at which price, by whom, and what was billed; in the platform's schema.

Amounts are whole numbers in the unit of `currencies`. Published versions, finalized invoices and
payments are never changed: a new version, a credit note or a counter-entry follows them.
"""

from django.db import models
from django.db.models import Q

from tenants.models import Company

INTERVALS = [("month", "Month"), ("year", "Year")]


# -- the catalogue -------------------------------------------------------------------------------


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

    class Meta:
        ordering = ["currency", "interval"]
        constraints = [
            models.UniqueConstraint("version", "currency", "interval", name="price_once"),
            models.CheckConstraint(condition=Q(unit_amount__gte=0), name="price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.currency} {self.interval} {self.unit_amount}"


# -- who rents -----------------------------------------------------------------------------------


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
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.legal_name


class Subscription(models.Model):
    """What a company rents now. How it may be used stands in `Company.state`."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="subscriptions")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="subscriptions")
    provider_id = models.CharField(max_length=120, default="")
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


# -- what was billed -----------------------------------------------------------------------------


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
    """One line: seats of a plan over a time."""

    class Kind(models.TextChoices):
        SEATS = "seats", "Seats"
        ADDED = "added", "Seats added"
        CREDIT = "credit", "Time not used"

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=6, choices=Kind)
    plan = models.JSONField(help_text="{language: name}, as it stood when issued.")
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


# -- metrics -------------------------------------------------------------------------------------


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


# -- letters -------------------------------------------------------------------------------------


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
