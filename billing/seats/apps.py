from django.apps import AppConfig


class SeatsConfig(AppConfig):
    """How many people a company may have; a table of the company itself."""

    name = "billing.seats"
    label = "seats"
