"""The demo's companies: one filled from real files where they are at hand."""

import datetime as dt
from pathlib import Path
from typing import Any

from django.utils.module_loading import import_string

from crm_core.web import samples
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy

SALES_FILES = ("accounts.csv", "products.csv", "sales_teams.csv", "sales_pipeline.csv")


def sales_folder() -> Path | None:
    """The folder with the four sales files beside the project, if it is there."""
    return None  # TEMP
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
    with tenancy.choose(scope):
        return importer(folder=folder, owner_id=owner_id, at=at)
