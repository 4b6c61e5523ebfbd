"""`crm company_move`: bring a company to another worker of the cluster."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.errors import DomainError
from tenants import queries, sharding


class Command(BaseCommand):
    help = "Move one company to another worker of the Citus cluster while people go on working."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company", help="address name, host or id")
        parser.add_argument("--to", required=True, help="the worker, host:port")

    def handle(self, *_args: Any, **options: Any) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = queries.find_company(options["company"])
        if company is None:
            raise CommandError("There is no such company.")
        connection = owner_connection()
        connection.ensure_connection()
        try:
            sharding.move(connection.connection, company.schema_name, to=options["to"])
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{company.slug} is at {options['to']} now.")
