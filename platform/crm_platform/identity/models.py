"""Users, roles, teams, and the one-time secrets that let people in."""

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from crm_platform.kernel.models import ScopedModel


class ConfigVersion(ScopedModel):
    """One row: counts changes of configuration, so that processes know when to read it again."""

    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"version {self.version} ({self.pk})"


class Role(ScopedModel):
    """What its people may do: a level for each record type and verb, and named abilities.

    `rights` is `{record type or "*": {verb: level}}`; verbs view, create, edit, delete, export;
    levels none, own, team, below, all. `field_limits` is `{record type: {field: hidden|read}}`.
    """

    key = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    rights = models.JSONField(default=dict)
    abilities = ArrayField(models.CharField(max_length=40), default=list)
    field_limits = models.JSONField(default=dict)
    is_system = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Team(ScopedModel):
    """A department; `path` lists its ancestors and itself as `/1/4/`."""

    name = models.CharField(max_length=80)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    path = models.CharField(max_length=250, default="/")

    class Meta:
        ordering = ["path", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class User(AbstractBaseUser, ScopedModel):
    """A person who signs in to one company, or an operator in the platform's schema."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    last_login = None

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120)
    title = models.CharField(max_length=120, default="", blank=True)
    phone = models.CharField(max_length=40, default="", blank=True)
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="users")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="users")
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=60, default="", blank=True)
    theme = models.CharField(max_length=5, default="auto")
    density = models.CharField(max_length=7, default="cosy")
    preferences = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    deactivated_at = models.DateTimeField(null=True)
    is_support = models.BooleanField(
        default=False, db_default=False, help_text="Stands for an operator during a support visit."
    )
    last_seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def hue(self) -> int:
        """The palette number (1-8) of this person's avatar."""
        return (self.pk or 0) % 8 + 1


class Session(ScopedModel):
    """A signed-in browser. The cookie's secret is kept as a hash; `company_id` must match."""

    key_hash = models.CharField(max_length=64, unique=True)
    company_id = models.UUIDField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    second_factor_at = models.DateTimeField(null=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=250, default="")

    def __str__(self) -> str:
        return f"session {self.pk}"


class SecondFactor(ScopedModel):
    """The authenticator app of a person. `secret` is sealed; `last_step` is the last code's step.

    A code of that step or an earlier one is not taken again. Source: RFC 6238 (30 seconds a step).
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    secret = models.CharField(max_length=250)
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"second factor ({self.pk})"


class RecoveryCode(ScopedModel):
    """A code that stands in for the app, once; kept as a hash."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"recovery code ({self.pk})"


class SupportVisit(ScopedModel):
    """An operator's wish to look into this company, and what the company said to it.

    `key` names the same wish on the operators' side. `user` is the marked person the operator acts
    as, from the first entry on. Only the company's own word sets `granted`; `until` ends it.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        GRANTED = "granted", "Granted"
        REFUSED = "refused", "Refused"
        ENDED = "ended", "Ended"

    key = models.UUIDField(unique=True)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    operator_id = models.BigIntegerField()
    operator_name = models.CharField(max_length=120)
    reason = models.CharField(max_length=300)
    minutes = models.PositiveSmallIntegerField()
    may_write = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    user = models.OneToOneField(
        User, on_delete=models.SET_NULL, null=True, related_name="support_visit"
    )
    enter_hash = models.CharField(max_length=64, default="")
    enter_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"support visit {self.pk}"

    @property
    def name(self) -> str:
        """How the visitor is called in the company."""
        return f"Support ({self.operator_name})"[:120]


class Invitation(ScopedModel):
    """A one-time way in for one mail address, with the role and team it will have."""

    email = models.EmailField(max_length=254)
    role = models.ForeignKey(Role, on_delete=models.PROTECT)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class MailToken(ScopedModel):
    """A one-time secret sent by mail: to reset a password, confirm a new address or sign in."""

    class Purpose(models.TextChoices):
        RESET = "reset", "Reset the password"
        CHANGE_MAIL = "change_mail", "Confirm a new address"
        ENTER = "enter", "Enter a company just made"

    purpose = models.CharField(max_length=12, choices=Purpose)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    new_email = models.EmailField(max_length=254, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"mail token {self.pk}"


class ApiToken(ScopedModel):
    """A key a person made for a program acting as them; kept as a hash, shown once."""

    class Scope(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Read and write"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    key_hash = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.READ)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Attempt(ScopedModel):
    """One try at something guarded (a sign-in, a reset); counted to slow guessing down."""

    kind = models.CharField(max_length=20)
    key_hash = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kind", "key_hash", "at"], name="attempt_window")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.pk})"


class OutgoingMail(ScopedModel):
    """A mail to send, written with the change that caused it; a worker sends it after commit.

    `due_at` is when it may be tried (again); claiming a mail moves it ahead, so that a worker that
    dies with it loses nothing. The body is emptied once sent: it may hold a one-time link.
    """

    delivery_id = models.UUIDField(default=uuid.uuid4)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=250)
    body = models.TextField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=250, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], name="mail_waiting", condition=models.Q(sent_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.pk})"


def is_person(user: Any) -> bool:
    """Whether `user` is a signed-in person rather than a visitor."""
    return isinstance(user, User)
