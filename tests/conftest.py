"""Two companies a session, made by the script; each test's own changes are rolled back."""

import datetime as dt
import os
import uuid
from pathlib import Path

import psycopg
import pytest
from django.db import connection, connections
from django.test import Client
from psycopg.sql import SQL, Identifier

from crm_platform.kernel import tenancy
from crm_platform.ops import embedded, places
from tests import any_order

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def some_seeds(seeds: tuple[int, ...], *, usually: int) -> tuple[int, ...]:
    """The seeds of a long random test: a few, or all of them with RAPPORT_ALL_SEEDS=1."""
    return seeds if os.environ.get("RAPPORT_ALL_SEEDS") == "1" else seeds[:usually]


TEST_DATABASE = os.environ.get("RAPPORT_TEST_DATABASE", "rapport_test")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Which of several test processes this is; each has servers and folders of its own."""


def pytest_configure():
    """Look static files up when asked: each test client would list them all, about 30 ms, first.

    Servers of the tests are other processes and read the settings as they stand.
    """
    from django.conf import settings

    settings.WHITENOISE_AUTOREFRESH = True
    if os.environ.get("RAPPORT_ANY_ORDER") == "1":
        any_order.begin()


LONGEST = ("test_isolation.py", "test_faults.py", "test_screens.py", "test_console.py")
"""Files begun first, so that no process of several is left with one of them at the end."""


def pytest_collection_modifyitems(items):
    """The longest files first, browser tests last.

    Playwright leaves a running loop in its process, where Django then refuses plain queries.
    """
    items.sort(key=lambda item: ("browser" in item.keywords, item.path.name not in LONGEST))


@pytest.fixture
def broker():
    """What workers are rung for meanwhile (`tests.broker.Broker`)."""
    from tests.broker import empty_broker

    with empty_broker() as found:
        yield found


FIGURE = "figure"


@pytest.fixture
def say(record_property):
    """Tell one line of figures; all of them are printed at the end, whichever process ran them."""
    return lambda text: record_property(FIGURE, text)


def pytest_terminal_summary(terminalreporter):
    """Print what the tests measured."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    told = [text for r in reports for name, text in r.user_properties if name == FIGURE]
    if told:
        terminalreporter.section("figures")
        for text in told:
            terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def servers():
    """PostgreSQL and Redis of the tests, without fsync."""
    return embedded.start(places.data_dir(os.environ), careless=True)


@pytest.fixture(scope="session")
def database(servers, django_db_blocker):
    """An empty database with the platform's tables.

    pytest-django's own guard is lifted for good: our connection refuses by itself whatever runs
    outside a unit of work.
    """
    from django.conf import settings
    from django.core.management import call_command

    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
        name = Identifier(TEST_DATABASE)
        admin.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        roles = admin.execute(r"SELECT rolname FROM pg_roles WHERE rolname LIKE 't\_%'").fetchall()
        embedded.create_database(servers.superuser_url, database=TEST_DATABASE)
        for (role,) in roles:
            # Roles of an earlier run own nothing any more; another database may still use some.
            try:
                admin.execute(SQL("DROP ROLE {}").format(Identifier(role)))
            except psycopg.errors.DependentObjectsStillExist:
                continue
    with django_db_blocker.unblock():
        call_command("migrate_platform", verbosity=0)
        yield TEST_DATABASE
        for each in connections.all():
            each.close()


def make_company(slug: str, **facts) -> tenancy.Scope:
    """An active company with its roles and starting configuration, committed."""
    from tenants import provisioning, queries
    from tenants.models import Company, Domain

    schema = provisioning.new_schema_name()
    provisioning.build_schema(schema)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.create(
            name=facts.pop("name", slug.title()),
            slug=slug,
            schema_name=schema,
            state=Company.State.ACTIVE,
            created_at=NOON,
            time_zone="Asia/Taipei",
            **facts,
        )
        host = f"{slug}.testserver"
        Domain.objects.create(company=company, host=host)
        scope = queries.scope_of(company, host)
    from tests.factories import seed_company

    with tenancy.unit_of_work(scope):
        seed_company()
    return scope


@pytest.fixture(scope="session")
def acme(database) -> tenancy.Scope:
    return make_company("acme")


@pytest.fixture(scope="session")
def globex(database) -> tenancy.Scope:
    return make_company("globex")


class _Undone(Exception):
    """Ends a test's transaction."""


def undone_unit(scope):
    """A unit of work that is rolled back at the end, for a fixture's `yield from`."""
    connection.may_switch_scope = True
    try:
        with tenancy.unit_of_work(scope):
            yield scope
            raise _Undone
    except _Undone:
        pass
    finally:
        connection.may_switch_scope = False


@pytest.fixture
def in_acme(acme, globex):
    """The test runs inside acme; whatever it writes, in either company, is undone."""
    yield from undone_unit(acme)


@pytest.fixture
def platform_unit(database):
    """The test runs in the platform's schema and is undone."""
    yield from undone_unit(tenancy.PLATFORM)


@pytest.fixture
def client_for(acme):
    """`client_for(scope, user)` → a Django client at that company's host, signed in as `user`."""

    def make(scope, user=None, **extra) -> Client:
        from tests.factories import session_cookie

        client = Client(headers={"host": scope.host or "testserver", **extra})
        if user is not None:
            name, value = session_cookie(scope, user)
            client.cookies[name] = value
        return client

    return make


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, or a skip that says so."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.exists():
        pytest.skip("the shared data folder is absent, so the real files cannot be tried")
    return folder


@pytest.fixture
def owner(in_acme):
    from tests import factories

    return factories.user(role="owner")


@pytest.fixture
def manager(in_acme):
    from tests import factories

    return factories.user(role="manager")


@pytest.fixture
def member(in_acme):
    from tests import factories

    return factories.user(role="member")


@pytest.fixture
def viewer(in_acme):
    from tests import factories

    return factories.user(role="viewer")


def unique() -> str:
    return uuid.uuid4().hex[:8]
