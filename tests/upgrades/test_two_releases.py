"""The code of today serves one company at the newest release and one at the release before."""

import pytest
from django.test import Client

from crm_platform.kernel import tenancy
from tenants import provisioning
from tenants.upgrades import building, running, services
from tenants.upgrades.fingerprints import fingerprint_of
from tenants.upgrades.models import Release
from tests.conftest import NOON
from tests.upgrades.conftest import again, company_at, forget
from tests.upgrades.smoke import Day
from tests.upgrades.test_releases import clock, raw, run_of


def last_steps():
    """Migrations that no other needs, as a last release may have brought them; one whole app."""
    loader = provisioning.company_loader()
    graph, ours = loader.graph, set(provisioning.company_migrations())
    needed = {parent.key for key in ours for parent in graph.node_map[key].parents}
    free = sorted(ours - needed, key=lambda each: (each[1].startswith("0001_"), each))
    later = [each for each in free if not each[1].startswith("0001_")]
    return free[: len(later) + 1]


LAST = last_steps()


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")


def release_without(missing):
    """The release before the migration `missing`, as it was kept then."""
    head = [list(each) for each in provisioning.company_migrations() if each != missing]
    applied = frozenset((app, name) for app, name in head)
    script, schema = provisioning.company_script(applied), provisioning.new_schema_name()
    provisioning.build_schema(schema, script=script)
    try:
        fingerprint = fingerprint_of(raw(), schema)
    finally:
        provisioning.remove_schema(schema)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Release.objects.create(
            version="r0", built_at=NOON, head=head, script=script, fingerprint=fingerprint,
            state=Release.State.DONE,
        )  # fmt: skip


@pytest.mark.parametrize("missing", LAST, ids=".".join)
def test_code_of_today_beside_tables_of_the_release_before(ledger, missing, say):
    """Served in full, or politely refused alone until its turn comes; never an error."""
    behind = company_at(release_without(missing))
    release = building.build_release(version="r1", at=NOON)
    level = company_at(release)
    served = missing not in provisioning.indispensable_migrations()

    answered = Day(behind).walk() if served else refused(behind)
    others = Day(level).walk()
    assert (again(behind).release, again(level).release) == ("r0", "r1")

    services.plan_release(version="r1", at=NOON)
    services.start(version="r1", at=NOON)
    assert running.work(version="r1", clock=clock, any_hour=True).upgraded == 1
    assert run_of(behind).checks
    forget()
    if not served:
        Day(behind).walk()
    word = "served" if served else "503"
    say(f"without {'.'.join(missing)}: {word}, requests={answered}, beside it {others} of 200/302")


def refused(company):
    """Every door of the company says it is being upgraded, and when to come again."""
    client = Client(headers={"host": f"{company.slug}.testserver"})
    answers = [client.get(path) for path in ("/", "/sign-in/", "/deals/board/")]
    answers += [client.post("/sign-in/", {}), client.get("/api/v1/accounts/")]
    assert [answer.status_code for answer in answers] == [503] * len(answers)
    assert all(int(answer["Retry-After"]) > 0 for answer in answers)
    return len(answers)


def test_code_of_today_beside_tables_one_step_ahead(fleet, future, settings, say):
    """The release runs while the old processes still serve: they meet wider tables."""
    ahead, level = fleet(2)
    building.build_release(version="r2", at=NOON)
    services.plan_release(version="r2", at=NOON)
    services.hold(run_id=run_of(level).pk)
    services.start(version="r2", at=NOON)
    running.work(version="r2", clock=clock, any_hour=True)
    settings.MIGRATION_MODULES = {}
    forget()

    assert (again(ahead).release, again(level).release) == ("r2", "r1")
    figures = [Day(company).walk() for company in (ahead, level)]
    say(f"code between two releases: {figures[0]} requests ahead, {figures[1]} level, 0 refused")
    assert figures[0] == figures[1]


def test_there_is_a_last_step_of_either_kind(database):
    """Else half of the test above would test nothing."""
    indispensable = provisioning.indispensable_migrations()
    assert {each in indispensable for each in LAST} == {True, False}
