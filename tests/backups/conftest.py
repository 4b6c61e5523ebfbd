"""A company with rows and files of every kind, and the folders of its archives."""

import pytest
from django.core.files.base import ContentFile

from crm_platform.kernel import tenancy
from tenants import provisioning, queries
from tenants.backups import services
from tenants.backups.models import Backup, RestoreRun
from tenants.models import Company, Domain
from tests import conftest, factories
from tests.backups import bucket
from tests.backups.figures import clock


@pytest.fixture
def places(tmp_path, settings):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.BACKUP_DIR = str(tmp_path / "backups")
    return tmp_path


@pytest.fixture(scope="session")
def s3_address():
    """The address of an S3 server with one bucket."""
    with bucket.server() as address:
        bucket.make_bucket(address)
        yield address


@pytest.fixture
def credentials(monkeypatch):
    for name, value in bucket.CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def in_bucket(request, settings, credentials):
    """Archives go to a bucket, below a prefix of this test's own."""
    settings.BACKUP_STORE = "tenants.backups.s3.Bucket"
    address = request.getfixturevalue("s3_address")
    settings.BACKUP_STORE_URL = bucket.url(address, prefix=conftest.unique())


@pytest.fixture(params=["directory", "bucket"])
def any_store(request, places):
    """The test runs with each kind of store."""
    if request.param == "bucket":
        request.getfixturevalue("in_bucket")
    return request.param


@pytest.fixture
def kept_company(database, places):
    """A company of its own with records, people, an import with files; removed afterwards."""
    made = []

    def make(slug=""):
        scope = conftest.make_company(slug or f"kept-{conftest.unique()}")
        made.append(scope.id)
        fill(scope)
        return scope

    yield make
    forget(made)


def fill(scope):
    from crm_core.exchange import services as exchange

    with tenancy.unit_of_work(scope):
        owner = factories.user(role="owner", email=f"owner@{scope.slug}.example")
        team = factories.team("Küche\\t\n\t台北")
        factories.user(team=team)
        account = factories.account(owner, name='台北科技 \\ "quoted"\ttab')
        for number in range(20):
            factories.contact(owner, name=f"Person {number}\nline", account=account.pk)
        factories.deal(owner, account=account.pk)
        factories.activity(owner, about=("account", account.pk), body="\\N \\. end")
        factories.tag()
        upload = ContentFile(b"name\nAnn\n", name="a.csv")
        exchange.start_import(
            kind_name="account", upload=upload, file_name="a.csv", actor=owner, at=factories.NOON
        )
    factories.session_cookie(scope, owner)


def forget(ids):
    """Remove companies made by a test, those restored from them too."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        runs = RestoreRun.objects.filter(company_id__in=ids)
        every = {*ids, *runs.exclude(restored=None).values_list("restored_id", flat=True)}
        schemas = list(Company.objects.filter(pk__in=every).values_list("schema_name", flat=True))
        schemas += list(runs.values_list("schema_name", flat=True))
        runs.delete()
        Backup.objects.filter(company_id__in=every).delete()
        Domain.objects.filter(company_id__in=every).delete()
        Company.objects.filter(pk__in=every).delete()
    queries.forget_hosts()
    for schema in schemas:
        provisioning.remove_schema(schema)


@pytest.fixture
def backed_up(kept_company):
    """A company and its finished backup."""
    scope = kept_company()
    return scope, services.back_up(company_id=scope.id, clock=clock)
