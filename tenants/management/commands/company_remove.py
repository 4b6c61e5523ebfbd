"""`crm company_remove`: close a company for good; its data stay in its schema."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm_platform.kernel import tenancy
from tenants import queries, services
from tenants.models import Company


class Command(BaseCommand):
    help = "Close one company. Shows what would happen unless --really is given with both names."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company", help="address name, host or id")
        parser.add_argument("--really", action="store_true", help="do it; needs both names below")
        parser.add_argument("--name", default="", help="the company's name, typed")
        parser.add_argument("--schema", default="", help="the company's schema, typed")

    def handle(self, *_args: Any, **options: Any) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = queries.find_company(options["company"])
        if company is None:
            raise CommandError("There is no such company.")
        self._tell(company)
        if not options["really"]:
            self.stdout.write("Nothing was changed. To do it: --really --name … --schema …")
            return
        if (options["name"], options["schema"]) != (company.name, company.schema_name):
            raise CommandError("The name or the schema typed is not this company's.")
        services.remove(company_id=company.pk, at=timezone.now())
        self.stdout.write(f"{company.slug} is closed.")

    def _tell(self, company: Company) -> None:
        self.stdout.write(
            f"Company {company.name} ({company.slug}), schema {company.schema_name}, state"
            f" {company.state}, {company.user_count} people, {company.size_bytes // 1024} KiB.\n"
            "Its host stops answering and its names are never given out again."
            " The schema and its data stay."
        )
