"""Late deals on the board: where the feature is on, what is late, never what is hidden."""

import dataclasses
import datetime as dt

import pytest

from crm_core.fields import catalogue
from crm_core.fields.lists import ListQuery
from crm_core.registry import record_type
from crm_core.sales import boards, queries
from crm_core.sales.features import LATE_ON_BOARD
from crm_platform.kernel import snapshot, tenancy
from crm_platform.kernel.features import optional_on
from tests import factories

DAY = dt.timedelta(days=1)
TODAY = LATE_ON_BOARD.opens + 5 * DAY
NOW = dt.datetime.combine(TODAY, dt.time(4), dt.UTC)


@pytest.fixture
def deals(owner):
    for name, day in (("Late", TODAY - 3 * DAY), ("Yesterday", TODAY - DAY), ("Today", TODAY),
                      ("Soon", TODAY + DAY), ("Open", None)):  # fmt: skip
        factories.deal(owner, name=name, close_date=day)


def cards(user, *, at=NOW, **choice):
    """The HTML of the board's cards for a company that has made this choice."""
    scope = dataclasses.replace(tenancy.current(), features=tuple(choice.items()))
    pipeline = queries.get_pipeline()
    rows = queries.cards(
        boards.deals_on_board(user, ListQuery(kind=record_type("deal")), today=TODAY),
        [stage.id for stage in pipeline.open_stages], size=40,
    )  # fmt: skip
    with tenancy.unit_of_work(scope):
        return str(boards.CardPainter(user, pipeline, at).cards(rows))


def test_it_is_offered_on_its_days(in_acme):
    assert LATE_ON_BOARD in optional_on(LATE_ON_BOARD.opens)
    assert LATE_ON_BOARD not in optional_on(LATE_ON_BOARD.becomes_default)


def test_late_cards_say_by_how_many_days(owner, deals):
    shown = cards(owner, late_on_board=True)

    assert shown.count("card-late") == 2
    assert "Should have closed 3 days ago" in shown
    assert "Should have closed 1 day ago" in shown


def test_without_the_feature_nothing_changes(owner, deals):
    assert "card-late" not in cards(owner)
    assert "card-late" not in cards(owner, late_on_board=False)


def test_everybody_has_it_from_its_day_on(owner, deals):
    later = dt.datetime.combine(LATE_ON_BOARD.becomes_default, dt.time(4), dt.UTC)

    assert cards(owner, at=later, late_on_board=False).count("card-late") == 4


def test_hidden_closing_date_is_not_told(in_acme, deals):
    user = factories.user(role="member")
    user.role.field_limits = {"deal": {"close_date": "hidden"}}
    user.role.save()
    snapshot.bump()

    assert catalogue.hides(user, "deal", "close_date")
    assert "card-late" not in cards(user, late_on_board=True)
