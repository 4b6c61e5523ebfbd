"""What renting brought: days kept once each, movements that add up exactly, our own golden months.

The golden data is ours: three companies over four months, worked out by hand below.
"""

import datetime as dt
import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import coupons, figures, snapshots
from billing.figures import Held, moved
from billing.models import MetricDay, MetricSnapshot, Subscription
from crm_platform.kernel import tenancy
from tenants.models import Company
from tests.billing.conftest import make_trial, rent
from tests.conftest import NOON, unique

DAY = dt.timedelta(days=1)
TODAY = NOON.date()
SINCE = dt.date(2026, 10, 31)
standings = st.dictionaries(
    st.integers(1, 12).map(lambda number: UUID(int=number)),
    st.builds(
        Held, st.integers(1, 10**9), st.integers(1, 500),
        st.dates(dt.date(2026, 9, 1), dt.date(2026, 12, 1)),
    ),
)  # fmt: skip


@given(before=standings, after=standings)
def test_movements_add_up_exactly_to_the_change(before, after):
    found = moved(before, after, since=SINCE)
    gained = found.new + found.reactivation + found.expansion
    lost = found.contraction + found.churn
    assert found.opening + gained - lost == found.closing
    assert found.change == gained - lost
    assert min(found.new, found.reactivation, found.expansion, lost) >= 0
    heads = found.companies_before + found.companies_new + found.companies_back
    assert heads - found.companies_lost == found.companies == len(after)


@given(days=st.lists(standings, min_size=2, max_size=6))
def test_movements_of_days_sum_to_that_of_the_whole_time(days):
    parts = [moved(a, b, since=SINCE) for a, b in itertools.pairwise(days)]
    whole = moved(days[0], days[-1], since=SINCE)
    assert sum(each.change for each in parts) == whole.change


def held(mrr, seats, *began):
    return Held(mrr, seats, dt.date(*began))


A, B, C = (UUID(int=n) for n in (1, 2, 3))
GOLDEN = [
    # July: A begins with 5 × 50, B with 10 × 50
    {A: held(25_000, 5, 2026, 7, 3), B: held(50_000, 10, 2026, 7, 20)},
    # August: A grows to 7, B shrinks to 8, C begins with 2
    {A: held(35_000, 7, 2026, 7, 3), B: held(40_000, 8, 2026, 7, 20),
     C: held(10_000, 2, 2026, 8, 9)},
    # September: B leaves
    {A: held(35_000, 7, 2026, 7, 3), C: held(10_000, 2, 2026, 8, 9)},
    # October: B comes back with 4, C leaves
    {A: held(35_000, 7, 2026, 7, 3), B: held(20_000, 4, 2026, 7, 20)},
]  # fmt: skip


def golden_movements():
    ends = [dt.date(2026, 6, 30), *(dt.date(2026, m, d) for m, d in ((7, 31), (8, 31), (9, 30)))]
    before = {}
    for since, after in zip(ends, GOLDEN, strict=True):
        yield moved(before, after, since=since)
        before = after


def test_golden_months():
    july, august, september, october = golden_movements()
    assert (july.new, july.closing, july.logo_churn_permille) == (75_000, 75_000, None)
    assert (august.new, august.expansion, august.contraction) == (10_000, 10_000, 10_000)
    assert (august.gross_retention_permille, august.net_retention_permille) == (867, 1000)
    assert (august.arpa("USD"), august.seats_permille) == (28_333, 5667)
    assert august.lifetime_value("USD", margin_percent=80) is None
    assert (september.churn, september.companies_lost) == (40_000, 1)
    assert (september.logo_churn_permille, september.net_retention_permille) == (333, 529)
    # 22,500 a company × 80 % ÷ a third
    assert september.lifetime_value("USD", margin_percent=80) == 54_000
    assert (october.reactivation, october.churn, october.new) == (20_000, 10_000, 0)


# -- keeping days --------------------------------------------------------------------------------


@pytest.fixture
def renters(database):
    """Two companies that rent since the noon of one day; no other company counts."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        MetricDay.objects.all().delete()
        MetricSnapshot.objects.all().delete()
        others = list(
            Company.objects.filter(state__in=snapshots.COUNTED).values_list("pk", "state")
        )
        Company.objects.filter(pk__in=[pk for pk, _s in others]).update(state="closed")
    found = [make_trial(), make_trial()]
    rent(found[0], seats=5)
    rent(found[1], seats=3, interval="year", currency="TWD")
    yield found
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for pk, state in others:
            Company.objects.filter(pk=pk).update(state=state)
        MetricDay.objects.all().delete()
        MetricSnapshot.objects.all().delete()


def rows_of(day):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = MetricSnapshot.objects.filter(day=day).order_by("currency")
        return list(rows.values_list("currency", "mrr", "seats", "began_on"))


def brought(day):
    """What each company brought, by its id."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return dict(MetricSnapshot.objects.filter(day=day).values_list("company_id", "mrr"))


