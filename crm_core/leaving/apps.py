from django.apps import AppConfig


class LeavingConfig(AppConfig):
    name = "crm_core.leaving"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.leaving.subscribers import subscribe

        subscribe()
