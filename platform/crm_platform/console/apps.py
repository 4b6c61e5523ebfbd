from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "crm_platform.console"
    default_auto_field = "django.db.models.BigAutoField"
