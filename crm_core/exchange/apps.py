from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "crm_core.exchange"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_core.exchange.subscribers import subscribe

        subscribe()
