"""`crm company_list`: the register, one line a company."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_platform.kernel import tenancy
from tenants import queries


class Command(BaseCommand):
    help = "List the companies with state, users, size and last use."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            rows = list(queries.companies())
        for row in rows:
            used = row.last_used_at.isoformat(timespec="minutes") if row.last_used_at else "never"
            self.stdout.write(
                f"{row.slug:<24} {row.state:<10} {row.user_count:>5} people"
                f" {row.size_bytes // 1024:>9} KiB  {used:<23} {row.id} {row.name}"
            )
