"""`crm migrate_companies`: bring every company's tables up to date, one after the other."""

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from crm_platform.kernel import tenancy
from tenants import provisioning, queries

logger = logging.getLogger("rapport.tenants")


class Command(BaseCommand):
    help = "Run the migrations each company lacks. A failure stops that company only."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("companies", nargs="*", help="address names; every company without any")

    def handle(self, *_args: Any, **options: Any) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            wanted = queries.standing_companies(options["companies"])
        failed = 0
        for company in wanted:
            try:
                done = provisioning.migrate_schema(company.schema_name)
            except (DatabaseError, ValueError) as error:
                failed += 1
                logger.exception("Company %s could not be migrated", company.pk)
                self.stderr.write(f"{company.slug}: FAILED: {error}")
                continue
            self.stdout.write(f"{company.slug}: {', '.join(done) if done else 'up to date'}")
        self.stdout.write(f"{len(wanted)} companies, {failed} failed")
        if failed:
            raise CommandError(f"{failed} of {len(wanted)} companies could not be migrated.")
