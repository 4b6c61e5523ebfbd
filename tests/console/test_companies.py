"""The list of companies and one company's page: finding, health, notes, upgrades."""

import datetime as dt
import uuid

import pytest

from crm_platform.console.models import CompanyFacts, CompanyNote, OperatorEntry, TaskFailure
from crm_platform.console.queries import companies as queries
from crm_platform.console.services import companies as services
from crm_platform.kernel.errors import Invalid, NotAllowed, NotFound
from tenants.models import Company
from tenants.upgrades.models import Release
from tests.conftest import NOON, unique
from tests.console.conftest import client_of, make_person

WANTED = queries.Wanted


@pytest.fixture
def many(platform_unit, acme, globex):
    """Sixty more companies, each of its own size; undone with the test."""
    word = unique()
    return word, Company.objects.bulk_create(
        Company(
            name=f"{word} {number:02}", slug=f"{word}-{number:02}", schema_name=f"t_{word}{number}",
            state="active", created_at=NOON, size_bytes=number * 3 * queries.MIB,
            release=f"2026.{number % 3}", ring="canary" if number % 2 else "rest",
            last_used_at=None if number % 5 else NOON,
        )
        for number in range(60)
    )  # fmt: skip


def names(wanted, newest="2026.2"):
    return set(queries.companies(wanted, newest=newest, at=NOON).values_list("name", flat=True))


def test_every_filter_narrows(many):
    word, _rows = many

    def count(**asked):
        return len(names(WANTED(text=word, **asked)))

    assert count() == 60
    assert (count(ring="canary"), count(release="2026.1"), count(state="failed")) == (30, 20, 0)
    assert (count(size="s"), count(size="m"), count(size="l")) == (4, 30, 26)
    assert (count(used="never"), count(used="week"), count(used="longer")) == (48, 12, 0)
    assert (count(health="ok"), count(health="warn"), count(health="bad")) == (20, 40, 0)
    assert count(state="nonsense", ring="x", size="x", used="x", health="x") == 60


def test_releases_are_in_the_order_they_were_built_not_of_their_names(many):
    _word, rows = many
    for days, version in enumerate(("2026.9", "2026.10")):
        Release.objects.create(
            version=version, built_at=NOON + days * queries.DAY, head=[], script="", fingerprint="",
        )  # fmt: skip
        Company.objects.filter(pk=rows[days].pk).update(release=version)
    assert queries.releases()[:2] == ["2026.10", "2026.9"]
    assert queries.newest_release() == "2026.10"


def test_health_tells_failures_from_lagging_behind(many):
    word, rows = many
    TaskFailure.objects.create(
        key_hash="a", company_id=rows[2].pk, task="t", error="E", first_at=NOON, last_at=NOON
    )
    TaskFailure.objects.create(
        key_hash="b", company_id=rows[5].pk, task="t", error="E", first_at=NOON, last_at=NOON,
        resolved_at=NOON,
    )  # fmt: skip
    CompanyFacts.objects.create(company=rows[8], surveyed_at=NOON, imports_failed=2, mail_failed=1)

    found = {each.pk: each for each in queries.described("2026.2").filter(name__startswith=word)}

    assert (found[rows[2].pk].health, found[rows[2].pk].errors) == ("bad", 1)
    assert (found[rows[5].pk].health, found[rows[5].pk].errors) == ("ok", 0)
    assert (found[rows[8].pk].health, found[rows[8].pk].errors) == ("warn", 3)
    assert found[rows[0].pk].health == "warn"
    assert names(WANTED(text=word, health="bad")) == {rows[2].name}


def test_owners_mail_finds_the_company(many):
    _word, rows = many
    CompanyFacts.objects.create(company=rows[8], surveyed_at=NOON, owner_email="boss@harbour.tw")

    assert names(WANTED(text="boss@harbour")) == {rows[8].name}


@pytest.mark.parametrize("column", sorted(queries.SORTS))
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_of_every_order_hold_each_company_once(many, column, sign):
    word, rows = many
    found = queries.companies(WANTED(text=word), newest="2026.2", at=NOON)

    first, more = queries.page_of(found, sort=sign + column, after="")
    second, end = queries.page_of(found, sort=sign + column, after=more)

    assert (len(first), len(second), end) == (50, 10, "")
    assert {each.pk for each in [*first, *second]} == {each.pk for each in rows}


