from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    name = "crm_core.activities"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.activities.record_types import register_types

        register_types()
