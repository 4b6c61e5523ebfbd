"""Seats: who takes one, who may not, and that two never take the last."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251  the fault is about threads

import pytest
from django.db import connections

from billing import access, subscribing
from billing.seats import services as seats
from crm_platform.identity.models import Invitation, Role, User
from crm_platform.identity.services import invitations, people, roles
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict
from tests import factories
from tests.billing.conftest import owner_of, rent
from tests.conftest import NOON

WEEK = dt.timedelta(days=7)


@pytest.fixture
def full(trial):
    """A company with two seats, taken by its owner and a member; its scope."""
    with tenancy.unit_of_work(trial):
        factories.user(role="member", name="Mo Member")
        seats.set_purchased(purchased=2, at=NOON)
    return trial


def role(key):
    return Role.objects.get(key=key)


def standing(scope):
    with tenancy.unit_of_work(scope):
        return seats.standing(at=NOON)


def ask(scope, email, key="member", at=NOON):
    actor = owner_of(scope)
    with tenancy.unit_of_work(scope):
        return invitations.invite(email=email, role=role(key), team=None, actor=actor, at=at)


def test_renting_tells_the_company_its_seats(trial):
    assert standing(trial).purchased is None
    rent(trial, seats=3)
    assert standing(trial).purchased == 3
    with tenancy.unit_of_work(trial):
        seats.set_purchased(purchased=99, at=NOON)
    access.sweep(at=NOON)
    assert standing(trial).purchased == 3


def test_full_company_refuses_members_and_takes_viewers(full):
    with pytest.raises(Conflict, match="All 2 seats are taken"):
        ask(full, "new@example.com")
    ask(full, "looks@example.com", key="viewer")
    assert standing(full).used == 2
    with tenancy.unit_of_work(full):
        assert not Invitation.objects.filter(email="new@example.com").exists()


def test_open_invitation_holds_a_seat_until_it_ends(full):
    with tenancy.unit_of_work(full):
        seats.set_purchased(purchased=3, at=NOON)
    waiting = ask(full, "new@example.com")
    ask(full, "new@example.com")  # asked again: still one seat
    with pytest.raises(Conflict):
        ask(full, "other@example.com")
    late = NOON + WEEK + dt.timedelta(seconds=1)
    ask(full, "other@example.com", at=late)
    with tenancy.unit_of_work(full):
        waiting = Invitation.objects.get(email="new@example.com", revoked_at=None)
    actor = owner_of(full)
    with tenancy.unit_of_work(full), pytest.raises(Conflict):
        invitations.resend(invitation_id=waiting.pk, actor=actor, at=late)


def test_everything_that_makes_somebody_work_here_needs_a_seat(full):
    owner = owner_of(full)
    with tenancy.unit_of_work(full):
        viewer = factories.user(role="viewer")
        gone = factories.user(role="member", is_active=False)
        member = User.objects.get(name="Mo Member")
        own = roles.copy_role(role=role("viewer"), name="Lookers", actor=owner, at=NOON)
        factories.user(role=own)
    acts = {
        "another role": lambda: people.change_role(
            person=viewer, role=role("member"), actor=owner, at=NOON),
        "back again": lambda: people.reactivate(person=gone, actor=owner, at=NOON),
        "a role with more": lambda: roles.edit_role(
            role=own, name="Lookers", rights=role("member").rights, abilities=[], field_limits={},
            actor=owner, at=NOON),
    }  # fmt: skip
    for act in acts.values():
        with tenancy.unit_of_work(full), pytest.raises(Conflict):
            act()
    assert standing(full).used == 2
    with tenancy.unit_of_work(full):  # who has a seat keeps it in another role
        people.change_role(person=member, role=role("manager"), actor=owner, at=NOON)
        people.deactivate(person=member, successor=None, actor=owner, at=NOON)
        people.reactivate(person=gone, actor=owner, at=NOON)
    assert standing(full).used == 2


def test_company_over_its_seats_locks_nobody_out(full):
    with tenancy.unit_of_work(full):
        seats.set_purchased(purchased=1, at=NOON)
    now = standing(full)
    assert (now.is_over, now.free) == (True, 0)
    with pytest.raises(Conflict):
        ask(full, "new@example.com")


def invite_many(scope, count):
    """So many ask at once: the outcomes."""
    actor, gate = owner_of(scope), threading.Barrier(count)

    def one(number):
        gate.wait()
        try:
            with tenancy.unit_of_work(scope):
                invitations.invite(
                    email=f"p{number}@example.com", role=role("member"), team=None, actor=actor,
                    at=NOON,
                )  # fmt: skip
        except Conflict:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_last_seats_are_taken_once_by_many_at_once(trial, say):
    rent(trial, seats=6)
    outcomes = invite_many(trial, 24)
    now = standing(trial)
    oversold = max(now.used - 6, 0)
    say(f"last seats: asked=24, free=5, taken={sum(outcomes)}, oversold={oversold}")
    assert (sum(outcomes), oversold) == (5, 0)


def test_without_its_lock_the_last_seat_is_sold_twice(trial, monkeypatch):
    """The guard is what does it: two that count before either is kept both find a seat."""
    rent(trial, seats=2)
    both = threading.Barrier(2)
    count = seats.standing

    def counted(*, at):
        found = count(at=at)
        both.wait(timeout=20)
        return found

    monkeypatch.setattr(seats, "_locked_number", lambda: 2)
    monkeypatch.setattr(seats, "standing", counted)
    outcomes = invite_many(trial, 2)
    monkeypatch.undo()
    assert outcomes == [True, True]
    assert standing(trial).is_over


def test_more_seats_are_free_as_soon_as_they_are_rented(full):
    rent(full, seats=2)
    with pytest.raises(Conflict):
        ask(full, "new@example.com")
    _shown, sealed = subscribing.quote_seats(company_id=full.id, seats=3, at=NOON)
    subscribing.accept(company_id=full.id, quote=sealed, by="Ann", at=NOON)
    ask(full, "new@example.com")
    assert standing(full).free == 0
