from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Plans, subscriptions and invoices; the platform's tables."""

    name = "billing"
    label = "billing"
