"""A restored company that takes another's place rents what that one rented, and back again."""

import pytest

from billing.models import Account
from billing.seats.models import SeatPool
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict
from tenants import limits, queries
from tenants.backups import restoring
from tenants.models import Company, CompanyLimit
from tests.backups.figures import clock
from tests.billing.conftest import empty_books, rent
from tests.conftest import NOON, unique


@pytest.fixture
def pair(backed_up):
    """A company that rents seven seats, and its restored copy."""
    scope, backup = backed_up
    rent(scope, seats=7)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        limits.set_limit(
            company_id=scope.id, kind="imports", value=9, reason="Asked", by="Petra", at=NOON
        )
    run = restoring.restore(backup_id=backup.pk, slug=f"copy-{unique()}", clock=clock)
    yield scope.id, run
    empty_books([scope.id, run.restored_id])


def who_rents():
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return set(Account.objects.values_list("company_id", flat=True))


def facts(company_id):
    """Limits of its own, its state, and when the clock moves it on."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.get(pk=company_id)
        own = dict(CompanyLimit.objects.filter(company=company).values_list("kind", "value"))
    return own, company.state, company.state_until


def seats_of(company_id):
    with tenancy.unit_of_work(queries.working_scope(company_id)):
        return SeatPool.objects.get().purchased


def test_swap_takes_rent_seats_and_limits_along_and_back(pair):
    company_id, run = pair
    place = facts(company_id)

    restoring.swap(run_id=run.pk, at=NOON)

    assert who_rents() & {company_id, run.restored_id} == {run.restored_id}
    assert facts(run.restored_id) == place
    assert facts(company_id) == ({}, "suspended", None)
    assert seats_of(run.restored_id) == 7

    restoring.swap_back(run_id=run.pk, at=NOON)

    assert who_rents() & {company_id, run.restored_id} == {company_id}
    assert facts(company_id) == place


def test_restored_company_that_rents_itself_takes_no_place(pair):
    company_id, run = pair
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Account.objects.create(
            company_id=run.restored_id, currency="USD", legal_name="Two", created_at=NOON
        )
    before = facts(company_id)

    with pytest.raises(Conflict, match="account of their own"):
        restoring.swap(run_id=run.pk, at=NOON)

    assert facts(company_id) == before
    assert {company_id, run.restored_id} <= who_rents()
