"""The design system: tokens, components, icons, charts, base templates."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Tidewater. It has no models and knows no CRM words."""

    name = "crm_platform.ui"
    label = "ui"
    default_auto_field = "django.db.models.BigAutoField"
