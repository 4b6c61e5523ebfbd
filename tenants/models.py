"""The platform's register of companies; these tables exist in the platform's schema only."""

import uuid

from django.db import models
from django.db.models.functions import Lower

from crm_platform.kernel.limits import Limit


class Company(models.Model):
    """One renting company. Its schema's name is random, never changes and is never reused."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        BUILDING = "building", "Building"
        TRIAL = "trial", "Trial"
        ACTIVE = "active", "Active"
        PAST_DUE = "past_due", "Past due"
        READ_ONLY = "read_only", "Read only"
        FAILED = "failed", "Failed"
        SUSPENDED = "suspended", "Suspended"
        CLOSED = "closed", "Closed"
        DELETED = "deleted", "Deleted"
        ERASED = "erased", "Erased"

    class Ring(models.TextChoices):
        CANARY = "canary", "Canary"
        EARLY = "early", "Early"
        REST = "rest", "Rest"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=40, unique=True)
    schema_name = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=60, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    accent_hue = models.PositiveSmallIntegerField(null=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    user_count = models.PositiveIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    measured_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(default="")
    pending_owner = models.JSONField(
        null=True, help_text="Who will own it (`services.NewOwner`), until it is built."
    )
    state_reason = models.CharField(max_length=250, default="")
    state_since = models.DateTimeField(null=True)
    state_until = models.DateTimeField(null=True, help_text="When the clock moves it on.")
    release = models.CharField(
        max_length=40, default="", db_default="", help_text="The release its schema stands at."
    )
    ring = models.CharField(
        max_length=10, choices=Ring, default=Ring.REST, db_default=Ring.REST.value
    )
    window_from = models.PositiveSmallIntegerField(
        default=20, db_default=20, help_text="The hour, there, from which it may be upgraded."
    )
    window_to = models.PositiveSmallIntegerField(default=6, db_default=6)
    upgrade_after = models.DateTimeField(null=True, help_text="It asked to wait until then.")
    upgrades_fixed = models.BooleanField(
        default=False, db_default=False,
        help_text="Operators alone say when it is upgraded; else its admins do as well.",
    )  # fmt: skip
    features = models.JSONField(
        default=dict, db_default={}, help_text="{key: whether an optional feature is on}"
    )
    plan_limits = models.JSONField(
        default=dict, db_default={}, help_text="{limit: number} of its plan, written by billing."
    )
    limit_levels = models.JSONField(
        default=dict, db_default={}, help_text="{limit: percent} reached when last looked at."
    )
    live = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="rehearsals",
        help_text="The company this one is a rehearsal of.",
    )  # fmt: skip

    class Meta:
        indexes = [models.Index("created_at", "id", name="company_created")]

    def __str__(self) -> str:
        return f"{self.name} ({self.slug}, {self.id})"


class CompanyLimit(models.Model):
    """What operators allow one company otherwise than its plan and the settings do, and why."""

    class Kind(models.TextChoices):
        API_REQUESTS = Limit.API_REQUESTS.value, "API requests a minute"
        API_KEY_REQUESTS = Limit.API_KEY_REQUESTS.value, "API requests a minute and key"
        LONG_JOBS = Limit.LONG_JOBS.value, "Long jobs at once"
        IMPORTS = Limit.IMPORTS.value, "Imports at once"
        IMPORT_ROWS = Limit.IMPORT_ROWS.value, "Rows of an import"
        IMPORT_MB = Limit.IMPORT_MB.value, "MB of an import"
        CONTACTS = Limit.CONTACTS.value, "Contacts and companies"
        PIPELINES = Limit.PIPELINES.value, "Pipelines"
        CUSTOM_FIELDS = Limit.CUSTOM_FIELDS.value, "Own fields"
        STORAGE_MB = Limit.STORAGE_MB.value, "MB of storage"

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="limits")
    kind = models.CharField(max_length=20, choices=Kind)
    value = models.PositiveIntegerField()
    reason = models.CharField(max_length=250)
    set_at = models.DateTimeField()
    by = models.CharField(max_length=250, default="", db_default="")
    expires_at = models.DateTimeField(null=True, help_text="From then on it does not hold.")

    class Meta:
        constraints = [models.UniqueConstraint("company", "kind", name="limit_once_a_company")]

    def __str__(self) -> str:
        return f"{self.kind} = {self.value} ({self.pk})"


class Domain(models.Model):
    """A host name that opens a company; always lower-case ASCII (IDNA).

    A company's own host is entered once DNS has proven it; an old address redirects until its
    time ends. The host that is primary leads: the others redirect to it.
    """

    class Kind(models.TextChoices):
        ADDRESS = "address", "Address of ours"
        OWN = "own", "Own domain"
        OLD = "old", "Old address"

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="domains")
    host = models.CharField(max_length=253)
    is_primary = models.BooleanField(default=True)
    kind = models.CharField(
        max_length=10, choices=Kind, default=Kind.ADDRESS, db_default=Kind.ADDRESS.value
    )
    token = models.CharField(max_length=64, default="", db_default="")
    created_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    redirects_until = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True, help_text="When DNS was last asked for the proof.")
    failing_since = models.DateTimeField(null=True)
    released_at = models.DateTimeField(
        null=True, help_text="Given back; the row keeps the name from others for a time."
    )

    class Meta:
        constraints = [models.UniqueConstraint(Lower("host"), name="domain_host_once")]

    def __str__(self) -> str:
        return f"{self.host} ({self.pk})"


class DomainClaim(models.Model):
    """A host name a company says is its own, until DNS proves it; opens nothing."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="claims")
    host = models.CharField(max_length=253)
    token = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("company", "host", name="claim_once_a_company")]

    def __str__(self) -> str:
        return f"{self.host} ({self.pk})"


