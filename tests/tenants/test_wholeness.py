"""A company whose tables are not this code's is refused alone, and reads nobody else's (T5)."""

import psycopg
import pytest
from django.test import Client

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from tenants import provisioning, wholeness
from tests.conftest import make_company, unique


@pytest.fixture
def doomed(database):
    """A company of its own that a test may damage."""
    return make_company(f"doomed-{unique()}")


def owner_runs(statement):
    connection = owner_connection()
    connection.ensure_connection()
    connection.connection.execute(statement)


def status_of(scope):
    client = Client(headers={"host": scope.host}, raise_request_exception=False)
    return client.get("/sign-in/").status_code


def test_company_whose_migrations_lag_is_refused_alone(doomed, acme):
    assert status_of(doomed) == 200
    owner_runs(f"DELETE FROM {doomed.schema}.django_migrations WHERE app = 'identity'")
    wholeness.forget(doomed.id)

    assert status_of(doomed) == 503
    assert status_of(acme) == 200


def test_company_ahead_of_this_code_is_served(doomed):
    owner_runs(
        f"INSERT INTO {doomed.schema}.django_migrations (app, name, applied)"
        " VALUES ('identity', '9999_from_the_future', now())"
    )
    wholeness.forget(doomed.id)

    assert status_of(doomed) == 200


def test_dropped_table_never_falls_back_to_the_platforms(doomed, acme):
    assert status_of(doomed) == 200
    with tenancy.unit_of_work(tenancy.PLATFORM):
        from crm_platform.identity.models import Attempt

        before = Attempt.objects.count()
    owner_runs(f"DROP TABLE {doomed.schema}.identity_attempt")
    client = Client(headers={"host": doomed.host}, raise_request_exception=False)

    first = client.post("/sign-in/", {"email": "a@example.com", "password": "guess guess"})
    second = client.get("/sign-in/")

    assert (first.status_code, second.status_code) == (500, 503)
    assert status_of(acme) == 200
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Attempt.objects.count() == before


def test_company_is_looked_at_once_a_process(doomed, django_assert_max_num_queries):
    status_of(doomed)

    with django_assert_max_num_queries(3):  # BEGIN is not counted; none asks for migrations
        status_of(doomed)


def test_company_sees_only_its_own_tables(doomed, acme):
    wanted = provisioning.company_tables()

    assert provisioning.missing_tables(doomed.schema) == set()
    assert provisioning.missing_tables("no_such_schema") == wanted
    with psycopg.connect(**_app_login()) as app:
        app.execute(f"SET ROLE {doomed.schema}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(f"SELECT * FROM {acme.schema}.identity_user")


def _app_login():
    from django.db import connection

    params = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    return {name: params[name] for name in names if params.get(name)}
