"""Committed companies with an owner, moved and removed by each test."""

from dataclasses import dataclass

import pytest
from django.test import Client
from django.utils import timezone

from crm_platform.identity.models import OutgoingMail, User
from crm_platform.identity.services import tokens
from crm_platform.kernel import tenancy
from tenants import queries
from tenants.lifecycle import changes, letters
from tenants.models import Company, CompanyEvent
from tests import factories
from tests.conftest import NOON, make_company, unique
from tests.isolation.companies import remove_twin
from tests.lifecycle.nameserver import serving


@dataclass
class House:
    """A committed company, with its owner and a colleague."""

    scope: tenancy.Scope
    owner: User
    member: User

    @property
    def row(self) -> Company:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            return Company.objects.get(pk=self.scope.id)

    @property
    def now(self) -> tenancy.Scope:
        """Its scope as a worker or a request would get it now."""
        with tenancy.unit_of_work(tenancy.PLATFORM):
            return queries.scope_of(Company.objects.get(pk=self.scope.id), self.scope.host)

    def put(self, state, *, since=NOON, until=None) -> None:
        """Set the state as if it had come about `since`."""
        with tenancy.unit_of_work(tenancy.PLATFORM):
            changes.enter(changes.lock(self.scope.id), state, at=since, until=until)
        queries.forget_hosts()

    def client(self, person=None, **headers) -> Client:
        client = Client(headers={"host": self.scope.host, **headers}, raise_request_exception=False)
        if person is not None:
            name, value = factories.session_cookie(self.scope, person)
            client.cookies[name] = value
        return client

    def key(self, scope="write") -> str:
        with tenancy.unit_of_work(self.scope):
            _token, key = tokens.make_token(
                user=self.owner, name="key", scope=scope, days=30, at=timezone.now()
            )
            return key

    def events(self, verb="") -> list[CompanyEvent]:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            found = [e for e in changes.history(self.scope.id) if e.verb.startswith(verb)]
            return found[::-1]

    def letters(self, *, at) -> list[str]:
        """Write what waits, then the subjects of everything written to the owner, in order."""
        letters.tell_waiting(at=at)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            mails = OutgoingMail.objects.filter(to=self.owner.email).order_by("pk")
            return list(mails.values_list("subject", flat=True))


@pytest.fixture
def house(database):
    """An active company of its own, taken away afterwards."""
    scope = make_company(f"life-{unique()}", name=f"House {unique()}")
    with tenancy.unit_of_work(scope):
        made = House(scope, factories.user(role="owner"), factories.user(role="member"))
    queries.forget_hosts()
    yield made
    remove_twin(scope)


@pytest.fixture
def names(settings):
    """The name server that is asked for proofs."""
    with serving() as server:
        settings.DNS_SERVER = ("127.0.0.1", server.server_address[1])
        yield server


@pytest.fixture
def neighbour(database):
    """Another company, for what must not be shared."""
    scope = make_company(f"next-{unique()}", name=f"Neighbour {unique()}")
    with tenancy.unit_of_work(scope):
        made = House(scope, factories.user(role="owner"), factories.user(role="member"))
    queries.forget_hosts()
    yield made
    remove_twin(scope)