class CompanyEvent(models.Model):
    """Something that happened to a company, on the platform's side; only ever added to.

    `verb` is past tense (`company.moved`, `owners.told` …), `actor` says in words who did it,
    `facts` are plain JSON. It outlives its company's row.
    """

    company = models.ForeignKey(
        Company, on_delete=models.DO_NOTHING, db_constraint=False, related_name="events"
    )
    at = models.DateTimeField()
    actor = models.CharField(max_length=250)
    verb = models.CharField(max_length=60)
    about = models.ForeignKey(
        "self", null=True, on_delete=models.DO_NOTHING, related_name="answers",
        help_text="The event this one answers.",
    )  # fmt: skip
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["company", "-at"], name="company_event_of")]

    def __str__(self) -> str:
        return f"{self.verb} ({self.pk})"


class Erasure(models.Model):
    """The end of a company: who decided it, how far it has come, and the proof.

    `step` is the last one finished (`erasure.running.STEPS`), `facts` what was counted on the way;
    `proof` with its `sha256` is written once, when nothing is left. It outlives everything.
    """

    class Rule(models.TextChoices):
        RETENTION = "retention", "Retention is over"
        OPERATORS = "operators", "Two operators"

    company = models.ForeignKey(
        Company, on_delete=models.DO_NOTHING, db_constraint=False, related_name="erasures"
    )
    rule = models.CharField(max_length=10, choices=Rule)
    reason = models.CharField(max_length=250, default="")
    requested_by = models.CharField(max_length=254, default="")
    requested_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=254, default="")
    withdrawn_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=20, default="")
    facts = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)
    proof = models.JSONField(null=True)
    sha256 = models.CharField(max_length=64, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "company", name="erasure_one_a_company", condition=models.Q(withdrawn_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk} of {self.company_id}"


class RetiredName(models.Model):
    """A schema or address name that was used once and is never given out again."""

    name = models.CharField(max_length=60, unique=True)
    retired_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class DemoMail(models.Model):
    """A mail the demo would have sent, for the operators' outbox page."""

    company_name = models.CharField(max_length=120, default="")
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=250)
    body = models.TextField()
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.subject} ({self.pk})"
