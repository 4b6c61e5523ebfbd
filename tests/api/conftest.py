"""A program with a person's key, as the tests of the API see it."""

import datetime as dt
import json
import secrets

import pytest
from django.test import Client
from django.utils import timezone

from crm_platform.identity import onetime
from crm_platform.identity.models import ApiToken
from crm_platform.identity.services import tokens
from crm_platform.kernel import tenancy


class Program:
    """Sends JSON with a key; `last` is the answer."""

    def __init__(self, scope, key, **headers):
        self.key = key
        self.client = Client(
            headers={
                "host": scope.host,
                **({"authorization": f"Bearer {key}"} if key else {}),
                **headers,
            },
            raise_request_exception=True,
        )

    def send(self, method, path, body=None, **headers):
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        content = {} if body is None else {"data": text, "content_type": "application/json"}
        return self.client.generic(
            method, path if path.startswith("/") else f"/api/v1/{path}", headers=headers, **content
        )

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.send("POST", path, body, **headers)

    def patch(self, path, body, **headers):
        headers.setdefault("if_match", "*")
        return self.send(
            "PATCH", path, body, **{k.replace("_", "-"): v for k, v in headers.items() if v}
        )

    def delete(self, path, **headers):
        return self.send("DELETE", path, **headers)


def key_of(person, scope="write", days=30, at=None):
    """A key of `person`, written even where their role may make none."""
    at = at or timezone.now()
    if "api.tokens" in person.role.abilities:
        return tokens.make_token(user=person, name="erp", scope=scope, days=days, at=at)[1]
    key = f"rap_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(
        user=person,
        name="erp",
        prefix=key[4:12],
        key_hash=onetime.hash_of(key),
        scope=scope,
        created_at=at,
        expires_at=at + dt.timedelta(days=days),
    )
    return key


@pytest.fixture(autouse=True)
def _no_throttle(settings):
    """Tests ask more often than programs should."""
    settings.COMPANY_LIMITS = {
        **settings.COMPANY_LIMITS, "api_requests": 10**9, "api_key_requests": 10**9,
    }  # fmt: skip


@pytest.fixture
def program_of(in_acme):
    """`program_of(person)` → a program with that person's key at acme."""

    def make(person, scope="write", **headers):
        return Program(tenancy.current(), key_of(person, scope), **headers)

    return make


@pytest.fixture
def program(program_of, manager):
    return program_of(manager)


def demand_problem(answer, status, code=None, field=None):
    """Assert that an answer is a problem document of that status; returns it."""
    assert answer.status_code == status, (answer.status_code, answer.content[:400])
    assert answer["Content-Type"] == "application/problem+json"
    found = answer.json()
    assert set(found) == {"type", "title", "status", "code", "detail", "errors"}
    assert found["status"] == status
    assert found["detail"]
    assert found["title"]
    assert found["type"].endswith(f"#problem-{found['code']}")
    if code:
        assert found["code"] == code
    if field:
        assert field in [each["field"] for each in found["errors"]], found
    return found
