"""The demo's companies: one filled from real files where they are at hand."""

import datetime as dt
from pathlib import Path
from typing import Any

from django.utils.module_loading import import_string

from billing import catalogue, paying, renewing, subscribing
from billing.proration import MONTH
from crm_core.sales import pipeline_services
from crm_core.sales.models import Deal, Stage
from crm_core.web import samples
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy

SALES_FILES = ("accounts.csv", "products.csv", "sales_teams.csv", "sales_pipeline.csv")


def sales_folder() -> Path | None:
    """The folder with the four sales files beside the project, if it is there."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "sales_opportunities"
    return folder if all((folder / name).is_file() for name in SALES_FILES) else None


def fill_with_samples(scope: tenancy.Scope, *, owner_id: int, at: dt.datetime) -> int:
    """Put the labelled sample records into a company; returns how many (0: they are there)."""
    from crm_core.records.models import Account

    with tenancy.unit_of_work(scope):
        if Account.objects.exists():
            return 0
        return samples.load_samples(actor=User.objects.get(pk=owner_id), at=at)


def fill_from_files(scope: tenancy.Scope, folder: Path, *, owner_id: int, at: dt.datetime) -> Any:
    """Import the four sales files into a company; returns their totals."""
    importer = import_string("crm_core.exchange.services.import_sample_sales")
    with tenancy.unit_of_work(scope):
        actor = User.objects.select_related("role").get(pk=owner_id)
    with tenancy.choose(scope):
        totals = importer(folder=folder, actor=actor, at=at)
    with tenancy.unit_of_work(scope):
        _keep_the_files_stages(actor, at)
    return totals


def _keep_the_files_stages(actor: User, at: dt.datetime) -> None:
    """Leave only the open stages that the files know; the template's own stay empty otherwise."""
    used = set(Deal.objects.values_list("stage_id", flat=True))
    stages = list(Stage.objects.filter(kind=Stage.Kind.OPEN))
    kept = next((stage for stage in stages if stage.pk in used), None)
    for stage in stages:
        if kept is not None and stage.pk not in used:
            pipeline_services.remove_stage(stage=stage, to=kept.pk, actor=actor, at=at)


def rent(scope: tenancy.Scope, *, legal_name: str, at: dt.datetime) -> None:
    """Have the company rent since five weeks ago: one bill paid, the next one open."""
    began = at - dt.timedelta(days=35)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        price = next(
            each for each in catalogue.prices_to_be_had("default")
            if (each.currency, each.interval) == (scope.currency, MONTH)
        )  # fmt: skip
    made = subscribing.start(
        company_id=scope.id, price_id=price.pk, seats=5, by="demo", at=began,
        buyer=subscribing.Buyer(legal_name=legal_name, country="TW"),
    )  # fmt: skip
    paying.record_transfer(
        account_id=made.account_id, amount=5 * price.unit_amount, received_on=began.date(),
        reference="Demo transfer", by="demo", at=began,
    )  # fmt: skip
    renewing.renew(subscription_id=made.pk, at=at)
