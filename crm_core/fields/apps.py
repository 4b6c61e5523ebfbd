from django.apps import AppConfig


class FieldsConfig(AppConfig):
    name = "crm_core.fields"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.fields.subscribers import subscribe

        subscribe()
