"""What is rented at which price, by whom, and what was billed; in the platform's schema.

Amounts are whole numbers in the unit of `currencies`. Published versions, finalized invoices and
payments are never changed: a new version, a credit note or a counter-entry follows them.
"""

from django.db import models
from django.db.models import F, Q

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


class Coupon(models.Model):
    """Something off every bill for a whole period; who redeemed it stands in the redemptions."""

    code = models.CharField(max_length=40, unique=True, help_text="In capital letters.")
    percent = models.PositiveSmallIntegerField(null=True)
    amount = models.BigIntegerField(null=True, help_text="Off each bill, instead of a percentage.")
    currency = models.CharField(max_length=3, default="", help_text="Of the amount.")
    interval = models.CharField(max_length=5, default="", help_text="Only for it; empty: for any.")
    plans = models.JSONField(default=list, help_text="Ids; none: every plan.")
    periods = models.PositiveSmallIntegerField(null=True, help_text="How many; null: for ever.")
    most = models.PositiveIntegerField(null=True, help_text="Redemptions.")
    redeemed = models.PositiveIntegerField(default=0)
    valid_until = models.DateTimeField(null=True, help_text="It can be redeemed until then.")
    partner = models.CharField(max_length=120, default="", help_text="Who brings the companies.")
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="coupon_percent_or_amount",
                condition=Q(percent__range=(1, 100), amount=None) | Q(percent=None, amount__gt=0),
            ),
            models.CheckConstraint(
                name="coupon_not_too_often", condition=Q(most=None) | Q(redeemed__lte=F("most"))
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CouponRedemption(models.Model):
    """A coupon at work for a subscription."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="redemptions")
    account = models.ForeignKey("Account", on_delete=models.CASCADE, related_name="redemptions")
    subscription = models.ForeignKey(
        "Subscription", on_delete=models.CASCADE, related_name="redemptions"
    )
    used = models.PositiveSmallIntegerField(default=0, help_text="Periods it was taken off.")
    covers_until = models.DateTimeField(null=True, help_text="The end of the last of them.")
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("coupon", "account", name="coupon_once_an_account"),
            models.UniqueConstraint(
                "subscription", condition=Q(ended_at=None), name="one_coupon_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id} for {self.subscription_id}"


class CreditGrant(models.Model):
    """Credit given to an account; the next bills use it up. It holds once it is agreed to."""

    account = models.ForeignKey("Account", on_delete=models.CASCADE, related_name="grants")
    amount = models.BigIntegerField()
    left = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=300)
    partner = models.CharField(max_length=120, default="")
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    agreed_by = models.CharField(max_length=250, default="", help_text="The second operator.")
    agreed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Used up, or withdrawn.")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="grant_left_of_it", condition=Q(left__gte=0, left__lte=F("amount"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.left}"


class PlanMove(models.Model):
    """Companies go from one version of a plan to another: asked for and agreed to by operators."""

    source = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="moves_away")
    target = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="moves_here")
    holds_from = models.DateTimeField(help_text="It begins with the first renewal from then on.")
    reason = models.CharField(max_length=300)
    asked_by = models.CharField(max_length=250)
    asked_at = models.DateTimeField()
    agreed_by = models.CharField(max_length=250, default="")
    agreed_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=250, default="")
    undone_at = models.DateTimeField(null=True)
    undo_reason = models.CharField(max_length=300, default="")

    class Meta:
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.source_id} to {self.target_id}"


class PlanMoveItem(models.Model):
    """One company's part of a move, and how far it has come."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        PLANNED = "planned", "Planned"
        DONE = "done", "Done"
        LEFT = "left", "Chose otherwise"
        BLOCKED = "blocked", "Blocked"
        UNDONE = "undone", "Taken back"
        RETURNING = "returning", "Going back"
        RETURNED = "returned", "Gone back"

    move = models.ForeignKey(PlanMove, on_delete=models.CASCADE, related_name="items")
    subscription = models.ForeignKey("Subscription", on_delete=models.CASCADE, related_name="moves")
    old_price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    new_price = models.ForeignKey(Price, null=True, on_delete=models.PROTECT, related_name="+")
    change = models.ForeignKey(
        "PendingChange", null=True, on_delete=models.SET_NULL, related_name="moves"
    )
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    note = models.CharField(max_length=40, default="", help_text="Why it is blocked: a key.")
    told_at = models.DateTimeField(null=True, help_text="When its owners were written to.")

    class Meta:
        constraints = [models.UniqueConstraint("move", "subscription", name="moved_once")]
        indexes = [models.Index("state", "id", name="move_item_state")]

    def __str__(self) -> str:
        return f"{self.move_id}/{self.subscription_id} {self.state}"


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


# -- what passes between us and a provider -------------------------------------------------------


class Command(models.Model):
    """Something a provider is to do, kept with the change it belongs to.

    It says how things shall be ("7 seats"), never by how much they change, so doing it twice is
    doing it once.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"
        """For a reason of business: the card was declined."""
        DEAD = "dead", "Given up"
        REPLACED = "replaced", "Replaced"
        """By a newer one of its kind, before it was sent."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="commands")
    kind = models.CharField(max_length=20)
    payload = models.JSONField()
    key = models.CharField(max_length=80, unique=True, help_text="Sent as the idempotency key.")
    keyed_at = models.DateTimeField(help_text="When the key was first used; it is good for a day.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    is_doubtful = models.BooleanField(
        default=False, help_text="It may have been done: look there before sending it again."
    )
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)
    error = models.CharField(max_length=500, default="")
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index("state", "not_before", name="command_due")]
        constraints = [
            models.UniqueConstraint(
                "account", condition=Q(state="sending"), name="one_command_on_its_way"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class ProviderEvent(models.Model):
    """What a provider told us, once; nothing is believed of it but that something changed."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        IGNORED = "ignored", "Ignored"
        DEAD = "dead", "Given up"

    event_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=80)
    customer = models.CharField(max_length=120, default="")
    object_id = models.CharField(max_length=120, default="")
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    body = models.JSONField(null=True, help_text="Emptied after 90 days.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField()
    error = models.CharField(max_length=500, default="")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index("state", "not_before", name="event_due"),
            models.Index("customer", name="event_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class Comparison(models.Model):
    """One look at everything a provider has, beside what we have."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    accounts = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, default="")

    class Meta:
        ordering = ["-began_at"]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M}"


class Difference(models.Model):
    """Something that is not the same there and here."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="found")
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=120, default="")
    ours = models.CharField(max_length=200, default="")
    theirs = models.CharField(max_length=200, default="")
    mended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.provider_id}"


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
