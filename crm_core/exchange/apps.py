from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "crm_core.exchange"
    default_auto_field = "django.db.models.BigAutoField"
