"""Import jobs: told when done, undone, cancelled, one at a time, resumed after a fault."""

import datetime as dt

import pytest

from crm_core.exchange import services
from crm_core.exchange.models import ImportJob
from crm_core.notify.models import Notification
from crm_core.records.models import Account, Contact
from crm_platform.kernel.errors import Conflict
from tests import factories
from tests.exchange.conftest import bring_in, counts, csv_bytes, draft, issues, people
from tests.factories import NOON


def test_the_person_is_told_when_it_is_done(manager):
    job = bring_in("contact", people(3), manager)

    told = Notification.objects.get(user=manager, kind="import.finished")
    assert (told.facts["job"], told.facts["created"]) == (job.pk, 3)


def test_undo_moves_what_was_made_to_the_trash_and_puts_back_what_was_changed(manager):
    old = factories.contact(manager, name="Old", email="p1@example.com")
    job = bring_in("contact", people(3), manager)
    kept = Contact.objects.get(name="Person 2")
    Contact.objects.filter(pk=kept.pk).update(updated_at=NOON + dt.timedelta(days=1))

    services.ask_undo(job=job, actor=manager, at=NOON)
    services.undo(job_id=job.pk, clock=lambda: NOON)

    job.refresh_from_db()
    assert job.state == "undone"
    live = set(Contact.objects.filter(deleted_at=None).values_list("name", flat=True))
    assert live == {"Old", "Person 2"}
    old.refresh_from_db()
    assert (old.name, old.account_id) == ("Old", None)
    assert Account.objects.filter(deleted_at=None).count() == 0


def test_a_cancelled_import_stops_and_keeps_what_came_in(manager):
    job = draft("contact", people(10), manager)
    services.start(job=job, actor=manager, at=NOON, ring=False)
    moments = iter(range(100))

    def clock():
        if next(moments) == 4:
            services.cancel(job=ImportJob.objects.get(pk=job.pk), actor=manager, at=NOON)
        return NOON

    services.run(job_id=job.pk, clock=clock, chunk=2)

    job.refresh_from_db()
    assert job.state == "cancelled"
    assert 0 < job.created == Contact.objects.count() < 10


def test_one_import_runs_at_a_time_and_a_live_lease_is_respected(manager):
    first, second = (
        draft("contact", people(3), manager),
        draft("contact", people(3, start=9), manager),
    )
    services.start(job=second, actor=manager, at=NOON, ring=False)
    later = NOON + dt.timedelta(seconds=10)
    ImportJob.objects.filter(pk=first.pk).update(state="running", lease_until=later)

    assert services.run(job_id=second.pk, clock=lambda: NOON).wait_seconds == 0
    assert services.run(job_id=first.pk, clock=lambda: NOON).wait_seconds == 10
    assert Contact.objects.count() == 0

    after = later + dt.timedelta(seconds=1)
    assert services.sweep(at=after) == 1
    services.run(job_id=first.pk, clock=lambda: after)
    services.run(job_id=second.pk, clock=lambda: after)
    assert Contact.objects.count() == 6


def test_a_fault_of_ours_stops_the_job_and_it_goes_on_from_there(manager, monkeypatch):
    from crm_core.exchange import bulk

    job = draft("contact", people(6), manager)
    services.start(job=job, actor=manager, at=NOON, ring=False)
    true_copy, calls = bulk.copy_in, []

    def copy_in(*given):
        calls.append(given)
        if len(calls) == 4:
            raise RuntimeError("disk")
        return true_copy(*given)

    monkeypatch.setattr(bulk, "copy_in", copy_in)
    with pytest.raises(RuntimeError):
        services.run(job_id=job.pk, clock=lambda: NOON, chunk=2)
    job.refresh_from_db()
    assert (job.state, job.created) == ("failed", 2)

    services.start(job=job, actor=manager, at=NOON, ring=False)
    services.run(job_id=job.pk, clock=lambda: NOON, chunk=2)

    job.refresh_from_db()
    assert (job.state, job.created, Contact.objects.count()) == ("done", 6, 6)


def test_a_row_that_postgres_refuses_fails_alone(manager, monkeypatch):
    from crm_core.exchange import bulk

    true_copy = bulk.copy_in

    def copy_in(model, rows, constants):
        bad = [{**row, "founded_year": 10**9} if row["name"] == "B" else row for row in rows]
        return true_copy(model, bad, constants)

    monkeypatch.setattr(bulk, "copy_in", copy_in)
    content = csv_bytes(
        ("Name", "Founded"), ("A", "1990"), ("B", "1995"), ("C", "2001"),
    )  # fmt: skip
    job = bring_in("account", content, manager)

    assert counts(job) == (2, 0, 0, 1)
    assert issues(job) == [(3, "failed", "A value here cannot be stored.")]


def test_a_begun_import_is_not_begun_twice(manager):
    job = bring_in("contact", people(2), manager)

    with pytest.raises(Conflict):
        services.start(job=job, actor=manager, at=NOON)
