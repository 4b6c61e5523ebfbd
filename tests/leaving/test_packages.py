"""A package holds everything, is its asker's alone for a week, and can be brought in elsewhere."""

import datetime as dt
import io
import json
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from crm_core.audit.models import Entry
from crm_core.exchange import services as exchange
from crm_core.exchange.choices import Options, columns_of, options_of
from crm_core.exchange.models import ImportJob
from crm_core.leaving import parts, queries, rules, services
from crm_core.leaving.models import ExitPackage
from crm_core.notify.models import Notification
from crm_core.registry import record_types
from crm_platform.identity.models import Team, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import conftest, factories
from tests.conftest import NOON, unique

PASSWORD = "correct horse battery"
IN_ORDER = ("person", "account", "contact", "deal", "activity")


@pytest.fixture
def media(tmp_path, settings):
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture(scope="module")
def company(database):
    return conftest.make_company(f"leaving-{unique()}", name="Leaving Ltd")


@pytest.fixture
def owner(company, media):
    """The owner of a company with some of everything."""
    with tenancy.unit_of_work(company):
        ExitPackage.objects.all().delete()
        person = factories.user(role="owner", name=f"Ann {unique()}", language="en")
        team = factories.team(f"Team {unique()}")
        factories.user(role="admin", team=team)
        account = factories.account(person, name=f"=Acme {unique()}", description="-1+1\nline")
        for number in range(7):
            contact = factories.contact(person, name=f"陳 {number} {unique()}", account=account.pk)
        factories.deal(person, account=account.pk, contact=contact.pk)
        factories.activity(person, about=("account", account.pk), body="Spoke")
        upload = ContentFile(b"name\nAnn\n")
        exchange.start_import(
            kind_name="account", upload=upload, file_name="a.csv", actor=person, at=NOON
        )
    return person


def asked(company, owner):
    with tenancy.unit_of_work(company):
        actor = User.objects.get(pk=owner.pk)
        return services.ask_package(actor=actor, password=PASSWORD, at=timezone.now())


def made(company, owner):
    package = asked(company, owner)
    with tenancy.choose(company):
        services.build(package_id=package.pk, clock=timezone.now)
    with tenancy.unit_of_work(company):
        return ExitPackage.objects.get(pk=package.pk)


def opened(company, package):
    with tenancy.unit_of_work(company):
        return zipfile.ZipFile(io.BytesIO(package.file.read()))


def live_counts(company):
    with tenancy.unit_of_work(company):
        found = {
            kind.name: kind.model._default_manager.filter(deleted_at=None).count()
            for kind in record_types()
        }
        return {**found, "person": User.objects.count(), "team": Team.objects.count()}


def test_package_holds_every_record_table_and_file_and_no_secret(company, owner, say):
    package = made(company, owner)

    archive = opened(company, package)
    names = set(archive.namelist())
    manifest = json.loads(archive.read("manifest.json"))
    with tenancy.unit_of_work(company):
        tables = {m._meta.db_table: m._default_manager.count() for m in parts.data_models()}
        job = ImportJob.objects.order_by("-pk").first()
        asked_entries = Entry.objects.filter(verb__startswith="package.").count()
    assert {f"csv/{kind.slug}.csv" for kind in record_types()} <= names
    for table, count in tables.items():
        lines = archive.read(f"json/{table}.jsonl").splitlines()
        later = 1 + asked_entries if table in ("audit_entry", "notify_notification") else 0
        assert count - later <= len(lines) <= count, table
        assert manifest["rows"][f"json/{table}.jsonl"] == len(lines)
    assert archive.read(f"files/{job.file.name.rpartition('/')[2]}") == b"name\nAnn\n"
    assert json.loads(archive.read("configuration.json"))["sales.Stage"]
    text = b"".join(archive.read(name) for name in names if not name.startswith("files/"))
    assert b"md5$" not in text
    assert b"password" not in archive.read("json/identity_user.jsonl")
    assert not [name for name in names if "session" in name or "token" in name]
    assert "Leaving Ltd" in archive.read("README.txt").decode()
    say(f"exit package: {package.row_count} rows, {len(names)} parts, {package.size_bytes} bytes")


def test_package_of_one_company_comes_into_another_with_the_same_counts(company, owner, say):
    archive = opened(company, made(company, owner))
    other = conftest.make_company(f"arrived-{unique()}")
    with tenancy.unit_of_work(other):
        actor = factories.user(role="owner")
    before = live_counts(other)

    for kind in IN_ORDER:
        slug = "people" if kind == "person" else next(
            each.slug for each in record_types() if each.name == kind
        )  # fmt: skip
        bring_in(other, kind, archive.read(f"csv/{slug}.csv"), actor)

    here, there = live_counts(company), live_counts(other)
    assert {name: there[name] - before[name] for name in here} == here
    say(f"exit package brought in: {here}")


def bring_in(scope, kind, content, actor):
    options = Options(
        identify="email" if kind == "person" else "", links="create", owners="me", stages="create"
    )
    with tenancy.unit_of_work(scope):
        job = exchange.start_import(
            kind_name=kind, upload=ContentFile(content), file_name="x.csv", actor=actor, at=NOON
        )
        chosen = options_of(job.options).as_json() | options.as_json()
        exchange.choose(
            job=job, columns=columns_of(job.columns), actor=actor, options=Options(**chosen)
        )
        exchange.start(job=job, actor=actor, at=NOON, ring=False)
    with tenancy.choose(scope):
        exchange.run(job_id=job.pk, clock=lambda: NOON)
    with tenancy.unit_of_work(scope):
        job = ImportJob.objects.get(pk=job.pk)
        issues = list(job.issues.values_list("outcome", "reason")[:5])
    assert (job.state, job.failed, job.skipped) == ("done", 0, 0), (kind, issues)
    assert job.created == job.total


