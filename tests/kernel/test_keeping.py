"""T7, T9 and T12: nothing that is kept outside the database is shared between companies."""

from django.conf import settings
from django.core.cache import cache
from kombu import Connection
from redis import Redis

from crm_platform.kernel import tenancy
from crm_platform.kernel.tasks import envelope
from tenants import tasks
from tests.kernel import keeping


def test_cache_entry_of_one_company_is_not_there_for_the_other(pair, say):
    found = keeping.cached(pair, keys=500)

    say(f"T7 cache: {found}")
    assert found.wrong == 0, found.notes


def test_snapshots_and_kept_parts_never_cross(pair, say):
    found = keeping.kept_in_the_process(pair, turns=100)

    say(f"T7 process: {found}")
    assert found.wrong == 0, found.notes


def test_sealed_value_opens_only_where_it_was_sealed(pair, say):
    found = keeping.signed(pair)

    say(f"T9 seals: {found}")
    assert found.wrong == 0, found.notes


def test_every_key_in_redis_belongs_to_a_company_or_is_listed(pair, servers, say):
    with tenancy.choose(pair[0]):
        cache.set("wall-redis", "x", timeout=30)
    with Connection(settings.ENVIRONMENT.celery_broker_url) as broker:
        headers = envelope(tenancy.PLATFORM)
        tasks.sweep_companies.apply_async(headers=headers, connection=broker)

    found, of_companies = keeping.keys_in_redis(servers.redis_url)

    Redis.from_url(servers.redis_url).lpop("celery")

    say(f"T12 keys in Redis: {found}, of companies={of_companies}")
    assert found.wrong == 0, found.notes
    assert of_companies > 0
