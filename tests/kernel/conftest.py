"""Two small committed companies, each with one tag that says whose it is."""

import dataclasses

import pytest
from django.db import connection

from crm_core.fields.models import Tag
from crm_platform.kernel import snapshot, tenancy
from tenants import provisioning, queries
from tenants.models import Company
from tests.isolation.companies import open_company, remove_twin
from tests.kernel import connections as checks
from tests.kernel import pooler


def _company(slug, first_id):
    scope = open_company(slug, first_id=first_id)
    with tenancy.unit_of_work(scope):
        Tag.objects.create(name=slug)
        snapshot.bump()
    return scope


@pytest.fixture(scope="package")
def pair(database):
    """The scopes of `wallone` and `walltwo`."""
    made = (_company("wallone", 11_000_001), _company("walltwo", 12_000_001))
    yield made
    for scope in made:
        remove_twin(scope)


@pytest.fixture(autouse=True)
def hosts_stay_known(monkeypatch):
    monkeypatch.setattr(queries, "HOST_CACHE_SECONDS", 3600)
    queries.forget_hosts()


@pytest.fixture(scope="package")
def stopped(database):
    """A suspended, a deleted, a half-built and a failed company."""
    scopes = []
    for number, state in enumerate(("suspended", "deleted", "building", "failed")):
        scope = open_company(f"wallstop{number}", first_id=14_000_001 + number)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            Company.objects.filter(pk=scope.id).update(state=state)
        scopes.append(dataclasses.replace(scope, state=state))
    queries.forget_hosts()
    yield scopes
    for scope in scopes:
        remove_twin(scope)


@pytest.fixture(scope="package")
def lacking(database):
    """An active company without its table of tags."""
    scope = open_company("walllacking", first_id=15_000_001)
    provisioning.owner_connection().connection.execute(f'DROP TABLE "{scope.schema}".fields_tag')
    yield scope
    remove_twin(scope)


@pytest.fixture(scope="package")
def pgbouncer(database):
    """The port of a PgBouncer in transaction mode."""
    if pooler.program() is None:
        pytest.skip("PgBouncer is not installed (apt-get install pgbouncer): no pooler was tried")
    with pooler.running(database, connection.settings_dict["HOST"]) as port:
        yield port


@pytest.fixture(params=["direct", "pool", "pgbouncer"])
def way(request, database):
    """The three ways to the database: a connection a thread, psycopg's pool, PgBouncer."""
    if request.param == "direct":
        yield "direct"
    elif request.param == "pool":
        with checks.pooled(size=4):
            yield "pool"
    else:
        with checks.through(request.getfixturevalue("pgbouncer")):
            yield "pgbouncer"
