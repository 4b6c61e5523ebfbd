"""PostgreSQL that is really restarted in the middle of a wave."""

import random
import select

import pytest
from django.core.management import call_command
from django.db import connections

from crm_platform.kernel import tenancy
from tenants.upgrades.models import SchemaRun
from tests.upgrades.own_server import own_server
from tests.upgrades.test_faults import (  # noqa: F401  workers is a fixture
    begin,
    finish,
    outcome,
    take_back,
    waiting,
    workers,
)
from tests.upgrades.test_releases import released

COMPANIES, RESTARTS, SEED = 24, 8, 20261122
MODES = ("immediate", "fast")


@pytest.fixture
def server(database):
    """Everything that comes after this fixture works on a server that may be restarted."""
    with own_server() as made:
        call_command("migrate_platform", verbosity=0)
        yield made


@pytest.mark.slow
def test_postgresql_restarted_in_the_middle_of_a_wave(server, fleet, future, workers, say):  # noqa: F811
    companies, release = fleet(COMPANIES), released()
    chance, process = random.Random(SEED), workers(environment=server.environment())  # noqa: S311
    half = cut = 0
    for number in range(RESTARTS):
        begin(process, "r2")
        over = bool(select.select([process.stdout], [], [], chance.uniform(0.05, 0.5))[0])
        server.restart(MODES[number % len(MODES)])
        assert process.stdout.readline() == "ended\n"
        for each in connections.all():
            each.close()
        cut += not over
        half += outcome(companies, release)["half"]
        if not waiting():
            take_back(chance.sample(companies, 12), release)
    # The successor of a worker whose server went finds what it left, by itself.
    begin(process, "r2")
    assert process.stdout.readline() == "ended\n"
    finish()

    found = outcome(companies, release)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        failed = list(
            SchemaRun.objects.filter(state=SchemaRun.State.FAILED).values_list("error", flat=True)
        )
    half += found["half"]
    say(
        f"PostgreSQL restarted: times={RESTARTS}, at work={cut}, seed={SEED},"
        f" companies={COMPANIES}, half={half}, skipped={found['r1']},"
        f" repeated={found['repeated']}, failed={len(failed)}"
    )
    assert failed == []
    assert cut >= RESTARTS // 2
    assert (half, found["r1"], found["repeated"], found["r2"]) == (0, 0, 0, COMPANIES)
