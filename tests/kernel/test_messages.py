"""T11: a task runs in the company of its message, or not at all."""

import pytest
from celery import shared_task

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NoCompany
from crm_platform.kernel.tasks import CompanyTask, envelope, later
from tests.kernel import messages

seen = []


@shared_task(base=CompanyTask, bind=False, ignore_result=True, name="tests.whose")
def whose():
    """Notes in whose unit of work it runs."""
    with tenancy.unit_of_work(tenancy.current()):
        seen.append(tenancy.current().slug)


def test_every_task_refuses_every_wrong_message(pair, stopped, say):
    found = messages.refused(pair[0], stopped)

    names = [task.name for task in messages.our_tasks()]
    say(f"T11 tasks={len(names)}: refused={found.total - found.wrong}/{found.total}")
    assert found.wrong == 0, found.notes
    assert all(isinstance(task, CompanyTask) for task in messages.our_tasks())
    assert len(names) > 5


def test_two_thousand_interleaved_messages_each_run_in_their_own_company(pair, say):
    seen.clear()
    expected = []
    for number in range(2000):
        scope = pair[number % 3 == 0]
        whose.push_request(headers=envelope(scope))
        try:
            whose()
        finally:
            whose.pop_request()
        expected.append(scope.slug)
        assert tenancy.current_or_none() is None

    wrong = sum(one != other for one, other in zip(seen, expected, strict=True))
    say(f"T11 interleaved: wrong={wrong}/{len(expected)}")
    assert wrong == 0


def test_work_is_asked_for_inside_a_unit_of_work_only(pair):
    with pytest.raises(NoCompany):
        later(whose)
    with tenancy.choose(pair[0]), pytest.raises(NoCompany):
        later(whose)


def test_task_that_fails_leaves_no_company_behind(pair):
    @shared_task(base=CompanyTask, bind=False, name="tests.fails")
    def fails():
        raise KeyError("on purpose")

    assert isinstance(fails.apply(headers=envelope(pair[0])).result, KeyError)
    assert tenancy.current_or_none() is None
