"""A company on trial, and what it may rent."""

import pytest

from billing import subscribing
from billing.models import Price
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tenants.models import Company
from tests.conftest import NOON, make_company, unique

BUYER = subscribing.Buyer(legal_name="Firma GmbH", country="DE", tax_id_kind="eu_vat",
                          tax_id="DE123456789")  # fmt: skip


@pytest.fixture
def trial(database):
    """A company on trial with one owner; its scope."""
    return make_trial()


def make_trial():
    scope = make_company(f"bill-{unique()}")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=scope.id).update(state=Company.State.TRIAL, state_until=NOON)
    from tests import factories

    with tenancy.unit_of_work(scope):
        factories.user(role="owner", name="Ann Owner")
    return scope


def price(currency="USD", interval="month") -> int:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Price.objects.get(
            version__plan__key="standard", version__state="published", currency=currency,
            interval=interval,
        ).pk  # fmt: skip


def rent(scope, *, seats=5, at=NOON, **which):
    """Begin to rent as a German firm."""
    return subscribing.start(
        company_id=scope.id, price_id=price(**which), seats=seats, buyer=BUYER, by="Ann", at=at
    )


def state_of(scope) -> str:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Company.objects.get(pk=scope.id).state


def owner_of(scope) -> User:
    with tenancy.unit_of_work(scope):
        return User.objects.select_related("role").get(role__key="owner")
