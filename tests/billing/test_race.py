"""The last seat, through the pages of a real server with two processes."""

import pytest

from tests import conftest
from tests.benchmarks import seat_race
from tests.benchmarks.server import web_server
from tests.billing.conftest import make_trial

THREADS = 32


@pytest.fixture(scope="module")
def server(database):
    with web_server(
        {"RAPPORT_TEST_DATABASE": conftest.TEST_DATABASE,
         "DJANGO_SETTINGS_MODULE": "crm_platform.settings_test"}, quiet=True,
    ) as running:  # fmt: skip
        yield running


@pytest.mark.parametrize(
    ("name", "companies", "free", "tries"), [("hot", 1, 20, 160), ("many", 6, 4, 30)]
)
def test_demand_02_last_seats_over_http(server, say, name, companies, free, tries):
    scopes = [make_trial() for _each in range(companies)]
    racers = [seat_race.racer(scope, free=free, tries=tries) for scope in scopes]
    answers = seat_race.race(server.port, racers, tries=tries, threads=THREADS)
    over = seat_race.oversold(scopes)
    say(f"last seats over HTTP ({name}): tries={sum(answers.values())}, taken={answers[302]},"
        f" refused={answers[422]}, oversold={over}")  # fmt: skip
    assert over == 0
    assert answers[302] == free * companies
    assert answers == {302: free * companies, 422: (tries - free) * companies}
