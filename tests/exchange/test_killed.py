"""A worker dies by kill -9 in the middle: another goes on, nothing is missing, nothing twice."""

import datetime as dt
import os
import random
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db.models import Count
from django.utils import timezone

from crm_core.audit.models import Entry
from crm_core.exchange import services
from crm_core.exchange.models import ImportJob
from crm_core.exchange.running import LEASE
from crm_core.records.models import Account, Contact
from crm_core.search.models import Document
from crm_platform.kernel import tenancy
from tests import conftest, factories
from tests.exchange.conftest import csv_bytes
from tests.factories import NOON
from tests.locks import TO_BE_KILLED, wait_until_gone

ROWS, CHUNK = 3000, 100
WORKER = """
import sys, uuid
import django
from django.conf import settings
django.setup()
settings.MEDIA_ROOT = sys.argv[3]
from django.utils import timezone
from crm_core.exchange import services
from crm_platform.kernel import tenancy
from tenants import queries

def clock():
    print("chunk", flush=True)
    return timezone.now()

with tenancy.choose(queries.working_scope(uuid.UUID(sys.argv[1]))):
    services.run(job_id=int(sys.argv[2]), clock=clock, chunk=int(sys.argv[4]))
"""


@pytest.fixture(scope="module")
def company(database):
    from tenants.models import Domain

    made = conftest.make_company("killed")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Domain.objects.filter(company_id=made.id).update(is_primary=True)
    return made


def ready_job(company, prefix):
    rows = (
        (f"Person {n}", f"Company {prefix} {n % 50}", f"{prefix}{n}@example.com")
        for n in range(ROWS)
    )
    with tenancy.unit_of_work(company):
        actor = factories.user(role="owner")
        job = services.start_import(
            kind_name="contact", upload=ContentFile(csv_bytes(("Name", "Company", "Mail"), *rows)),
            file_name="people.csv", actor=actor, at=NOON,
        )  # fmt: skip
        services.start(job=job, actor=actor, at=NOON, ring=False)
    return job


def worker(company, job):
    places = f"{settings.BASE_DIR}:{settings.BASE_DIR / 'platform'}"
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(company.id), str(job.pk), str(settings.MEDIA_ROOT),
         str(CHUNK)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "crm_platform.settings_test",
             "PYTHONPATH": places, "RAPPORT_TEST_DATABASE": conftest.TEST_DATABASE,
             **TO_BE_KILLED},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("run", range(3))
def test_an_import_killed_in_the_middle_goes_on_exactly_where_it_was(company, run):
    job = ready_job(company, f"r{run}-")
    process = worker(company, job)
    for _ in range(random.Random().randint(4, ROWS // CHUNK)):  # noqa: S311
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until_gone()

    with tenancy.unit_of_work(company):
        job = ImportJob.objects.get(pk=job.pk)
        mine = Contact.objects.filter(batch=job.batch)
        assert job.state == "running"
        assert job.created == mine.count() < ROWS
        assert services.sweep(at=timezone.now() + LEASE) == 1
    with tenancy.choose(company):
        assert services.run(job_id=job.pk, clock=timezone.now).wait_seconds > 0
        late = timezone.now() + LEASE + dt.timedelta(seconds=1)
        services.run(job_id=job.pk, clock=lambda: late, chunk=CHUNK)

    with tenancy.unit_of_work(company):
        job = ImportJob.objects.get(pk=job.pk)
        mine = Contact.objects.filter(batch=job.batch)
        assert (job.state, job.created, job.seen, job.total) == ("done", ROWS, ROWS, ROWS)
        assert mine.count() == mine.aggregate(n=Count("email", distinct=True))["n"] == ROWS
        assert Account.objects.filter(batch=job.batch).count() == 50
        assert Entry.objects.filter(batch=job.batch, verb="contact.imported").count() == ROWS
        ids = mine.values("pk")
        assert Document.objects.filter(record_type="contact", record_id__in=ids).count() == ROWS
