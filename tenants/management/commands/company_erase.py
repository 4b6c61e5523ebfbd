"""`crm company_erase`: two operators, one after the other, end a company; or show its proof."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from tenants import queries
from tenants.erasure import acts
from tenants.models import Company, Erasure


class Command(BaseCommand):
    help = (
        "Ask for a company's erasure, or confirm what another operator asked for. Shows what would"
        " happen, or the proof, unless --really is given with both names."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company", help="address name, host or id")
        parser.add_argument("--really", action="store_true", help="do it; needs all below")
        parser.add_argument("--name", default="", help="the company's name, typed")
        parser.add_argument("--schema", default="", help="the company's schema, typed")
        parser.add_argument("--operator", default="", help="your mail address as an operator")
        parser.add_argument("--reason", default="", help="why; for the one who asks first")

    def handle(self, *_args: Any, **options: Any) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = queries.find_company(options["company"])
            row = Erasure.objects.filter(company=company, withdrawn_at=None).first()
        if company is None:
            raise CommandError("There is no such company.")
        self._tell(company, row)
        if not options["really"]:
            self.stdout.write("Nothing was changed. To do it: --really and all that --help names.")
            return
        if (options["name"], options["schema"]) != (company.name, company.schema_name):
            raise CommandError("The name or the schema typed is not this company's.")
        try:
            self._do(company, row, options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _do(self, company: Company, row: Erasure | None, options: dict[str, Any]) -> None:
        at = timezone.now()
        with tenancy.unit_of_work(tenancy.PLATFORM):
            found = User.objects.select_related("role").filter(
                email__iexact=options["operator"], is_active=True
            )
            actor = found.first()
        if actor is None:
            raise CommandError("No operator has this mail address.")
        is_asked = row is not None and at - row.requested_at < acts.GOOD_FOR
        if row is None or not is_asked:
            acts.request(company_id=company.pk, reason=options["reason"], actor=actor, at=at)
            self.stdout.write("Asked for. Another operator has to confirm it within a week.")
            return
        acts.confirm(
            erasure_id=row.pk, name=options["name"], schema=options["schema"], actor=actor, at=at
        )
        self.stdout.write("Confirmed. The company is gone; the rest is done in the background.")

    def _tell(self, company: Company, row: Erasure | None) -> None:
        self.stdout.write(
            f"Company {company.name} ({company.slug}), schema {company.schema_name}, state"
            f" {company.state}, {company.user_count} people, {company.size_bytes // 1024} KiB.\n"
            "Its schema, role, files, cache, queued work and hosts are destroyed for good."
        )
        if row is None:
            return
        self.stdout.write(f"{row.rule}: asked {row.requested_by or 'by the clock'}, {row.step}")
        if row.proof:
            self.stdout.write(json.dumps(row.proof, indent=1, ensure_ascii=False))
            self.stdout.write(f"SHA-256 {row.sha256}")
