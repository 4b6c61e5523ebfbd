"""A fleet of companies at a first release, and the code of a release to come."""

import functools

import pytest
from django.conf import settings as project

from crm_platform.identity.models import Session
from crm_platform.kernel import tenancy
from tenants import provisioning, queries, wholeness
from tenants.models import Company, Domain
from tenants.upgrades import applying, building
from tenants.upgrades.models import Release, Setting, Spare
from tests.conftest import NOON, unique
from tests.console.conftest import client_of, make_person

READ_OF_MIGRATIONS = (
    (provisioning, "company_statements"), (provisioning, "company_migrations"),
    (provisioning, "company_script"), (provisioning, "indispensable_migrations"),
    (applying, "_graph"), (applying, "_state_before"),
)  # fmt: skip


class ForEachCode:
    """A cached function of ours whose answers are kept for each set of migrations by itself.

    A process of ours runs one code for its life. These tests change theirs, to and fro, and
    reading all migrations takes most of a second.
    """

    def __init__(self, cached):
        self.reads = cached.__wrapped__
        self.caches = {}

    def __call__(self, *given):
        code = tuple(sorted(project.MIGRATION_MODULES.items()))
        if code not in self.caches:
            self.caches[code] = functools.cache(self.reads)
        return self.caches[code](*given)


KEPT = [(module, name, ForEachCode(getattr(module, name))) for module, name in READ_OF_MIGRATIONS]


@pytest.fixture(autouse=True)
def _each_code(monkeypatch):
    for module, name, kept in KEPT:
        monkeypatch.setattr(module, name, kept)


def forget():
    wholeness._whole.clear()
    wholeness._lacking.clear()
    queries.forget_hosts()


@pytest.fixture
def ledger(database):
    """No releases before, none afterwards; companies of other tests stand aside."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        others = list(Company.objects.values_list("pk", "state"))
        Company.objects.update(state=Company.State.REQUESTED)
    yield
    with tenancy.unit_of_work(tenancy.PLATFORM):
        spares = list(Spare.objects.values_list("schema_name", flat=True))
        mine = list(
            Company.objects.exclude(pk__in=[pk for pk, _s in others])
            .values_list("schema_name", flat=True)
        )  # fmt: skip
        for model in (Spare, Setting):
            model.objects.all().delete()
        for release in Release.objects.order_by("-pk"):
            release.delete()
        Company.objects.filter(schema_name__in=mine).delete()
        for pk, state in others:
            Company.objects.filter(pk=pk).update(state=state, release="")
    for schema in [*spares, *mine]:
        provisioning.remove_schema(schema)
    forget()


@pytest.fixture
def first(ledger):
    """The release of the code as it is."""
    return building.build_release(version="r1", at=NOON)


@pytest.fixture
def future(settings, first):
    """From here on the running code has two migrations more."""
    settings.MIGRATION_MODULES = {"records": "tests.upgrades.future"}
    forget()
    yield
    settings.MIGRATION_MODULES = {}
    forget()


@pytest.fixture
def fleet(first):
    """`fleet(n, **facts)` → n active companies at the first release."""

    def make(count, **facts):
        return [company_at(first, **facts) for _number in range(count)]

    return make


def company_at(release, **facts):
    schema, slug = provisioning.new_schema_name(), f"fleet-{unique()}"
    provisioning.build_schema(schema, script=release.script)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.create(
            name=slug, slug=slug, schema_name=schema, state=Company.State.ACTIVE, created_at=NOON,
            release=release.version, **facts,
        )  # fmt: skip
        Domain.objects.create(company=company, host=f"{slug}.testserver")
    return company


def again(row):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return type(row).objects.get(pk=row.pk)


@pytest.fixture
def operator(ledger):
    """A platform operator's browser; what it made is removed, for the board commits."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        person = make_person()
        client = client_of(person)
    yield client
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Session.objects.filter(user=person).delete()
        type(person).objects.filter(pk=person.pk).update(is_active=False)
