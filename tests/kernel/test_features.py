"""Features that are optional for a while: when they are on, for whom, what asking costs."""

import dataclasses
import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_platform.kernel import features, tenancy
from crm_platform.kernel.errors import NoCompany, NotFound

DAY = dt.timedelta(days=1)
OPENS, DEFAULT = dt.date(2026, 3, 1), dt.date(2026, 6, 1)
TRIED = features.Feature(
    key="tried", title="Tried", description="Tried out.", opens=OPENS, becomes_default=DEFAULT
)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(features, "_registered", {})
    features.register(TRIED)


def noon(day):
    return dt.datetime.combine(day, dt.time(4), dt.UTC)


def company(**choice):
    scope = tenancy.Scope(
        id=tenancy.uuid.uuid4(), schema="t_x", role="t_x", time_zone="Asia/Taipei",
        features=tuple(choice.items()),
    )  # fmt: skip
    return tenancy.choose(scope)


@pytest.mark.parametrize(
    ("day", "choice", "expected"),
    [
        (OPENS - DAY, {}, False), (OPENS - DAY, {"tried": True}, False),
        (OPENS, {}, False), (OPENS, {"tried": True}, True), (OPENS, {"tried": False}, False),
        (DEFAULT - DAY, {}, False), (DEFAULT - DAY, {"tried": True}, True),
        (DEFAULT, {}, True), (DEFAULT, {"tried": False}, True), (DEFAULT, {"other": False}, True),
    ],
)  # fmt: skip
def test_feature_is_on_by_choice_until_it_is_everybodys(day, choice, expected):
    with company(**choice):
        assert features.is_on("tried", at=noon(day)) is expected


def test_day_is_the_companys_own():
    with company():
        assert not features.is_on("tried", at=dt.datetime(2026, 5, 31, 15, 59, tzinfo=dt.UTC))
        assert features.is_on("tried", at=dt.datetime(2026, 5, 31, 16, 0, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("day", "shown"), [(OPENS - DAY, []), (OPENS, [TRIED]), (DEFAULT - DAY, [TRIED]), (DEFAULT, [])]
)
def test_only_what_is_optional_that_day_is_offered(day, shown):
    assert features.optional_on(day) == shown


def test_next_to_become_everybodys_is_offered_first():
    sooner = dataclasses.replace(TRIED, key="sooner", becomes_default=DEFAULT - DAY)
    features.register(sooner)

    assert features.optional_on(OPENS) == [sooner, TRIED]


def test_unknown_key_and_no_company_are_never_an_answer():
    with company(), pytest.raises(NotFound):
        features.is_on("tired", at=noon(OPENS))
    with tenancy.choose(tenancy.PLATFORM), pytest.raises(NoCompany):
        features.is_on("tried", at=noon(OPENS))


def test_key_is_taken_once_and_days_are_in_order():
    features.register(TRIED)
    with pytest.raises(ValueError, match="another feature"):
        features.register(dataclasses.replace(TRIED, title="Else"))
    with pytest.raises(ValueError, match="never optional"):
        dataclasses.replace(TRIED, becomes_default=OPENS)


def test_asking_costs_no_query(in_acme):
    with CaptureQueriesContext(connection) as captured:
        features.is_on("tried", at=noon(OPENS))

    assert len(captured) == 0