def test_only_an_owner_with_the_right_password_asks_and_one_at_a_time(company, owner):
    with tenancy.unit_of_work(company):
        admin = User.objects.filter(role__key="admin").first()
        with pytest.raises(NotAllowed):
            services.ask_package(actor=admin, password=PASSWORD, at=NOON)
        actor = User.objects.get(pk=owner.pk)
        with pytest.raises(Invalid, match="not your current password"):
            services.ask_package(actor=actor, password="wrong", at=NOON)
    asked(company, owner)
    with pytest.raises(Conflict, match="already"):
        asked(company, owner)


def test_download_is_counted_and_audited_and_ends_after_a_week(company, owner):
    package = made(company, owner)
    at = package.finished_at

    with tenancy.unit_of_work(company):
        link = services.link_of(package)
        actor = User.objects.get(pk=owner.pk)
        found, stream = services.download(link=link, actor=actor, at=at)
        assert found.pk == package.pk
        assert stream.read(2) == b"PK"
        stream.close()
        package.refresh_from_db()
        assert package.downloads == 1
        assert Entry.objects.filter(verb="package.downloaded", actor_id=owner.pk).count() >= 1
        with pytest.raises(NotFound):
            services.download(link=link, actor=actor, at=at + rules.KEPT)
        with pytest.raises(Invalid):
            services.download(link=link[:-1] + "x", actor=actor, at=at)
        other = factories.user(role="owner")
        with pytest.raises(NotFound, match="somebody else"):
            services.download(link=link, actor=other, at=at)
        with pytest.raises(NotAllowed):
            services.download(link=link, actor=factories.user(role="admin"), at=at)
        assert Notification.objects.filter(user_id=owner.pk, kind="package.ready").exists()


def test_link_of_one_company_opens_nothing_in_another(company, owner, acme):
    package = made(company, owner)
    with tenancy.unit_of_work(company):
        link = services.link_of(package)

    with tenancy.unit_of_work(acme), pytest.raises(Invalid):
        services.download(link=link, actor=factories.user(role="owner"), at=package.finished_at)


def test_package_is_removed_when_its_week_ended(company, owner):
    package = made(company, owner)
    with tenancy.unit_of_work(company):
        path, storage = package.file.name, package.file.storage
        services.sweep(at=package.expires_at - dt.timedelta(seconds=1))
        assert storage.exists(path)
    with tenancy.unit_of_work(company):
        services.sweep(at=package.expires_at)
    with tenancy.unit_of_work(company):
        assert not storage.exists(path)
        assert ExitPackage.objects.get(pk=package.pk).state == "removed"


def test_package_left_by_a_dead_worker_is_made_by_the_next(company, owner):
    package = asked(company, owner)
    at = timezone.now()
    with tenancy.unit_of_work(company):
        ExitPackage.objects.filter(pk=package.pk).update(
            state="running", lease_until=at + rules.LEASE
        )
        assert queries.waiting_ids(at) == []
    with tenancy.choose(company):
        services.build(package_id=package.pk, clock=lambda: at)
    late = at + rules.LEASE + dt.timedelta(seconds=1)
    with tenancy.unit_of_work(company):
        assert queries.waiting_ids(late) == [package.pk]

    with tenancy.choose(company):
        services.build(package_id=package.pk, clock=lambda: late)

    with tenancy.unit_of_work(company):
        assert ExitPackage.objects.get(pk=package.pk).state == "done"


def test_fault_is_kept_and_tried_three_times(company, owner, settings):
    package = asked(company, owner)
    settings.MEDIA_ROOT = "/dev/null/nowhere"
    at = timezone.now()
    for _ in range(rules.MOST_ATTEMPTS):
        with tenancy.choose(company), pytest.raises(OSError, match="nowhere"):
            services.build(package_id=package.pk, clock=lambda: at)  # noqa: B023
        at += rules.LEASE + dt.timedelta(seconds=1)
    with tenancy.unit_of_work(company):
        found = ExitPackage.objects.get(pk=package.pk)
        assert found.state == "failed"
        assert "on our side" in found.error


def test_page_asks_for_the_password_shows_progress_and_gives_the_file(company, owner):
    client = Client(headers={"host": company.host})
    name, value = factories.session_cookie(company, owner)
    client.cookies[name] = value

    assert "Make the package" in client.get("/settings/package/").content.decode()
    assert client.post("/settings/package/", {"password": "wrong"}).status_code == 422
    assert client.post("/settings/package/", {"password": PASSWORD}).status_code == 302
    with tenancy.unit_of_work(company):
        package = ExitPackage.objects.get(state__in=queries.OPEN)
        queries.say_progress(package.pk, 3, 10)
    bar = client.get(f"/settings/package/{package.pk}/progress/").content.decode()
    assert 'value="30"' in bar
    assert 'value="30"' in client.get("/settings/package/").content.decode()
    with tenancy.choose(company):
        services.build(package_id=package.pk, clock=timezone.now)
    assert client.get(f"/settings/package/{package.pk}/progress/").status_code == 302
    page = client.get("/settings/package/").content.decode()
    link = page.partition('href="/settings/package/download/')[2].partition('"')[0]
    answer = client.get(f"/settings/package/download/{link}")
    assert answer.streaming
    assert b"".join(answer.streaming_content)[:2] == b"PK"
    assert "attachment" in answer["Content-Disposition"]
    client.post(f"/settings/package/{package.pk}/remove/")
    assert client.get(f"/settings/package/download/{link}").status_code == 404
