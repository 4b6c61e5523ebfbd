"""Each defence is switched off once, and its check must turn red: a test that stays green proves
nothing."""

import pytest

from crm_platform.kernel import tenancy
from tenants import queries, wholeness
from tests.kernel import people
from tests.kernel.mutants import MUTANTS, Ground, close

killed = []
tried = []


@pytest.fixture(scope="module")
def ground(pair, stopped, lacking, servers):
    return Ground(pair, servers.superuser_url, stopped, lacking)


@pytest.fixture
def store(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_defence_switched_off_turns_its_test_red(mutant, ground, store, monkeypatch, request):
    if "pooler" in mutant.name:
        ground.pooler = request.getfixturevalue("pgbouncer")  # skips without one
    tried.append(mutant.name)
    sound = mutant.check(ground)
    assert sound.wrong == 0, f"Red already while the defence is on: {sound.notes[:5]}"
    with monkeypatch.context() as patch:
        undo = mutant.off(patch, ground)
        try:
            found = mutant.check(ground)
        finally:
            if undo is not None:
                undo()
    close()
    queries.forget_hosts()
    assert tenancy.current_or_none() is None
    assert found.wrong > 0, f"{mutant.name}: its check stayed green ({found})"
    killed.append(mutant.name)


def test_checks_of_people_hold(pair, stopped, lacking):
    wholeness.forget(lacking.id)
    for found in (
        people.copied_sessions(pair), people.strange_hosts(pair), people.others_records(pair),
        people.lacking_a_table(lacking), *[people.stopped_companies(scope) for scope in stopped],
    ):  # fmt: skip
        assert found.wrong == 0, found.notes


def test_every_mutant_was_killed(say):
    say(f"mutants killed {len(killed)}/{len(tried)}")
    assert killed == tried
