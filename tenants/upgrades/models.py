"""The ledger of releases: what each consists of, its waves, and one run a company.

"Is everything up to date?" is one query here, never a look into every schema.
"""

from django.db import models

from tenants.models import Company


class Release(models.Model):
    """One state of the companies' tables, rendered once and never computed again."""

    class State(models.TextChoices):
        BUILT = "built", "Built"
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Done"

    version = models.CharField(max_length=40, unique=True)
    previous = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="following"
    )
    state = models.CharField(max_length=10, choices=State, default=State.BUILT)
    state_reason = models.CharField(max_length=500, default="")
    built_at = models.DateTimeField()
    head = models.JSONField(help_text="[app, migration] of every migration it stands for.")
    script = models.TextField(help_text="Makes an empty schema into a company's, as one message.")
    fingerprint = models.CharField(max_length=32, help_text="Of a schema at this release.")
    shape = models.JSONField(
        default=dict, help_text="{tables, before, after}: fingerprints of what the steps change."
    )
    """`within` as well: the fingerprint where the transaction ends and something follows it."""
    steps = models.JSONField(
        default=list, help_text="What brings a company here from the release before (`Step`)."
    )
    notes = models.JSONField(default=dict, help_text="{language: {role: [sentence, …]}}")
    told = models.JSONField(
        default=list, db_default=[], help_text="The files of `notes` that it was told by."
    )
    most_failures = models.PositiveSmallIntegerField(default=0)
    """A wave with more failed companies than this stops by itself."""

    def __str__(self) -> str:
        return self.version


class Wave(models.Model):
    """The companies of one ring, upgraded together."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="waves")
    position = models.PositiveSmallIntegerField()
    ring = models.CharField(max_length=10, choices=Company.Ring)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("release", "position", name="wave_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.release_id}/{self.ring}"


class SchemaRun(models.Model):
    """One company on its way to one release."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DATA = "data", "Moving data"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        HELD = "held", "Held"
        BACK = "back", "Rolled back"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="runs")
    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="runs")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    lock_retries = models.PositiveSmallIntegerField(default=0)
    planned_at = models.DateTimeField(
        null=True, help_text="When it was enrolled; a wait is counted from here."
    )
    not_before = models.DateTimeField(null=True, help_text="Its window, or the next try.")
    lease = models.BigIntegerField(
        null=True, help_text="The advisory lock of the worker that has it; free: it died."
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    took_ms = models.FloatField(null=True, help_text="The transaction that changed the tables.")
    error = models.TextField(default="")
    checks = models.JSONField(default=list, help_text="What was checked afterwards, in words.")
    cursor = models.JSONField(default=dict, help_text="Where each batched data step stands.")

    class Meta:
        constraints = [
            models.UniqueConstraint("release", "company", name="run_once_a_company"),
        ]
        indexes = [
            models.Index("wave", "state", "id", name="run_of_wave"),
        ]

    def __str__(self) -> str:
        return f"{self.company_id} to {self.release_id}: {self.state}"


class Spare(models.Model):
    """A finished schema that no company has yet; sign-up takes one instead of making one."""

    schema_name = models.CharField(max_length=40, unique=True)
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="spares")
    made_at = models.DateTimeField()
    lease = models.BigIntegerField(
        null=True, help_text="The advisory lock of whoever makes or removes it; null: ready."
    )

    def __str__(self) -> str:
        return self.schema_name


class Setting(models.Model):
    """How operators want spares and upgrades to run; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    spares = models.PositiveSmallIntegerField(default=2)
    parallel = models.PositiveSmallIntegerField(default=2)
    early_percent = models.PositiveSmallIntegerField(default=10)
    longest_wait_days = models.PositiveSmallIntegerField(default=14)

    def __str__(self) -> str:
        return "settings"


class Preflight(models.Model):
    """A release tried on a throw-away copy of one company, and what was seen there."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        GREEN = "green", "Went well"
        RED = "red", "Went wrong"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="preflights")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="preflights")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    schema_name = models.CharField(
        max_length=40, default="", help_text="The copy, from before it stands until it is dropped."
    )
    lease = models.BigIntegerField(
        null=True, help_text="The advisory lock of the worker at it; free: it died."
    )
    at = models.DateTimeField(help_text="When it was asked for.")
    finished_at = models.DateTimeField(null=True)
    took_ms = models.FloatField(null=True, help_text="The transaction that changes the tables.")
    after_ms = models.FloatField(null=True, help_text="What follows it, beside people's work.")
    rows = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    locks = models.JSONField(default=dict, help_text="{table: the strongest lock taken}")
    rewritten = models.JSONField(default=list, help_text="Tables that were written anew.")
    verdict = models.JSONField(default=list, help_text="What the linter says; empty: nothing.")
    error = models.TextField(default="")

    class Meta:
        indexes = [models.Index("release", "state", name="preflight_of_release")]

    def __str__(self) -> str:
        return f"{self.release_id} on {self.company_id}: {self.state}"
