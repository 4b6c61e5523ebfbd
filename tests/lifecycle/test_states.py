"""Which moves there are and who makes them; every one leaves an event."""

import datetime as dt
import itertools

import pytest
from django.db import ProgrammingError, connection

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants import services
from tenants.lifecycle import changes, states
from tenants.lifecycle.states import Who
from tenants.models import Company, CompanyEvent
from tests.conftest import NOON

State = Company.State
DAY = dt.timedelta(days=1)


def test_table_of_moves_is_what_it_says_for_every_pair_and_everybody(house, say):
    tried = wrong = made = 0
    for source, to, who in itertools.product(states.STANDING, State, Who):
        house.put(source)
        tried += 1
        is_allowed = who in states.MOVES.get((source, to), ())
        try:
            changes.move(company_id=house.scope.id, to=to, who=who, actor="test", at=NOON)
            made += 1
            wrong += not is_allowed or house.row.state != to
        except Conflict:
            wrong += is_allowed or house.row.state != source
    say(f"lifecycle moves: tried={tried}, made={made}, wrong={wrong}")
    assert (wrong, made) == (0, sum(len(who) for who in states.MOVES.values()))


def test_every_state_of_the_clock_leads_to_the_end():
    state, seen = State.TRIAL, []
    while state in states.NEXT:
        state = states.NEXT[state]
        seen.append(state)

    assert seen == ["past_due", "read_only", "suspended", "closed", "erased"]


def test_move_leaves_an_event_with_who_why_and_until_when(house):
    house.put(State.ACTIVE)
    changes.move(
        company_id=house.scope.id, to=State.PAST_DUE, who=Who.BILLING, actor="billing",
        reason="invoice 7", at=NOON,
    )  # fmt: skip

    event = house.events("company.moved")[0]
    assert (event.actor, event.at) == ("billing", NOON)
    assert event.facts == {
        "from": "active", "to": "past_due", "who": "billing", "reason": "invoice 7",
        "until": (NOON + 14 * DAY).isoformat(), "left": None,
    }  # fmt: skip
    row = house.row
    assert (row.state_since, row.state_until) == (NOON, NOON + 14 * DAY)


def test_what_an_operator_stops_stays_stopped_until_an_operator_decides(house):
    services.suspend(company_id=house.scope.id, reason="abuse", actor="op@example.com", at=NOON)
    assert (house.row.state, house.row.state_until) == (State.SUSPENDED, None)

    services.resume(company_id=house.scope.id, actor="op@example.com", at=NOON)

    assert house.row.state == State.ACTIVE
    with pytest.raises(Conflict):
        services.resume(company_id=house.scope.id, at=NOON)


def test_time_is_prolonged_and_the_past_is_refused(house):
    house.put(State.TRIAL, until=NOON + DAY)

    changes.prolong(company_id=house.scope.id, until=NOON + 20 * DAY, actor="op", at=NOON)

    assert house.row.state_until == NOON + 20 * DAY
    assert house.events("company.prolonged")[0].facts["state"] == "trial"
    with pytest.raises(Invalid):
        changes.prolong(company_id=house.scope.id, until=NOON, actor="op", at=NOON)
    with pytest.raises(Invalid):
        changes.move(
            company_id=house.scope.id, to=State.PAST_DUE, who=Who.CLOCK, actor="x", at=NOON,
            until=NOON - DAY,
        )  # fmt: skip
    house.put(State.ACTIVE)
    with pytest.raises(Conflict):
        changes.prolong(company_id=house.scope.id, until=NOON + DAY, actor="op", at=NOON)


def test_nobody_is_moved_who_does_not_exist(database):
    with pytest.raises(NotFound):
        changes.move(
            company_id=tenancy.PLATFORM.id, to=State.ACTIVE, who=Who.OPERATOR, actor="x", at=NOON
        )


def test_events_are_only_added_to(house):
    house.put(State.ACTIVE)
    services.suspend(company_id=house.scope.id, reason="abuse", at=NOON)
    for change in (
        lambda: CompanyEvent.objects.update(actor="nobody"),
        lambda: CompanyEvent.objects.all().delete(),
    ):
        denied = pytest.raises(ProgrammingError, match="permission denied")
        with denied, tenancy.unit_of_work(tenancy.PLATFORM):
            change()
    assert not connection.in_atomic_block
    assert house.events("company.moved")[0].actor == "operator"
