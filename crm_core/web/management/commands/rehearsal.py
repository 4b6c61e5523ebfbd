"""`crm rehearsal make|reset|remove|compare|promote|undo COMPANY`: a place to try things."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm_core.audit import services as audit
from crm_core.web import promoting
from crm_core.web.rehearsing import fill, tables
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from tenants import queries as register
from tenants import rehearsal
from tenants.models import Company

ACTS = ("make", "reset", "remove", "compare", "promote", "undo")


class Command(BaseCommand):
    """Make, reset, remove or compare a company's rehearsal; bring changes over."""

    help = "A rehearsal: a copy of a company's configuration with virtual people and made-up data."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what may be given."""
        parser.add_argument("act", choices=ACTS)
        parser.add_argument("company", help="the live company: address name, host or id")
        parser.add_argument(
            "--owner", default="", help="mail of the person who may sign in there, or who promotes"
        )
        parser.add_argument(
            "--what", nargs="+", default=[], help="keys that compare printed, or all; to promote"
        )
        parser.add_argument("--batch", type=UUID, help="what promote printed; to undo")

    def handle(self, *_args: Any, **given: Any) -> None:
        """Run the command.

        Raises:
            CommandError: a sentence saying what to change.
        """
        with tenancy.unit_of_work(tenancy.PLATFORM):
            live = register.find_company(given["company"])
            standing = rehearsal.rehearsals_of(live.pk).first() if live else None
        if live is None:
            raise CommandError("There is no such company.")
        try:
            if given["act"] in ("make", "reset"):
                self._make(live, given)
            elif given["act"] == "undo":
                self._undo(live, given)
            elif standing is None:
                raise CommandError("This company has no rehearsal.")
            elif given["act"] == "remove":
                rehearsal.remove(company_id=standing.pk, at=timezone.now())
                self.stdout.write(f"{standing.slug} is gone.")
            elif given["act"] == "promote":
                self._promote(live, standing, given)
            else:
                self._compare(standing)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal

    def _make(self, live: Company, given: dict[str, Any]) -> None:
        if not given["owner"]:
            raise CommandError("Name the person who may sign in there: --owner MAIL")
        act = rehearsal.make if given["act"] == "make" else rehearsal.reset
        began = timezone.now()
        made = act(
            live_id=live.pk, owner_email=given["owner"], tables=tables(),
            fill=fill, at=began,
        )  # fmt: skip
        seconds = (timezone.now() - began).total_seconds()
        address = settings.ENVIRONMENT.address_of(f"{made.slug}.{settings.BASE_DOMAIN}")
        self.stdout.write(f"{address} stands after {seconds:.2f} s.")

    def _compare(self, standing: Company) -> None:
        found = rehearsal.differences(company_id=standing.pk, tables=tables())
        for each in found:
            where = "only live" if each.rehearsal is None else "only in the rehearsal"
            told = f"{each.live!r} -> {each.rehearsal!r}" if each.field else where
            self.stdout.write(f"{each.key}  {each.row}: {told}")
        self.stdout.write(f"{len(found)} differences")

    def _promote(self, live: Company, standing: Company, given: dict[str, Any]) -> None:
        found = rehearsal.differences(company_id=standing.pk, tables=tables())
        wanted = set(given["what"])
        chosen = [each for each in found if each.key in wanted or wanted == {"all"}]
        with tenancy.unit_of_work(register.scope_of(live)):
            audit.use_channel("shell")
            batch = promoting.promote(
                chosen=chosen, actor=_person(given["owner"]), at=timezone.now()
            )
        self.stdout.write(f"{len(chosen)} brought over. To take them back: undo --batch {batch}")

    def _undo(self, live: Company, given: dict[str, Any]) -> None:
        if given["batch"] is None:
            raise CommandError("Say which: --batch, as promote printed it.")
        with tenancy.unit_of_work(register.scope_of(live)):
            audit.use_channel("shell")
            count = promoting.take_back(
                batch=given["batch"], actor=_person(given["owner"]), at=timezone.now()
            )
        self.stdout.write(f"{count} as before.")


def _person(email: str) -> User:
    rows = User.objects.select_related("role").filter(is_active=True, email__iexact=email)
    person = rows.first()
    if person is None:
        raise CommandError("Name the person it is done for: --owner MAIL")
    return person
