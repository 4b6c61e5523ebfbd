"""What's new: who reads what, the dot, what reading changes, and that no page pays for it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_core.web import news
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tenants import queries
from tenants.models import Company
from tenants.upgrades import whats_new
from tenants.upgrades.models import Release
from tests import factories
from tests.conftest import NOON

DOT = "There is something new to read"


def said(text, **roles):
    return {"en": {"all": [f"{text} for all"], **{r: [s] for r, s in roles.items()}}}


@pytest.fixture
def told(in_acme):
    """Acme stands at r2 of three; all of it is undone."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        before = None
        for number, notes in enumerate(
            (said("First"), {**said("Second", admin="Second for admins"),
                             "zh-hant": {"all": ["第二"]}}, said("Third")), 1
        ):  # fmt: skip
            before = Release.objects.create(
                version=f"r{number}", previous=before, built_at=NOON, head=[], script="",
                fingerprint="", notes=notes,
            )  # fmt: skip
        Company.objects.filter(pk=in_acme.id).update(release="r2")
    queries.forget_hosts()
    yield queries.scope_of_host(in_acme.host)
    queries.forget_hosts()
    whats_new.forget()


@pytest.fixture
def browser_of(told, client_for):
    return lambda user: client_for(told, user)


def page(client, path="/whats-new/", **headers):
    return client.get(path, headers=headers).content.decode()


def test_reader_sees_the_releases_passed_newest_first_and_only_their_roles(browser_of, in_acme):
    shown = page(browser_of(factories.user(role="member")))
    admins = page(browser_of(factories.user(role="admin")))

    assert shown.index("Second for all") < shown.index("First for all")
    assert "Third" not in shown
    assert "Second for admins" not in shown
    assert "Second for admins" in admins
    assert "For you as Admin" in admins


def test_reader_of_chinese_reads_chinese_and_english_where_there_is_none(browser_of):
    shown = page(browser_of(factories.user(role="admin", language="zh-hant")))

    assert "第二" in shown
    assert "Second for all" not in shown
    assert "First for all" in shown


def test_dot_stands_until_the_news_are_read_and_comes_again_with_the_next(browser_of, told):
    user = factories.user(role="member")
    client = browser_of(user)
    assert DOT in page(client, "/help/")

    assert DOT not in page(client)
    assert DOT not in page(client, "/help/")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=told.id).update(release="r3")
    queries.forget_hosts()
    assert DOT in page(client, "/help/")
    with tenancy.unit_of_work(told):
        assert User.objects.get(pk=user.pk).preferences[news.READ] == "r2"


def test_page_fetched_ahead_is_not_read(browser_of):
    client = browser_of(factories.user(role="member"))

    assert DOT in page(client, sec_purpose="prefetch")
    assert DOT in page(client, "/help/")


def test_reading_keeps_the_other_preferences(browser_of, told):
    user = factories.user(role="member")
    with tenancy.unit_of_work(told):
        User.objects.filter(pk=user.pk).update(preferences={"setup_done": True})

    page(browser_of(user))

    with tenancy.unit_of_work(told):
        assert User.objects.get(pk=user.pk).preferences == {"setup_done": True, news.READ: "r2"}


def test_badge_marks_what_was_not_read_yet(browser_of):
    user = factories.user(role="member")
    client = browser_of(user)

    assert page(client).count(">New<") == 1
    assert page(client).count(">New<") == 0


def test_company_without_news_says_so_and_has_no_dot(in_acme, client_for, owner):
    shown = page(client_for(in_acme, owner))

    assert "Nothing new yet" in shown
    assert DOT not in shown


def test_dot_costs_no_query(browser_of):
    client = browser_of(factories.user(role="member"))
    page(client, "/help/")
    with CaptureQueriesContext(connection) as captured:
        assert DOT in page(client, "/help/")
    sent = [q["sql"] for q in captured if "SAVEPOINT" not in q["sql"]]

    assert not [sql for sql in sent if "upgrades_" in sql]
    assert len([sql for sql in sent if sql.startswith("SELECT")]) <= 2, "\n".join(sent)


def test_palette_and_menu_lead_there(browser_of):
    client = browser_of(factories.user(role="viewer"))

    assert 'href="/whats-new/"' in page(client, "/palette/?q=new")
    assert 'class="mi" href="/whats-new/"' in page(client, "/help/")
