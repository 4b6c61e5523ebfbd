"""What is used of a plan: warned of at 80 and 100 %, shown to owners, nothing blocked by it."""

import pytest

from crm_core.web import banner, usage
from crm_platform.kernel import tenancy
from crm_platform.kernel.limits import (
    level_of,
)
from tenants import limits, queries
from tests import factories
from tests.billing.conftest import (
    add_account,
    allow,
    now_of,
    owner_of,
)
from tests.conftest import NOON


@pytest.mark.parametrize(
    ("used", "most", "level"),
    [(0, None, 0), (79, 100, 0), (80, 100, 80), (99, 100, 80), (100, 100, 100), (130, 100, 100),
     (0, 0, 0), (1, 0, 100), (4, 5, 80)],
)  # fmt: skip
def test_levels(used, most, level):
    assert level_of(used, most) == level


def test_storage_only_warns_and_owners_read_it_above_each_page(small):
    owner = owner_of(small)
    with tenancy.unit_of_work(small):
        used = usage.counted()
        member = factories.user(role="member")
    assert used["storage_mb"] > 1
    found = usage.levels(used, small)
    assert found["storage_mb"] == 100
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert limits.keep_levels(company_id=small.id, levels=found)
        assert not limits.keep_levels(company_id=small.id, levels=found)
    scope = now_of(small)
    add_account(scope)
    with tenancy.unit_of_work(scope):
        said = [line["text"] for line in banner.all_of(scope, owner, at=NOON)]
        assert any("Your plan is full: storage in MB" in text for text in said)
        assert not any("plan" in line["text"] for line in banner.all_of(scope, member, at=NOON))
    free = allow(small, "storage_mb", 100_000)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        limits.keep_levels(company_id=small.id, levels=usage.levels(used, free))
    now = now_of(small)
    with tenancy.unit_of_work(now):
        assert banner.all_of(now, owner, at=NOON) == []


def test_billing_page_shows_use_limit_and_a_word(small, client_for):
    for number in range(3):
        add_account(small, f"Firm {number}")
    queries.forget_hosts()
    page = client_for(small, owner_of(small)).get("/settings/billing/").content.decode()
    assert "3 of 3" in page
    assert "Contacts and companies" in page
    assert "Full" in page
