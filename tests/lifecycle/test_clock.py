"""Time moves a company on: warned before, told after, once each, whatever the clock missed."""

import datetime as dt

import pytest

from crm_platform.identity.models import OutgoingMail
from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from tenants.lifecycle import clock, letters
from tenants.models import Company
from tests.conftest import NOON, make_company, unique
from tests.isolation.companies import remove_twin

State = Company.State
DAY = dt.timedelta(days=1)


def live(house, *, days, every=1, start=NOON):
    """Let the clock run for some days; returns (day, state) of each move."""
    seen, state = [], house.row.state
    for number in range(0, days + 1, every):
        at = start + number * DAY
        clock.run(at=at)
        letters.tell_waiting(at=at)
        if house.row.state != state:
            state = house.row.state
            seen.append((number, state))
    return seen


def test_company_that_nobody_pays_for_goes_its_way_on_the_promised_days(house, say):
    house.put(State.TRIAL, until=NOON + 14 * DAY)

    moves = live(house, days=14 + 7 + 30 + 30 + 5)

    assert moves == [(14, "past_due"), (21, "read_only"), (51, "suspended"), (81, "closed")]
    subjects = house.letters(at=NOON + 90 * DAY)
    name = house.scope.name
    told = [subject.replace(name, "X") for subject in subjects]
    assert told == [
        "The trial of X ends on 4 Dec 2026", "The trial of X ends on 4 Dec 2026",
        "The trial or the paid time of X has ended",
        "X becomes read-only on 11 Dec 2026", "X is read-only now",
        "X is suspended on 10 Jan 2027", "X is suspended on 10 Jan 2027", "X is suspended",
        "X is closed on 9 Feb 2027", "X is closed on 9 Feb 2027", "X is closed",
    ]  # fmt: skip
    say(f"lifecycle clock: moves={len(moves)}, letters={len(subjects)}")


def test_running_twice_changes_nothing_and_writes_nothing_twice(house):
    house.put(State.PAST_DUE, until=NOON + DAY)
    for _ in range(3):
        clock.run(at=NOON)
        letters.tell_waiting(at=NOON)
    assert len(house.letters(at=NOON)) == 1

    for _ in range(3):
        clock.run(at=NOON + DAY)

    assert house.row.state == State.READ_ONLY
    assert len(house.letters(at=NOON + DAY)) == 2


def test_clock_that_stood_still_warns_first_and_takes_one_step_a_run(house):
    house.put(State.TRIAL, until=NOON + 14 * DAY)

    moves = live(house, days=60, every=1, start=NOON + 100 * DAY)

    assert moves == [(1, "past_due"), (8, "read_only"), (38, "suspended")]
    assert house.letters(at=NOON + 200 * DAY)[0].startswith("The trial of")


def test_one_broken_company_stops_no_other(house):
    broken = make_company(f"broken-{unique()}")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=broken.id).update(
            state=State.TRIAL, state_since=NOON, state_until=NOON - DAY
        )
    owner_connection().connection.execute(f'DROP TABLE "{broken.schema}".identity_user CASCADE')
    house.put(State.TRIAL, until=NOON)
    try:
        for day in range(3):
            clock.run(at=NOON + day * DAY)
            letters.tell_waiting(at=NOON + day * DAY)
        assert house.row.state == State.PAST_DUE
        assert house.letters(at=NOON + 2 * DAY)
    finally:
        remove_twin(broken)


def test_company_without_an_end_is_left_alone(house):
    for state in (State.ACTIVE, State.SUSPENDED, State.READ_ONLY):
        house.put(state)
        assert live(house, days=400, every=50) == []


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hant", "試用"), ("zh-hans", "试用"), ("en", "trial")]
)
def test_owner_is_written_to_in_their_language(house, language, words):
    with tenancy.unit_of_work(house.scope):
        house.owner.language = language
        house.owner.save()
    house.put(State.TRIAL, until=NOON + DAY)
    clock.run(at=NOON)

    assert words in house.letters(at=NOON)[0]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        mail = OutgoingMail.objects.get(to=house.owner.email)
        assert f"{house.scope.host}" in mail.body
        assert "/standing/" in mail.body
        assert not OutgoingMail.objects.filter(to=house.member.email).exists()
