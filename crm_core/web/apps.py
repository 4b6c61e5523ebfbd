from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "crm_core.web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.web.subscribers import subscribe

        subscribe()
