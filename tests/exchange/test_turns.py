"""An import makes room: turns with a ticket, rests, and so many at once."""

import datetime as dt
import itertools
from uuid import uuid4

import pytest

from crm_core.exchange import services
from crm_core.exchange.models import ImportJob
from crm_core.exchange.pacing import ALWAYS, BUSY, LONGEST_REST, Pace
from crm_core.records.models import Contact
from crm_platform.kernel.errors import Conflict, Invalid
from tests.exchange.conftest import draft, people
from tests.factories import NOON

SECOND = dt.timedelta(seconds=1)


def ticking():
    """A clock that is a second later each time it is asked."""
    seconds = itertools.count()
    return lambda: NOON + next(seconds) * SECOND


def started(manager, rows=10):
    job = draft("contact", people(rows), manager)
    services.start(job=job, actor=manager, at=NOON, ring=False)
    return job


def test_run_ends_with_its_turn_and_the_ticket_goes_on_where_it_was(manager):
    job = started(manager)
    clock, turns, ticket = ticking(), [], None
    for _number in range(20):
        came = services.run(job_id=job.pk, clock=clock, chunk=2, turn=2 * SECOND, ticket=ticket)
        turns.append(Contact.objects.count())
        ticket = came.ticket
        if ticket is None:
            break

    job.refresh_from_db()
    assert (job.state, job.created, Contact.objects.count()) == ("done", 10, 10)
    assert len(turns) > 3
    assert turns == sorted(turns)


def test_between_turns_only_the_ticket_opens_the_job(manager):
    job = started(manager)
    clock = ticking()
    came = services.run(job_id=job.pk, clock=clock, chunk=2, turn=2 * SECOND)
    before = Contact.objects.count()

    for ticket in (None, uuid4()):
        other = services.run(job_id=job.pk, clock=clock, chunk=2, ticket=ticket)
        assert other.wait_seconds > 100
    assert Contact.objects.count() == before
    assert services.run(job_id=job.pk, clock=clock, chunk=2, ticket=came.ticket).ticket is None
    assert services.run(job_id=job.pk, clock=clock, ticket=came.ticket).wait_seconds == 0
    assert Contact.objects.count() == 10


def test_job_whose_ticket_was_lost_is_found_by_the_sweep(manager):
    job = started(manager)
    services.run(job_id=job.pk, clock=lambda: NOON, chunk=2, turn=0 * SECOND)
    assert services.sweep(at=NOON + dt.timedelta(minutes=4)) == 0

    later = NOON + dt.timedelta(minutes=6)
    assert services.sweep(at=later) == 1
    services.run(job_id=job.pk, clock=lambda: later)

    job.refresh_from_db()
    assert (job.state, job.created) == ("done", 10)


def test_import_that_is_stopped_at_the_end_of_a_turn_gives_no_ticket(manager):
    job = started(manager)
    ticks = ticking()
    asked = itertools.count()

    def clock():
        if next(asked) == 4:
            services.cancel(job=ImportJob.objects.get(pk=job.pk), actor=manager, at=NOON)
        return ticks()

    came = services.run(job_id=job.pk, clock=clock, chunk=2, turn=3 * SECOND)

    job.refresh_from_db()
    assert (came.ticket, job.state) == (None, "cancelled")


def test_run_rests_after_each_chunk_as_long_as_the_pace_says(manager):
    job, rests = started(manager), []

    services.run(job_id=job.pk, clock=ticking(), chunk=5, rest=rests.append)

    assert rests == [pytest.approx(ALWAYS), pytest.approx(ALWAYS)]


def test_pace_rests_longer_where_chunks_take_longer_than_they_could():
    pace = Pace()

    assert pace.after(rows=1000, seconds=1.0) == pytest.approx(ALWAYS)
    assert pace.after(rows=1000, seconds=3.0) == pytest.approx(BUSY * 3.0)
    assert pace.after(rows=1000, seconds=1.1) == pytest.approx(ALWAYS * 1.1)
    assert pace.after(rows=1000, seconds=600.0) == LONGEST_REST
    assert (pace.after(rows=0, seconds=1.0), pace.after(rows=5, seconds=0.0)) == (0.0, 0.0)


def test_company_has_so_many_imports_at_once_and_is_told_so(manager, settings):
    settings.COMPANY_LIMITS = {**settings.COMPANY_LIMITS, "imports": 2}
    for _number in range(2):
        started(manager)
    third = draft("contact", people(3), manager)

    with pytest.raises(Conflict, match="2 imports of your company wait or run"):
        services.start(job=third, actor=manager, at=NOON, ring=False)

    services.cancel(job=ImportJob.objects.filter(state="ready").first(), actor=manager, at=NOON)
    services.start(job=third, actor=manager, at=NOON, ring=False)


def test_operators_word_decides_how_many_rows_and_bytes_a_file_may_have(manager, settings):
    settings.COMPANY_LIMITS = {**settings.COMPANY_LIMITS, "import_rows": 3}
    draft("contact", people(3), manager)
    with pytest.raises(Invalid, match="more than 3 rows"):
        draft("contact", people(4), manager)
    settings.COMPANY_LIMITS = {**settings.COMPANY_LIMITS, "import_mb": 0}
    with pytest.raises(Invalid, match="at most 0 MB"):
        draft("contact", people(1), manager)
