"""What machines ask: does it live, can it serve, may this name have a certificate."""

import json

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from crm_platform.kernel import tenancy
from crm_platform.ops import health
from crm_platform.ops.middleware import RequestLog


def refuse(_request):
    raise AssertionError("a probe must be answered before anything else looks at the request")


def probe(path, **extra):
    request = RequestFactory().get(path, headers={"host": "10.0.0.7:8000"}, **extra)
    return RequestLog(refuse)(request)


def test_healthz_asks_nobody():
    assert probe("/healthz").status_code == 200


def test_readyz_names_each_check(database):
    answer = probe("/readyz")

    checks = {"postgresql": "ok", "redis": "ok", "migrations": "ok"}
    assert json.loads(answer.content) == {"ready": True, "checks": checks}
    assert answer.status_code == 200


def test_readyz_without_redis_is_503(database):
    away = "unix:///nowhere/redis.sock?db=0"
    caches = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": away}
    with override_settings(CACHES={"default": caches}):
        answer = probe("/readyz")

    assert answer.status_code == 503
    assert json.loads(answer.content)["checks"]["redis"] == "does not answer"
    assert "nowhere" not in answer.content.decode()


def test_readyz_without_postgresql_is_503(database, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    try:
        answer = probe("/readyz")
    finally:
        connection.close()

    assert answer.status_code == 503
    assert json.loads(answer.content)["checks"]["postgresql"] == "does not answer"
    assert "nowhere" not in answer.content.decode()


def test_readyz_names_a_migration_that_is_missing(database, monkeypatch):
    monkeypatch.setattr(health, "_expected_migrations", lambda: frozenset({("tenants", "9999_x")}))

    answer = probe("/readyz")

    assert answer.status_code == 503
    told = json.loads(answer.content)["checks"]["migrations"]
    assert told == "1 not applied, first tenants.9999_x"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("testserver", 200),
        ("operators.testserver", 200),
        ("acme.testserver", 200),
        ("ACME.testserver.", 200),
        ("stranger.testserver", 404),
        ("example.com", 404),
        ("", 404),
    ],
)
def test_only_our_hosts_may_have_a_certificate(acme, host, status):
    assert probe("/internal/tls-allowed", query_params={"domain": host}).status_code == status


def test_a_probe_leaves_no_company_behind(database):
    probe("/readyz")

    assert tenancy.current_or_none() is None
    assert not connection.in_atomic_block


def test_every_request_gets_an_id_and_keeps_the_proxy_s_when_it_is_one():
    def answer(given):
        request = RequestFactory().get("/deals/", headers={"x-request-id": given})
        return RequestLog(lambda _request: HttpResponse("x"))(request).headers["X-Request-ID"]

    assert answer("abcdef-123456") == "abcdef-123456"
    assert answer("forged\nline") != "forged\nline"
    assert len(answer("")) == 16
