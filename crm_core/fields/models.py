"""What a company shaped itself: its own fields and its saved views."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from crm_platform.identity.models import User
from crm_platform.kernel.models import ScopedModel


class CustomField(ScopedModel):
    """A fact this company keeps that the product does not bring; values lie in `custom`.

    `kind` is one of `registry.Kind`; `options` are the stored values of a choice.
    """

    record_type = models.CharField(max_length=30)
    key = models.CharField(max_length=40)
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=20)
    options = ArrayField(models.CharField(max_length=80), default=list)
    is_required = models.BooleanField(default=False)
    help_text = models.CharField(max_length=200, default="", blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["record_type", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["record_type", "key"], name="custom_field_key_once")
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.pk})"


class Tag(ScopedModel):
    """A word people put on records; `hue` is one of the eight label colours."""

    name = models.CharField(max_length=40)
    hue = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(Lower("name"), name="tag_name_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class SavedView(ScopedModel):
    """A named list: layout, filters, sort and columns; personal, or shared with everybody.

    `filters` is a list of `[field, operator, value]`; `sort` a field name with `-` for falling.
    """

    record_type = models.CharField(max_length=30)
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    is_shared = models.BooleanField(default=False)
    is_pinned = models.BooleanField(default=False)
    layout = models.CharField(max_length=10, default="list")
    filters = models.JSONField(default=list)
    sort = models.CharField(max_length=60, default="")
    columns = ArrayField(models.CharField(max_length=60), default=list)
    position = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Star(ScopedModel):
    """A record a person marked to find again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    record_type = models.CharField(max_length=30)
    record_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "record_type", "record_id"], name="star_once")
        ]

    def __str__(self) -> str:
        return f"star {self.pk}"
