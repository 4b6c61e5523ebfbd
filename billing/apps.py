from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Plans, subscriptions and invoices; the platform's tables."""

    name = "billing"
    label = "billing"

    def ready(self) -> None:
        from billing.subscribers import subscribe

        subscribe()
