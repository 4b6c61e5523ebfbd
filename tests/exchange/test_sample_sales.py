"""The real sales files, with all their defects: every row is accounted for."""

import csv
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db.models import Count, Sum

from crm_core.exchange import samples
from crm_core.records.models import Account
from crm_core.sales.models import Deal, StageStay
from crm_platform.identity.models import User
from tests import factories
from tests.conftest import undone_unit
from tests.factories import NOON

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "sales_opportunities"


@pytest.fixture(scope="module")
def owner(acme, globex):
    """All of these tests look at one import; it is undone after the last."""
    with contextmanager(undone_unit)(acme):
        yield factories.user(role="owner")


@pytest.fixture(scope="module")
def totals(folder, owner):
    made = samples.import_sample_sales(folder=folder, actor=owner, at=NOON)
    return {each.file: each for each in made}


@pytest.fixture(scope="module")
def lines(folder):
    with (folder / "sales_pipeline.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_import_sample_sales_accounts_for_every_row_of_the_four_files(totals):
    figures = {
        name: (t.total, t.created, t.updated, t.skipped, t.failed) for name, t in totals.items()
    }

    assert figures == {
        "sales_teams.csv": (35, 35, 0, 0, 0),
        "accounts.csv": (85, 85, 0, 0, 0),
        "products.csv": (7, 0, 0, 7, 0),
        "sales_pipeline.csv": (8800, 8800, 0, 0, 0),
    }
    assert all(each.is_whole for each in totals.values())


def test_import_sample_sales_keeps_stage_owner_value_and_dates_of_each_deal(totals, lines):
    by_id = {
        deal.source_id: deal for deal in Deal.objects.select_related("stage", "owner", "account")
    }

    for line in lines:
        deal = by_id[line["opportunity_id"]]
        assert deal.stage.name == line["deal_stage"]
        assert deal.owner.name == line["sales_agent"]
        assert deal.amount == (Decimal(line["close_value"]) if line["close_value"] else None)
        assert str(deal.opened_date or "") == line["engage_date"]
        assert str(deal.close_date or "") == line["close_date"]
        assert (deal.account.name if deal.account else "") == line["account"]
        if line["deal_stage"] in ("Won", "Lost"):
            assert str(deal.closed_at.date()) == line["close_date"]


def test_sums_of_the_open_stages_are_those_of_the_file(totals, lines):
    by_hand = Counter(line["deal_stage"] for line in lines)
    worth = Counter()
    for line in lines:
        worth[line["deal_stage"]] += Decimal(line["close_value"] or 0)

    rows = (
        Deal.objects.order_by().values("stage__name").annotate(n=Count("pk"), worth=Sum("amount"))
    )

    assert {row["stage__name"]: (row["n"], row["worth"] or 0) for row in rows} == {
        stage: (by_hand[stage], worth[stage]) for stage in by_hand
    }


def test_products_written_otherwise_are_read_as_the_catalogue_spells_them_and_noted(totals, lines):
    odd = sum(line["product"] == "GTXPro" for line in lines)

    assert odd == 1480
    assert totals["sales_pipeline.csv"].notes == odd
    assert not Deal.objects.filter(product="GTXPro").exists()
    assert Deal.objects.filter(product="GTX Pro").count() == odd


def test_deals_without_an_account_are_named_and_kept(totals, lines):
    without = sum(not line["account"] for line in lines)

    assert Deal.objects.filter(account=None).count() == without
    assert Deal.objects.filter(name__endswith="– unnamed prospect").count() == without


def test_lost_deals_get_a_reason_and_open_ones_have_none(totals):
    assert not Deal.objects.filter(stage__kind="lost", lost_reason=None).exists()
    assert not Deal.objects.exclude(stage__kind="lost").filter(lost_reason__isnull=False).exists()
    assert Deal.objects.filter(lost_reason__name="Not recorded").exists()


def test_every_deal_has_one_stay_since_its_own_moment(totals):
    assert StageStay.objects.count() == Deal.objects.count()


def test_people_come_without_a_sign_in_and_in_their_teams(totals):
    agent = User.objects.select_related("team", "role").get(name="Anna Snelling")

    assert (agent.is_active, agent.team.name, agent.role.key) == (False, "Central", "member")
    assert agent.email == "anna-snelling@example.invalid"
    assert User.objects.get(name="Dustin Brinkmann").role.key == "manager"


def test_misspelt_words_of_accounts_are_kept_and_parents_are_linked(totals):
    assert Account.objects.filter(industry="technolgy").count() == 12
    assert Account.objects.get(name="Betatech").country == "Kenya"
    assert Account.objects.exclude(parent=None).count() == 15


def test_import_sample_sales_twice_changes_nothing(totals, folder, owner):
    again = samples.import_sample_sales(folder=folder, actor=owner, at=NOON)

    assert [(t.created, t.updated, t.failed) for t in again] == [(0, 0, 0)] * 4
    assert Deal.objects.count() == 8800
