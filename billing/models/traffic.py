"""What passes between us and a payment provider, and how both sides compare."""

from django.db import models
from django.db.models import Q

from billing.models.accounts import Account


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