def test_a_day_is_kept_once_it_is_over_and_only_once(renters):
    assert snapshots.take(day=TODAY, at=snapshots.midnight(TODAY + DAY)) == 2
    assert rows_of(TODAY) == [
        ("TWD", 400_000, 3, TODAY), ("USD", 25_000, 5, TODAY),
    ]  # fmt: skip  # NT$16,000 × 3 ÷ 12 and $50 × 5
    assert snapshots.take(day=TODAY, at=snapshots.midnight(TODAY + DAY)) == 0
    assert len(rows_of(TODAY)) == 2


def test_missed_days_are_caught_up_with_and_marked(renters):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ours = [scope.id for scope in renters]
        others = Subscription.objects.exclude(account__company_id__in=ours)
        early = others.filter(created_at__lt=NOON).exists()
    at = NOON + 3 * DAY
    taken = snapshots.catch_up(at=at)
    assert taken >= 3
    assert taken == 3 or early
    assert snapshots.catch_up(at=at) == 0
    with tenancy.unit_of_work(tenancy.PLATFORM):
        late = dict(MetricDay.objects.filter(day__gte=TODAY).values_list("day", "is_filled"))
    assert late == {TODAY: True, TODAY + DAY: True, TODAY + 2 * DAY: False}
    assert len(rows_of(TODAY + 2 * DAY)) == 2


def test_long_gaps_are_filled_in_piece_by_piece_from_the_newest_on(renters, monkeypatch):
    monkeypatch.setattr(snapshots, "A_RUN", 2)
    at = NOON + 5 * DAY
    seen = []
    for _run in range(2):
        assert snapshots.catch_up(at=at) == 2
        with tenancy.unit_of_work(tenancy.PLATFORM):
            days = MetricDay.objects.filter(day__gte=TODAY).order_by("-day")
            seen.append([day.day - TODAY.day for day in days.values_list("day", flat=True)])
    assert seen == [[4, 3], [4, 3, 2, 1]]


def test_who_may_not_work_or_began_later_or_ended_counts_nothing(renters):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=renters[0].id).update(state="past_due")
        Company.objects.filter(pk=renters[1].id).update(state="read_only")
    assert snapshots.take(day=TODAY, at=snapshots.midnight(TODAY + DAY)) == 1
    assert snapshots.take(day=TODAY - DAY, at=snapshots.midnight(TODAY)) == 0
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ended = Subscription.objects.filter(account__company_id=renters[0].id)
        ended.update(ended_at=snapshots.midnight(TODAY + 2 * DAY) - dt.timedelta(seconds=1))
    assert snapshots.take(day=TODAY + DAY, at=snapshots.midnight(TODAY + 2 * DAY)) == 0


@pytest.mark.parametrize(
    ("facts", "left"),
    [({"percent": 20}, 0.8), ({"percent": 20, "periods": 3}, 1), ({"amount": 10**9}, 0)],
)
def test_a_coupon_for_ever_brings_less_and_one_that_ends_does_not(renters, facts, left):
    if "amount" in facts:
        facts = {**facts, "currency": "USD"}
    snapshots.take(day=TODAY, at=snapshots.midnight(TODAY + DAY))
    before = brought(TODAY)
    company_id = renters[0].id
    code = coupons.add(code=f"F-{unique()}", by="Olga", at=NOON, **facts).code
    coupons.redeem(company_id=company_id, code=code, by="Ann", at=NOON)
    snapshots.take(day=TODAY + DAY, at=snapshots.midnight(TODAY + 2 * DAY))
    after = brought(TODAY + DAY)
    assert after.get(company_id, 0) == before[company_id] * left


def test_months_and_cohorts_from_kept_days(renters, django_assert_num_queries):
    ours = renters[0].id
    days = [dt.date(2026, 9, 30), dt.date(2026, 10, 15), dt.date(2026, 10, 31)]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for day, mrr in zip(days, (10_000, 99_000, 15_000), strict=True):
            MetricDay.objects.create(day=day, taken_at=NOON, is_filled=False)
            MetricSnapshot.objects.create(
                day=day, company_id=ours, currency="USD", mrr=mrr, seats=1,
                began_on=dt.date(2026, 9, 2),
            )  # fmt: skip
        ends = figures.month_ends()
        with django_assert_num_queries(1):
            found = figures.figures_of("USD", ends)
        assert [(m.until, m.movement.new, m.movement.expansion) for m in found.months] == [
            (days[0], 10_000, 0), (days[2], 0, 5000),
        ]  # fmt: skip
        [cohort] = found.cohorts
        assert (cohort.counts, cohort.amount_shares) == ((1, 1), (100, 150))
        assert ends == [days[0], days[2]]
        assert figures.currencies(ends) == ["USD"]
        assert figures.figures_of("JPY", ends).latest.movement.closing == 0


def test_nothing_kept_is_no_fault(platform_unit):
    MetricDay.objects.all().delete()
    MetricSnapshot.objects.all().delete()
    assert figures.month_ends() == []
    assert figures.figures_of("USD", []) is None
    assert figures.currencies([]) == []
