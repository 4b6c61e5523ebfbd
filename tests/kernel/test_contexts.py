"""T3 and T4: threads, tasks, copies, nestings and lazy queries keep to their company."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_platform.identity.models import Role
from crm_platform.kernel import tenancy
from tests.kernel import connections, contexts

STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["go on", "raise", "generator"])), max_size=8
)


def test_threads_that_switch_all_the_time_read_their_own(way, pair, say):
    found = connections.read_by_threads(pair, threads=8, reads=400)

    say(f"T3 {way}, threads: {found}")
    assert found.wrong == 0, found.notes


def test_tasks_of_one_event_loop_keep_their_company(pair, say):
    found = contexts.switched_by_tasks(pair, tasks=40, turns=20)

    say(f"T3 asyncio: {found}")
    assert found.wrong == 0, found.notes


def test_copied_context_is_one_of_its_own(pair):
    assert contexts.copied_contexts(pair).wrong == 0


@settings(
    max_examples=1000, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(program=STEPS)
def test_any_nesting_leaves_the_company_as_it_was(pair, program):
    found = contexts.nested(pair, program)

    assert found.wrong == 0, found.notes


def test_lazy_queryset_of_one_company_never_runs_in_the_other(pair, say):
    found = contexts.lazy_querysets(pair)

    say(f"T4 lazy querysets: {found}")
    assert found.wrong == 0, found.notes


def test_queryset_made_while_a_form_is_declared_may_be_refined_anywhere(pair):
    """A module may be loaded inside the first request: its forms belong to no company."""
    with tenancy.unit_of_work(pair[0]):
        declared = Role.objects.none()
    with tenancy.unit_of_work(pair[1]):
        assert declared.all().filter(name="x") is not declared


def test_half_read_cursor_reads_nothing_of_the_other(way, pair):
    found = contexts.half_read(pair)

    assert found.wrong == 0, found.notes
