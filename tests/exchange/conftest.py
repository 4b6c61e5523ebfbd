"""Files made on the spot, and one call that brings them in."""

import csv
import io

import pytest
from django.core.files.base import ContentFile

from crm_core.exchange import services
from crm_core.exchange.choices import ColumnChoice, Options, columns_of, options_of
from tests.factories import NOON


def csv_bytes(*rows, delimiter=",", encoding="utf-8"):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def people(count, *, start=0):
    rows = (
        (f"Person {n}", f"Company {n % 7}", f"p{n}@example.com", f"+886 2 {n:08d}", "2020-01-05")
        for n in range(start, start + count)
    )
    return csv_bytes(("Name", "Company", "Mail", "Phone", "Created"), *rows)


def draft(kind, content, actor, *, name="file.csv"):
    return services.start_import(
        kind_name=kind, upload=ContentFile(content), file_name=name, actor=actor, at=NOON
    )


def bring_in(
    kind, content, actor, *, columns=None, name="file.csv", at=NOON, chunk=2000, **options
):
    """The whole way a file takes, without a worker; returns the job as it is afterwards."""
    job = draft(kind, content, actor, name=name)
    chosen = [ColumnChoice(to=to) for to in columns] if columns else columns_of(job.columns)
    wanted = Options(**{**options_of(job.options).as_json(), **options})
    services.choose(job=job, columns=chosen, options=wanted, actor=actor)
    services.start(job=job, actor=actor, at=at, ring=False)
    services.run(job_id=job.pk, clock=lambda: at, chunk=chunk)
    job.refresh_from_db()
    return job


def counts(job):
    return (job.created, job.updated, job.skipped, job.failed)


def issues(job):
    return [(issue.row, issue.outcome, issue.reason) for issue in job.issues.order_by("row")]


@pytest.fixture(autouse=True)
def files_of_tests(settings, tmp_path):
    """Uploads of a test go with the test."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
