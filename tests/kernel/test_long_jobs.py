"""Long jobs: a queue of their own, so many of a company at once, the others come back."""

import datetime as dt
import uuid

import pytest
from celery import current_app, shared_task
from django.utils import timezone

from crm_platform.kernel import counting, tenancy
from crm_platform.kernel.tasks import LONG, CompanyTask, come_back, envelope, keep_place
from tenants import limits
from tests.conftest import NOON, unique
from tests.kernel.messages import our_tasks

LEASE = dt.timedelta(minutes=2)
MINUTES_LONG = {
    "crm_core.exchange.tasks.run_import", "crm_core.exchange.tasks.undo_import",
    "crm_core.leaving.tasks.build_package", "crm_core.web.tasks.work_on_rehearsal",
    "tenants.backups.tasks.make_backup", "tenants.backups.tasks.rehearse_restore",
    "tenants.backups.tasks.restore_backup", "tenants.tasks.erase_company",
}  # fmt: skip


@pytest.fixture
def sent(pair):
    """Messages of the queue of long jobs, as its broker has them: `sent()`."""
    with current_app.connection_for_write() as connection:
        queue = connection.SimpleQueue(LONG)
        queue.clear()
        yield lambda: [queue.get(block=False) for _number in range(queue.qsize())]
        queue.clear()
        queue.close()


def long_task(name, run):
    @shared_task(base=CompanyTask, bind=False, name=f"tests.long.{name}", long=True)
    def work(**kwargs):
        return run(**kwargs)

    work.atomic_body = False
    return work


def begin(task, scope, **kwargs):
    return task.apply(kwargs=kwargs, headers=envelope(scope), task_id=uuid.uuid4().hex, throw=True)


def test_work_of_minutes_has_its_own_queue_and_nothing_else_is_in_it(pair):
    long = {task.name for task in our_tasks() if task.long}

    assert {name for name in long if not name.startswith("tests.")} == MINUTES_LONG


def test_second_long_job_of_a_company_comes_back_and_another_companys_runs(pair, sent):
    one, other = pair
    ran = []

    def inner(which, inside=None):
        ran.append(which)
        if inside:
            begin(work, one, which="second of one")
            begin(work, other, which="first of other")

    work = long_task(unique(), inner)
    begin(work, one, which="first of one", inside=True)

    assert ran == ["first of one", "first of other"]
    waiting = sent()
    assert [message.headers["rapport_company"]["id"] for message in waiting] == [str(one.id)]
    begin(work, one, which="second of one")
    assert ran[-1] == "second of one"


def test_only_one_message_of_the_same_work_is_on_its_way_back(pair, sent):
    work = long_task(unique(), lambda **_kwargs: None)
    with tenancy.choose(pair[0]):
        for _number in range(5):
            come_back(work, seconds=30, job_id=7)
        come_back(work, seconds=30, job_id=8)
    with tenancy.choose(pair[1]):
        come_back(work, seconds=30, job_id=7)

    assert len(sent()) == 3


def test_operators_may_allow_a_company_more_long_jobs(pair, sent):
    one = pair[0]

    def allow(value):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            limits.set_limit(
                company_id=one.id, kind="long_jobs", value=value, reason="test", by="Olga", at=NOON
            )

    def inner(depth):
        deepest.append(depth)
        begin(work, one, depth=depth + 1)

    work = long_task(unique(), inner)
    reached = []
    for value in (2, 3, None):
        deepest = []
        allow(value)
        begin(work, one, depth=1)
        reached.append(deepest)

    assert reached == [[1, 2], [1, 2, 3], [1]]


def test_place_of_a_dead_worker_is_free_when_its_lease_ends(pair):
    name = unique()

    def take(holder, at):
        return counting.take_place(name, holder, most=1, lease=LEASE, at=at)

    start = timezone.now()
    with tenancy.choose(pair[0]):
        assert take("dead", start)
        assert not take("next", start + LEASE - dt.timedelta(seconds=1))
        assert take("next", start + LEASE + dt.timedelta(seconds=1))
        counting.leave_place(name, "next")
        assert take("third", start + LEASE + dt.timedelta(seconds=2))


def test_job_that_says_so_keeps_its_place_beyond_the_lease(pair, sent):
    seen = []

    def inner(**_kwargs):
        later = timezone.now() + LEASE - dt.timedelta(seconds=1)
        keep_place(at=later)
        after = later + dt.timedelta(seconds=10)
        seen.append(counting.places_taken(LONG, pair[0].id, at=after))

    begin(long_task(unique(), inner), pair[0])

    assert seen == [1]
    assert counting.places_taken(LONG, pair[0].id, at=timezone.now()) == 0


def test_job_that_fails_gives_its_place_back(pair, sent):
    def fails(**_kwargs):
        raise KeyError("on purpose")

    work = long_task(unique(), fails)
    for _number in range(2):
        with pytest.raises(KeyError):
            begin(work, pair[0])
    assert sent() == []
