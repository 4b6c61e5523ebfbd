from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "crm_core.search"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.search.subscribers import subscribe

        subscribe()
