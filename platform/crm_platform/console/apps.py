from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "crm_platform.console"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_platform.console.services import (
            approvals,
            audit,
            offers,
            plan_moves,
            support,
            wave_backs,
        )

        audit.subscribe()
        support.subscribe()
        approvals.offer_acts()
        plan_moves.offer_act()
        offers.offer_act()
        wave_backs.offer_act()
