"""A company on trial, and what it may rent."""

import pytest

from billing import catalogue, subscribing
from billing.catalogue import PriceFacts
from billing.models import (
    Account,
    BillingEntry,
    Command,
    Invoice,
    InvoiceLine,
    Payment,
    PendingChange,
    PlanVersion,
    Price,
    ProviderEvent,
    Subscription,
)
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tenants import limits, queries
from tenants.models import Company
from tests import factories
from tests.conftest import NOON, make_company, unique

BUYER = subscribing.Buyer(legal_name="Firma GmbH", country="DE", tax_id_kind="eu_vat",
                          tax_id="DE123456789")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def nobody_rents_yet(database):
    """The companies of earlier files have left: a clock that comes upon them takes its time."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Subscription.objects.filter(ended_at=None).update(ended_at=NOON)
        Company.objects.exclude(state_until=None).update(state="active", state_until=None)


@pytest.fixture
def trial(database):
    """A company on trial with one owner; its scope."""
    return make_trial()


def make_trial():
    scope = make_company(f"bill-{unique()}")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=scope.id).update(state=Company.State.TRIAL, state_until=NOON)
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


def empty_books(ids) -> None:
    """Companies that never rented, and nothing told by any provider."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ProviderEvent.objects.all().delete()
        mine = {"account__company_id__in": ids}
        InvoiceLine.objects.filter(invoice__account__company_id__in=ids).delete()
        for model in (Payment, BillingEntry, Command, Invoice):
            model.objects.filter(**mine).delete()
        PendingChange.objects.filter(subscription__account__company_id__in=ids).delete()
        Subscription.objects.filter(**mine).delete()
        Account.objects.filter(company_id__in=ids).delete()


def state_of(scope) -> str:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Company.objects.get(pk=scope.id).state


def owner_of(scope) -> User:
    with tenancy.unit_of_work(scope):
        return User.objects.select_related("role").get(role__key="owner")


def make_plan(*, amount=5000, currency="USD", limits=None, **facts) -> PlanVersion:
    """A plan of its own that is offered to nobody by itself: one price a month, one a year."""
    plan = catalogue.add_plan(key=f"plan-{unique()}", names={"en": "Own"}, is_public=False)
    return next_version(plan.pk, amount=amount, currency=currency, limits=limits, **facts)


def next_version(plan_id, *, amount=5000, currency="USD", limits=None, at=NOON, **facts):
    """The plan's next version, published."""
    version = catalogue.draft(plan_id=plan_id)
    prices = [
        PriceFacts(currency=currency, interval="month", unit_amount=amount, **facts),
        PriceFacts(currency=currency, interval="year", unit_amount=amount * 10, **facts),
    ]
    catalogue.change_draft(version_id=version.pk, prices=prices, limits=limits or {})
    return catalogue.publish(version_id=version.pk, at=at)


def price_in(version, interval="month") -> Price:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Price.objects.select_related("version__plan").get(version=version, interval=interval)


def rent_in(scope, version, *, seats=5, at=NOON, interval="month", **more):
    """Begin to rent this version."""
    return subscribing.start(
        company_id=scope.id, price_id=price_in(version, interval).pk, seats=seats, buyer=BUYER,
        by="Ann", at=at, **more,
    )  # fmt: skip


def now_of(scope) -> tenancy.Scope:
    """The company as a new request or task sees it."""
    found = queries.working_scope(scope.id)
    assert found is not None
    return found


@pytest.fixture
def small(trial):
    """A company whose plan holds three contacts, two pipelines, one field, one MB."""
    version = make_plan(
        limits={"contacts": 3, "pipelines": 2, "custom_fields": 1, "storage_mb": 1, "imports": 4}
    )
    rent_in(trial, version)
    return now_of(trial)


def allow(scope, kind, value, *, at=NOON, expires_at=None):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        limits.set_limit(
            company_id=scope.id, kind=kind, value=value, reason="Asked", by="Petra", at=at,
            expires_at=expires_at,
        )  # fmt: skip
    return now_of(scope)


def add_account(scope, name="One more"):
    owner = owner_of(scope)
    with tenancy.unit_of_work(scope):
        return factories.account(owner, name=name)
