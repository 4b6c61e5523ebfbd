"""`crm import COMPANY KIND FILE`: the import of the page, from the shell."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.module_loading import import_string

from crm_core.exchange import parsing, preview, queries, samples, services, targets
from crm_core.exchange.choices import ColumnChoice, Options, columns_of, options_of
from crm_core.exchange.models import ImportJob
from crm_core.exchange.reading import shape_of
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError

REASONS_SHOWN = 20


class Command(BaseCommand):
    """Bring a file into a company, and print what became of each row."""

    help = "Import a CSV or Excel file into a company, as the page does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what may be given."""
        parser.add_argument("company", help="the company's address name")
        parser.add_argument("kind", help="account, contact, deal, activity or person")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map", nargs="+", action="extend", default=[], metavar="COLUMN=FIELD",
            help="where columns go; without it they are guessed",
        )  # fmt: skip
        parser.add_argument("--identify", help="the field rows are told apart by (none: all new)")
        parser.add_argument("--known", choices=("update", "skip"))
        parser.add_argument("--owner", help="mail of the person it is done for; else an owner")
        parser.add_argument("--owners", choices=("me", "empty", "create"))
        parser.add_argument("--links", choices=("create", "empty", "fail"))
        parser.add_argument("--create-links", dest="links", action="store_const", const="create")
        parser.add_argument("--stages", choices=("create", "fail"))
        parser.add_argument("--encoding", default="")
        parser.add_argument("--sheet", default="")
        parser.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument("--strict", action="store_true", help="status 1 if a row failed")

    def handle(self, *_args: Any, **given: Any) -> None:
        """Run the command.

        Raises:
            CommandError: a sentence saying what to change.
        """
        scope = self._scope(given["company"])
        try:
            failed = self._import(scope, given)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        if failed and given["strict"]:
            raise CommandError(f"{failed:,} rows failed.")

    def _scope(self, slug: str) -> tenancy.Scope:
        scope: tenancy.Scope | None = import_string(settings.COMPANY_BY_SLUG)(slug)
        if scope is None:
            raise CommandError(f"There is no working company called {slug}.")
        return scope

    def _import(self, scope: tenancy.Scope, given: dict[str, Any]) -> int:
        with tenancy.unit_of_work(scope):
            actor = _actor(given["owner"])
            job = self._draft(actor, given)
            if given["dry_run"]:
                tried = preview.try_all(job, actor)
                services.discard(job=job, actor=actor)
                self._print_trial(job, tried)
                return tried.failed
            services.start(job=job, actor=actor, at=timezone.now(), ring=False)
        with tenancy.choose(scope):
            if wait := services.run(job_id=job.pk, clock=timezone.now).wait_seconds:
                raise CommandError(f"Another import is running. Try again in {wait} seconds.")
        with tenancy.unit_of_work(scope):
            return self._print(ImportJob.objects.get(pk=job.pk))

    def _draft(self, actor: User, given: dict[str, Any]) -> ImportJob:
        path: Path = given["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        with path.open("rb") as stream:
            job = services.start_import(
                kind_name=given["kind"], upload=File(stream), file_name=path.name, actor=actor,
                at=timezone.now(),
            )  # fmt: skip
        if given["encoding"] or given["sheet"]:
            services.read_again(
                job=job, actor=actor, encoding=given["encoding"], sheet=given["sheet"]
            )
            job.refresh_from_db()
        columns = _mapped(job, given["map"]) if given["map"] else columns_of(job.columns)
        shape = shape_of(job.shape)
        for facts, choice in zip(shape.columns, columns, strict=True):
            self.stdout.write(f"  {facts.header:<24} -> {choice.to or '(not imported)'}")
        options = options_of(job.options).as_json()
        names = ("known", "owners", "links", "stages")
        options |= {name: given[name] for name in names if given[name]}
        mapped = {choice.to for choice in columns}
        options["identify"] = targets.guessed_identifier(targets.kind_of(job.kind), mapped)
        if given["identify"] is not None:
            options["identify"] = "" if given["identify"] == "none" else given["identify"]
        return services.choose(job=job, columns=columns, options=Options(**options), actor=actor)

    def _print(self, job: ImportJob) -> int:
        totals = samples.totals_of(job)
        if job.error:
            self.stderr.write(job.error)
        self._table(totals.total, totals.created, totals.updated, totals.skipped, totals.failed)
        reasons = Counter(
            (outcome, reason)
            for outcome, reason in queries.issues_of(job).values_list("outcome", "reason")
        )
        self._reasons(reasons)
        return job.failed + (job.total - job.seen)

    def _print_trial(self, job: ImportJob, tried: preview.Trial) -> None:
        self.stdout.write("Nothing was written. It would be:")
        self._table(job.total, tried.created, tried.updated, tried.skipped, tried.failed)
        self._reasons(Counter((outcome, reason) for _row, outcome, reason in tried.issues))

    def _table(self, *figures: int) -> None:
        names = ("rows", "created", "updated", "skipped", "failed")
        self.stdout.write("  ".join(f"{name:>9}" for name in names))
        self.stdout.write("  ".join(f"{figure:>9,}" for figure in figures))

    def _reasons(self, reasons: Counter[tuple[str, str]]) -> None:
        for (outcome, reason), count in reasons.most_common(REASONS_SHOWN):
            self.stdout.write(f"  {count:>7,} x {outcome}: {reason}")
        if len(reasons) > REASONS_SHOWN:
            self.stdout.write(f"  … and {len(reasons) - REASONS_SHOWN:,} more reasons")


def _actor(email: str | None) -> User:
    people = User.objects.select_related("role").filter(is_active=True)
    if email:
        found = people.filter(email__iexact=email).first()
        if found is None:
            raise CommandError(f"Nobody with the mail address {email} works there.")
        return found
    owner = people.filter(role__key="owner").order_by("pk").first()
    if owner is None:
        raise CommandError("This company has no owner. Name a person with --owner.")
    return owner


def _mapped(job: ImportJob, pairs: list[str]) -> list[ColumnChoice]:
    """The choices that `Column=field` pairs make; dates keep the order guessed for their column."""
    wanted = dict(pair.rsplit("=", 1) for pair in pairs if "=" in pair)
    if len(wanted) != len(pairs):
        raise CommandError("Write each as COLUMN=FIELD, for instance “Full name=name”.")
    folded = {parsing.folded(header): field for header, field in wanted.items()}
    shape = shape_of(job.shape)
    known = {parsing.folded(column.header) for column in shape.columns}
    for header in wanted:
        if parsing.folded(header) not in known:
            raise CommandError(f"The file has no column “{header}”.")
    return [
        ColumnChoice(to=folded.get(parsing.folded(facts.header), ""), order=guess.order)
        for facts, guess in zip(shape.columns, columns_of(job.columns), strict=True)
    ]
