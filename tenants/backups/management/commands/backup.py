"""`crm backup COMPANY`: make one company's backup now, read it back, and say what it holds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from tenants import queries as register
from tenants.backups import services


class Command(BaseCommand):
    help = "Back up one company (address name, host or id) and read the archive back."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company", help="address name, host or id")

    def handle(self, *_args: Any, **options: Any) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = register.find_company(options["company"])
        if company is None:
            raise CommandError("There is no such company.")
        try:
            made = services.back_up(company_id=company.pk, clock=timezone.now)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        assert made.started_at
        assert made.finished_at
        seconds = (made.finished_at - made.started_at).total_seconds()
        self.stdout.write(
            f"{made.pk}\n{made.row_count:,} rows of {made.table_count} tables,"
            f" {made.file_count:,} files, {made.size_bytes / 1024:,.0f} KiB locked in"
            f" {seconds:.2f} s, read back whole.\nsha256 {made.checksum}  {made.name}"
        )
