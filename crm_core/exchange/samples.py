"""The four files of a sales data set, brought in through the same services as anybody's files.

Source: Maven Analytics, CRM Sales Opportunities (public domain).
"""

import csv
import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

from django.core.files import File
from django.utils.translation import gettext as _

from crm_core.exchange import parsing, running, services
from crm_core.exchange.choices import Options, columns_of, options_of
from crm_core.exchange.models import ImportJob
from crm_core.sales import pipeline_services
from crm_core.sales import queries as sales
from crm_core.sales.models import Pipeline
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy

STAGES = (("Prospecting", 20, 1), ("Engaging", 50, 2))
SOURCE_FILES = ("sales_teams", "accounts", "products", "sales_pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What became of each row of one file; `notes` are of imported rows."""

    file: str
    kind: str
    total: int
    created: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0
    notes: int = 0
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        return self.created + self.updated + self.skipped + self.failed == self.total


def import_sample_sales(*, folder: Path, actor: User, at: dt.datetime) -> list[Totals]:
    """Bring in people, accounts and deals; products stay text on the deals.

    Every row is created, updated, skipped or failed with a reason. Called outside a transaction,
    with the company chosen. Doing it twice changes nothing.
    """
    products = _products(folder / "products.csv")
    with tenancy.unit_of_work(tenancy.current_company()):
        _add_stages(actor, at)
    people = _bring_in(folder / "sales_teams.csv", "person", Options(identify="name"), actor, at)
    accounts = _bring_in(folder / "accounts.csv", "account", Options(identify="name"), actor, at)
    spelling = {name: right for name, right in _misspelt(folder, products) if name != right}
    options = Options(
        identify="source_id", links="create", owners="me", stages="create",
        aliases={"product": spelling},
    )  # fmt: skip
    deals = _bring_in(folder / "sales_pipeline.csv", "deal", options, actor, at)
    kept_as_text = Totals(
        file="products.csv", kind="product", total=len(products), skipped=len(products),
        reasons=(_("Products are kept as text on the deals."),),
    )  # fmt: skip
    return [people, accounts, kept_as_text, deals]


def _products(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [row["product"] for row in csv.DictReader(stream)]


def _misspelt(folder: Path, products: list[str]) -> list[tuple[str, str]]:
    """Product names of the deals with the catalogue's spelling, which spaces do not change."""
    right = {parsing.folded(name): name for name in products}
    with (folder / "sales_pipeline.csv").open(encoding="utf-8-sig", newline="") as stream:
        names = {row["product"] for row in csv.DictReader(stream)}
    return [(name, right.get(parsing.folded(name), name)) for name in sorted(names)]


def _add_stages(actor: User, at: dt.datetime) -> None:
    """The two open stages of the files, in their order and with sensible chances."""
    facts = sales.get_pipeline()
    known = {parsing.folded(stage.name) for stage in facts.stages}
    pipeline = Pipeline.objects.get(pk=facts.id)
    for name, probability, hue in STAGES:
        if parsing.folded(name) not in known:
            pipeline_services.add_stage(
                pipeline=pipeline, name=name, kind="open", probability=probability, hue=hue,
                actor=actor, at=at,
            )  # fmt: skip


def _bring_in(path: Path, kind_name: str, options: Options, actor: User, at: dt.datetime) -> Totals:
    scope = tenancy.current_company()
    with tenancy.unit_of_work(scope), path.open("rb") as stream:
        job = services.start_import(
            kind_name=kind_name, upload=File(stream), file_name=path.name, actor=actor, at=at
        )
        services.choose(
            job=job, columns=columns_of(job.columns), actor=actor,
            options=replace(options_of(job.options), **options.as_json()),
        )  # fmt: skip
        services.start(job=job, actor=actor, at=at, ring=False)
    running.run(job_id=job.pk, clock=lambda: at)
    with tenancy.unit_of_work(scope):
        return totals_of(ImportJob.objects.get(pk=job.pk))


def totals_of(job: ImportJob) -> Totals:
    """A finished job's figures, and the different reasons of rows that are not as in the file."""
    issues = job.issues.order_by("row").values_list("outcome", "reason")
    reasons = dict.fromkeys(reason for _outcome, reason in issues)
    return Totals(
        file=job.file_name, kind=job.kind, total=job.total, created=job.created,
        updated=job.updated, skipped=job.skipped, failed=job.failed,
        notes=sum(outcome == "note" for outcome, _reason in issues),
        reasons=tuple(list(reasons)[:50]),
    )  # fmt: skip
