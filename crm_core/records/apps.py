from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "crm_core.records"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.records.record_types import register_types

        register_types()
