"""A change of the register reaches every process at its next request."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.conf import settings

from crm_platform.kernel import tenancy
from tenants import news, queries
from tenants.models import Company

ROOT = Path(__file__).resolve().parents[2]
OTHER = """
import sys
import django
django.setup()
from tenants import queries
for line in sys.stdin:
    scope = queries.scope_of_host(line.strip())
    print(scope.state if scope else "unknown", flush=True)
"""


@pytest.fixture(scope="module")
def other(database):
    """Another process that looks hosts up."""
    paths = [str(ROOT), str(ROOT / "platform"), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join(paths),
        "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER], env=environment, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def ask(host):
        process.stdin.write(f"{host}\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    yield ask
    process.stdin.close()
    process.wait(timeout=20)


def test_other_process_sees_every_change_at_once(house, other, say):
    seen = []
    states = ["active", "read_only", "trial", "active", "past_due", "suspended", "closed", "trial"]
    for state in states:
        house.put(state)
        seen.append(other(house.scope.host))
    say(
        f"news between processes: changes={len(states)}, stale={sum(map(str.__ne__, states, seen))}"
    )
    assert seen == states


def test_change_is_told_only_once_it_is_kept(house, other):
    house.put("active")
    assert other(house.scope.host) == "active"
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=house.scope.id).update(state="suspended")
        queries.forget_hosts()
        assert other(house.scope.host) == "active"

    assert other(house.scope.host) == "suspended"


@pytest.fixture
def server():
    with redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]) as client:
        yield client


def gets(server):
    return server.info("commandstats")["cmdstat_get"]["calls"]


def test_redis_is_asked_again_only_where_something_was_heard(house, other, server):
    host = house.scope.host
    assert other(host) == "active"
    before = gets(server)

    assert {other(host) for _turn in range(200)} == {"active"}

    # One a second, for a line may be dead without a sign.
    assert gets(server) - before < 20
    before = gets(server)
    house.put("trial")
    assert other(host) == "trial"
    assert gets(server) - before >= 1


def test_word_that_came_while_the_line_was_cut_is_not_missed(house, other, server):
    assert other(house.scope.host) == "active"
    assert server.client_kill_filter(_type="pubsub") >= 1

    house.put("suspended")

    assert other(house.scope.host) == "suspended"


def test_hosts_are_found_while_redis_is_away(house, settings):
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": away}

    house.put("trial")

    assert news.generation() == ""
    assert queries.scope_of_host(house.scope.host).state == "trial"