@pytest.mark.parametrize("after", ["nonsense", "WyJ4IiwieSJd", "W11"])
def test_damaged_place_is_a_refusal(operator, after):
    for sort in ("-created", "size", "name"):
        assert operator.get("/", {"after": after, "sort": sort}).status_code == 422


def test_list_shows_more_and_costs_the_same(operator, many, django_assert_max_num_queries):
    word, _rows = many
    page = operator.get("/", {"q": word}).content.decode()
    assert "More companies" in page
    assert "behind" in page
    with django_assert_max_num_queries(9):
        operator.get("/", {"q": word})


def test_page_of_a_company_shows_what_the_survey_saw(operator, globex):
    CompanyFacts.objects.create(
        company_id=globex.id, surveyed_at=NOON, owner_email="boss@globex.example", imports_failed=7
    )
    page = operator.get(f"/companies/{globex.id}/").content.decode()

    assert "boss@globex.example" in page
    assert globex.host in page
    assert operator.get(f"/companies/{uuid.UUID(int=1)}/").status_code == 404


def test_notes_are_kept_with_their_author(operator, platform_operator, globex):
    path = f"/companies/{globex.id}/notes/"
    assert operator.post(path, {"body": " "}).status_code == 422
    operator.post(path, {"body": "Calls on <b>Fridays</b>"})

    assert CompanyNote.objects.get(company_id=globex.id).author_id == platform_operator.pk
    page = operator.get(f"/companies/{globex.id}/").content.decode()
    assert "Calls on &lt;b&gt;Fridays" in page
    assert "Left a note" in page
    with pytest.raises(NotFound):
        services.add_note(company_id=uuid.UUID(int=9), body="x", actor=platform_operator, at=NOON)


def test_ring_and_window_are_planned_and_told(operator, platform_operator, globex):
    path = f"/companies/{globex.id}/upgrades/"
    assert operator.post(path, {"ring": "x", "window_from": 1, "window_to": 2}).status_code == 422
    operator.post(path, {"ring": "early", "window_from": 1, "window_to": 5})

    company = Company.objects.get(pk=globex.id)
    assert (company.ring, company.window_from, company.window_to) == ("early", 1, 5)
    entry = OperatorEntry.objects.get(verb="company.upgrades_planned")
    assert entry.facts["ring"] == ["rest", "early"]
    for ring, hour in (("x", 1), ("early", 24)):
        with pytest.raises(Invalid):
            services.set_upgrade_plan(
                company_id=globex.id, ring=ring, window_from=hour, window_to=1,
                actor=platform_operator, at=NOON,
            )  # fmt: skip


def test_operators_limit_what_a_company_chose(operator, globex):
    path = f"/companies/{globex.id}/upgrades/"
    wish = NOON + dt.timedelta(days=9000)
    Company.objects.filter(pk=globex.id).update(upgrade_after=wish, window_from=9)
    shown = operator.get(f"/companies/{globex.id}/").content.decode()
    assert "The company asked to wait until" in shown

    plan = {"ring": "rest", "window_from": 9, "window_to": 5}
    operator.post(path, {**plan, "is_fixed": "on", "ends_wait": "on"})

    company = Company.objects.get(pk=globex.id)
    assert (company.upgrades_fixed, company.upgrade_after) == (True, None)
    entry = OperatorEntry.objects.get(verb="company.upgrades_planned")
    assert entry.facts["upgrades_fixed"] == [False, True]
    assert entry.facts["upgrade_after"] == [wish.isoformat(), None]
    operator.post(path, plan)
    assert not Company.objects.get(pk=globex.id).upgrades_fixed


def test_services_ask_for_the_role_themselves(platform_unit, globex):
    auditor = make_person("auditor")
    for act in (
        lambda: services.suspend(company_id=globex.id, reason="x", actor=auditor, at=NOON),
        lambda: services.retry(company_id=globex.id, actor=auditor, at=NOON),
        lambda: services.add_note(company_id=globex.id, body="x", actor=auditor, at=NOON),
        lambda: services.set_upgrade_plan(
            company_id=globex.id, ring="rest", window_from=1, window_to=2, actor=auditor, at=NOON
        ),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_auditor_sees_the_page_and_no_button(platform_unit, globex):
    page = client_of(make_person("auditor")).get(f"/companies/{globex.id}/").content.decode()

    assert "/suspend/" not in page
    assert "/notes/" not in page
    assert "/upgrades/" not in page
