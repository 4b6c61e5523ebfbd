"""`crm migrate_platform`: bring the platform's own tables up to date."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.tenancy import PLATFORM_SCHEMA


class Command(BaseCommand):
    help = "Migrate the platform's schema; companies have `migrate_companies`."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **options: Any) -> None:
        with owner_connection().working_in(PLATFORM_SCHEMA):
            call_command(
                "migrate", database="owner", verbosity=options["verbosity"], skip_checks=True
            )
