"""`crm backups [COMPANY]`: the ledger of backups, newest first."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm_platform.kernel import tenancy
from tenants import queries as register
from tenants.backups import queries

SHOWN = 50


class Command(BaseCommand):
    help = "List backups, of one company or of all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company", nargs="?", default="", help="address name, host or id")

    def handle(self, *_args: Any, **options: Any) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = register.find_company(options["company"]) if options["company"] else None
            if options["company"] and company is None:
                raise CommandError("There is no such company.")
            for row in queries.backups(company)[:SHOWN]:
                self.stdout.write(
                    f"{row.pk}  {row.company.slug:<24} {row.due_at:%Y-%m-%d %H:%M}"
                    f" {row.state:<8} {row.row_count:>10,} rows {row.size_bytes // 1024:>9,} KiB"
                    f"  {row.error}"
                )
