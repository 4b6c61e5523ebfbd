"""`crm restore BACKUP --as ADDRESS`, and `crm restore ADDRESS --swap` when it is right."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from tenants.backups import queries, restoring
from tenants.backups.models import RestoreRun


class Command(BaseCommand):
    help = (
        "Restore a backup as a new company beside the old one and compare them; --swap puts it in"
        " the old one's place, --swap-back undoes that."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "what", help="a backup's id, or a company's address name for its newest; for a swap the"
            " address it was restored at",
        )  # fmt: skip
        parser.add_argument("--as", dest="slug", default="", help="address name of the new company")
        parser.add_argument("--swap", action="store_true", help="put it in the old one's place")
        parser.add_argument("--swap-back", action="store_true", help="undo that")
        parser.add_argument("--really", action="store_true", help="do the swap")

    def handle(self, *_args: Any, **options: Any) -> None:
        is_swap = options["swap"] or options["swap_back"]
        if is_swap == bool(options["slug"]):
            raise CommandError("Give --as ADDRESS to restore, or --swap, or --swap-back.")
        try:
            if is_swap:
                self._swap(options)
            else:
                self._restore(options["what"], options["slug"])
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal

    def _restore(self, said: str, slug: str) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            backup = queries.find_backup(said)
        if backup is None:
            raise CommandError("There is no such backup. `crm backups` lists them.")
        self._tell(restoring.restore(backup_id=backup.pk, slug=slug, clock=timezone.now))

    def _tell(self, run: RestoreRun) -> None:
        self.stdout.write(f"{'table':<36} {'in backup':>10} {'restored':>10}  checksums")
        for row in run.comparison:
            verdict = "equal" if row["checksum"] == row["found_checksum"] else "DIFFERENT"
            self.stdout.write(
                f"{row['name']:<36} {row['rows']:>10,} {row['found_rows']:>10,}  {verdict}"
            )
        self.stdout.write(
            f"Left out, as always: {', '.join(run.left_out)}.\n"
            f"{run.row_count:,} rows and {run.file_count:,} files stand as “{run.slug}”,"
            f" schema {run.schema_name}. People sign in there with their passwords.\n"
            f"When it is right: crm restore {run.slug} --swap --really"
        )

    def _swap(self, options: dict[str, Any]) -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            run = queries.find_restore(options["what"])
        if run is None:
            raise CommandError("Nothing was restored at this address.")
        if not options["really"]:
            self.stdout.write(
                f"This exchanges the addresses of the companies {run.company_id} and"
                f" {run.restored_id}; the one that leaves is stopped and kept. Nothing was changed."
                " To do it: --really"
            )
            return
        exchange = restoring.swap if options["swap"] else restoring.swap_back
        done = exchange(run_id=run.pk, at=timezone.now())
        self.stdout.write(f"Exchanged: {done.state}. It shows everywhere within 30 seconds.")
