"""Lists: filters, words, order, pages that lose and repeat nothing, and what they cost."""

import secrets

import pytest

from crm_platform.identity.models import ConfigVersion
from crm_platform.kernel import tenancy
from tests import factories
from tests.api.conftest import demand_problem


def names(answer):
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


def walk(program, address, each_page=lambda: None):
    found = []
    while address:
        answer = program.get(address.partition("testserver")[2] or address)
        assert answer.status_code == 200, answer.content
        found += answer.json()["results"]
        address = answer.json()["next"]
        each_page()
    return found


def test_filters_of_the_pages_and_plain_equality_find_the_same(program, manager):
    account = factories.account(manager, name="台北科技股份有限公司", city="台北")
    factories.deal(manager, name="big", amount="5000", account=account.pk)
    factories.deal(manager, name="small", amount="10")
    stage = factories.stage("Qualify")

    assert names(program.get("deals/?f=amount.gte.1000")) == ["big"]
    assert names(program.get(f"deals/?account={account.pk}")) == ["big"]
    assert names(program.get(f"deals/?f=account.is.{account.pk}&f=amount.lte.10")) == []
    assert names(program.get("deals/?account=")) == ["small"]
    assert names(program.get(f"deals/?stage={stage.pk}&sort=amount")) == ["small", "big"]
    assert names(program.get(f"deals/?owner={manager.pk}&sort=-amount&limit=1")) == ["big"]
    assert names(program.get("accounts/?city=台北")) == [account.name]
    assert names(program.get("accounts/?q=科技")) == [account.name]
    assert program.get("deals/?count=1&limit=1").json()["total"] == 2
    assert program.get("deals/?count=1&limit=1&amount=10").json()["total"] == 1


@pytest.mark.parametrize(
    "query",
    [
        "nope=1",
        "f=nope.is.1",
        "f=name.gte.1",
        "f=amount",
        "f=amount.gte.x",
        "f=amount.is.NaN",
        "amount=Infinity",
        "f=close_date.before.0001-01-01",
        "f=close_date.is.9999-12-31",
        "f=created_at.older.²",
        "sort=nope",
        "sort=stage",
        "f=created_at.after.0001-01-01",
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=²",
        "after=x",
        "after=" + "Ww" * 900,
        "name=%00",
        "%00=1",
        "owner=x",
        "cols=name",
        "format=json",
        "f=created_at.in.someday",
    ],
)
def test_address_nobody_understands_is_refused(program, query):
    demand_problem(program.get(f"deals/?{query}"), 422, "invalid")


def test_cursor_is_good_for_its_own_list_and_order_only(program, manager):
    for _number in range(3):
        factories.deal(manager)
        factories.contact(manager)
    cursor = program.get("deals/?limit=1&sort=name").json()["next"].partition("after=")[2]

    assert program.get(f"deals/?limit=1&sort=name&after={cursor}").status_code == 200
    demand_problem(program.get(f"deals/?limit=1&sort=amount&after={cursor}"), 422)
    demand_problem(program.get(f"contacts/?limit=1&sort=name&after={cursor}"), 422)
    demand_problem(program.get(f"deals/?limit=1&sort=name&after=x{cursor}"), 422)


@pytest.mark.parametrize(
    "sort",
    [
        "",
        "name",
        "-name",
        "amount",
        "-amount",
        "-updated_at",
        "close_date",
        "owner",
        "account",
        "-account",
    ],
)
def test_pages_show_every_row_once_while_rows_are_added(program, manager, sort):
    account = factories.account(manager)
    for number in range(9):
        facts = {"amount": str(number // 2)} if number % 3 else {"amount": None}
        if number % 2:
            facts["account"] = account.pk
        factories.deal(manager, name=f"d{number // 2}", **facts)
    ids = {row["id"] for row in program.get("deals/?limit=200").json()["results"]}

    found = walk(
        program, f"/api/v1/deals/?limit=2&sort={sort}", lambda: factories.deal(manager, name="d2")
    )

    seen = [row["id"] for row in found]
    assert len(seen) == len(set(seen))
    assert ids <= set(seen)


def serve_as_before():
    """As in a process that has served this company before: configuration is kept.

    Under a version of this test's own, for what is kept outlives the test's rollback.
    """
    ConfigVersion.objects.update(version=1_000_000 + secrets.randbelow(1_000_000_000))
    tenancy.unit_facts().pop("config_changed", None)


@pytest.mark.parametrize("slug", ["accounts", "contacts", "deals", "activities"])
def test_list_costs_the_same_however_many_rows(
    program, manager, slug, django_assert_max_num_queries
):
    makers = {
        "accounts": factories.account,
        "contacts": factories.contact,
        "deals": factories.deal,
        "activities": factories.activity,
    }
    account, team, tag = factories.account(manager), factories.team(), factories.tag()
    for _number in range(30):
        values = {} if slug == "accounts" else {"account": account.pk}
        makers[slug](manager, team=team.pk, tags=[tag.pk], **values)
    serve_as_before()
    program.get(f"{slug}/")

    # The savepoint's two, the key, the company's wholeness; the page; what activities are about.
    with django_assert_max_num_queries(7):
        answer = program.get(f"{slug}/?limit=200")
    assert len(answer.json()["results"]) >= 30
    with django_assert_max_num_queries(8):
        program.get(f"{slug}/?limit=2&count=1&sort=name&owner={manager.pk}")
