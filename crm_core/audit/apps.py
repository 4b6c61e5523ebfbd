from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "crm_core.audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.audit.subscribers import subscribe

        subscribe()
