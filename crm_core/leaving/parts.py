"""What a package consists of: every kind of record, every table, every file, the configuration."""

from django.apps import apps as django_apps
from django.conf import settings
from django.db import models

from crm_core.leaving.models import ExitPackage
from crm_platform.kernel.router import labels
from tenants.backups.rules import LEFT_OUT

DERIVED = ("search_document", "identity_configversion", ExitPackage._meta.db_table)
"""Tables that are made from others, or are about packages."""
SECRET_FIELDS = ("password", "lease")
CONFIGURATION = (
    "identity.Role", "identity.Team", "sales.Pipeline", "sales.Stage", "sales.LostReason",
    "fields.CustomField", "fields.Tag", "fields.SavedView",
)  # fmt: skip
"""What makes the company work the way it does, in an order in which each names only earlier ones.

People are data; roles and teams are configuration.
"""


def configuration_models() -> list[type[models.Model]]:
    return [django_apps.get_model(label) for label in CONFIGURATION]


def data_models() -> list[type[models.Model]]:
    """Every table of a company but sessions, tokens, mails and what is derived; by name."""
    wanted = labels(settings.TENANT_APPS)
    skipped = {*LEFT_OUT, *DERIVED}
    found = [
        model
        for config in django_apps.get_app_configs()
        if config.label in wanted
        for model in config.get_models()
        if model._meta.db_table not in skipped
    ]
    return sorted(found, key=lambda model: model._meta.db_table)


def columns(model: type[models.Model]) -> list[str]:
    """What is told of a row."""
    names = [field.attname for field in model._meta.concrete_fields]
    return [name for name in names if name not in SECRET_FIELDS]
