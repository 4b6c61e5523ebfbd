from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "crm_core.sales"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.sales.features import register_features
        from crm_core.sales.record_types import register_types

        register_types()
        register_features()
