"""Operators who are signed in with both factors, each of a role."""

import hashlib
import secrets

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from crm_platform.console.services import operators
from crm_platform.identity.models import Role, Session, User
from crm_platform.identity.services import second_factor, sessions
from tests.conftest import NOON, unique

PASSWORD = "correct horse battery"
HOST = {"host": "operators.testserver"}


def make_person(role: str = "platform", **facts) -> User:
    """An operator of the role, active, with the usual password and no second factor yet."""
    operators.seed_roles()
    person = User(
        email=f"{unique()}@example.com", name=facts.pop("name", f"{role.title()} Operator"),
        role=Role.objects.get(key=role), created_at=NOON, **facts,
    )  # fmt: skip
    person.set_password(PASSWORD)
    person.save()
    return person


def client_of(person: User, *, confirmed: bool = True) -> Client:
    """A browser of the operator; `confirmed` says whether the second step was taken."""
    from crm_platform.kernel import tenancy

    now, secret = timezone.now(), secrets.token_urlsafe(32)
    Session.objects.create(
        key_hash=hashlib.sha256(secret.encode()).hexdigest(), company_id=tenancy.PLATFORM.id,
        user=person, created_at=now, last_seen_at=now, expires_at=now + sessions.LONGEST,
        second_factor_at=now if confirmed else None,
    )  # fmt: skip
    client = Client(headers=HOST)
    client.cookies[settings.SESSION_COOKIE_NAME] = secret
    return client


def enrol(person: User) -> str:
    """Give the person an app; returns its secret."""
    secret = second_factor.new_secret()
    second_factor.keep_secret(user=person, secret=secret, at=NOON)
    return secret


@pytest.fixture
def platform_operator(platform_unit, acme):
    return make_person("platform", name="Petra Platform")


@pytest.fixture
def operator(platform_operator):
    return client_of(platform_operator)
