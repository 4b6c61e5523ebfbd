from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "crm_core.registry"
    default_auto_field = "django.db.models.BigAutoField"
