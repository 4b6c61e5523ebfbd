"""Two small committed companies, each with one tag that says whose it is."""

import pytest

from crm_core.fields.models import Tag
from crm_platform.kernel import snapshot, tenancy
from tenants import queries
from tests.isolation.companies import open_company, remove_twin


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


@pytest.fixture
def say(capsys):
    """Print one line with a test's figures, whatever pytest captures."""

    def printed(text):
        with capsys.disabled():
            print(f"\n{text}")  # noqa: T201

    return printed
