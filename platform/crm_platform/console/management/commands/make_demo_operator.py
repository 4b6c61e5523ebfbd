"""`crm make_demo_operator`: a first sign-in for the operators' host."""

import json
import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from crm_platform.console.services.operators import enrol_if_absent, make_operator
from crm_platform.kernel import tenancy


class Command(BaseCommand):
    help = "Make an operator, or keep the one there is; writes one JSON line with the sign-in."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default=f"operator@{settings.BASE_DOMAIN}.example")
        parser.add_argument("--reset", action="store_true", help="set a new password")

    def handle(self, *_args: Any, **options: Any) -> None:
        password = secrets.token_urlsafe(12)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            is_set = make_operator(
                email=options["email"], password=password, reset=options["reset"],
                at=timezone.now(),
            )  # fmt: skip
            secret = enrol_if_absent(email=options["email"], at=timezone.now())
        line = {
            "company": "operators",
            "url": settings.ENVIRONMENT.address_of(settings.OPERATORS_HOST),
            "email": options["email"],
            "password": password if is_set else None,
            "second_factor": secret or None,
        }
        self.stdout.write(json.dumps(line, ensure_ascii=False))
