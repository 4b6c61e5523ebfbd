"""A row of any model, filled by its fields' types, for what no service of the builder makes."""

import datetime as dt
import uuid
from typing import Any

from django.db import models

from crm_platform.kernel import tenancy

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
LATER = dt.datetime(2036, 11, 20, 12, 0, tzinfo=dt.UTC)
TEXTS = (models.CharField, models.TextField)


def text_fields(model: type[models.Model]) -> list[models.Field]:
    """The fields in which people's words are kept: free text, no choices, no hashes."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, TEXTS) and not field.choices and not field.name.endswith("_hash")
        and not isinstance(field, models.FileField) and field.name != "password"
    ]  # fmt: skip


def blank_row(model: type[models.Model], canary: str) -> models.Model:
    """Store one row of `model` whose texts hold `canary`."""
    values = {}
    for field in model._meta.concrete_fields:
        if field.primary_key and isinstance(field, models.AutoField):
            continue
        if field.has_default() and not isinstance(field, TEXTS):
            continue
        values[field.attname] = _value(field, canary)
    return model._default_manager.create(**values)


def _value(field: models.Field, canary: str) -> Any:
    if isinstance(field, models.ForeignKey):
        target = field.related_model._default_manager.order_by("pk").first()
        return target.pk if target else None
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.FileField):
        return f"{tenancy.current().id}/{canary}.csv"
    if isinstance(field, models.EmailField):
        return f"{canary}.{field.model._meta.model_name}@example.com"
    if isinstance(field, TEXTS):
        limit = field.max_length or 200
        return f"{canary}{field.model._meta.model_name}{field.name}"[:limit]
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.DateTimeField):
        ended = field.null and not field.name.startswith(("due", "expires"))
        return None if ended else LATER if field.name.startswith(("due", "expires")) else NOON
    if isinstance(field, models.DateField):
        return NOON.date()
    return None if field.null else {} if isinstance(field, models.JSONField) else 1
