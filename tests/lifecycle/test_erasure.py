"""T15, T19: an erased company leaves a proof and nothing else, wherever its eraser is cut off."""

import datetime as dt
import io
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from psycopg.sql import SQL, Identifier

from crm_platform.console.services.operators import make_operator
from crm_platform.identity import tasks as identity_tasks
from crm_platform.identity.models import OutgoingMail, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed
from crm_platform.kernel.tasks import envelope
from crm_platform.signup.models import SignUp
from tenants import provisioning, queries, services
from tenants.backups import services as backups
from tenants.backups.models import Backup
from tenants.erasure import acts, places, running
from tenants.lifecycle import clock
from tenants.models import Company, Domain, DomainClaim, Erasure
from tenants.upgrades.models import Release, SchemaRun, Wave
from tests import factories
from tests.conftest import NOON, TEST_DATABASE, make_company, unique
from tests.isolation import ledger
from tests.locks import wait_until_free

ROOT = Path(__file__).resolve().parents[2]
State = Company.State
DAY = dt.timedelta(days=1)
CANARY = "canary7erasure"


@pytest.fixture
def operators(database):
    """Two operators."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        emails = [f"op-{unique()}@example.com" for _ in range(2)]
        for email in emails:
            make_operator(email=email, password="correct horse battery", reset=False, at=NOON)
        found = [User.objects.select_related("role").get(email=email) for email in emails]
    yield found
    with tenancy.unit_of_work(tenancy.PLATFORM):
        User.objects.filter(email__in=emails).update(is_active=False)


def fill(scope):
    """Leave a canary in every kind of place; returns how many rows the schema has."""
    with tenancy.unit_of_work(scope):
        owner = User.objects.filter(role__key="owner").first() or factories.user(role="owner")
        factories.account(owner, name=CANARY)
        default_storage.save("x.txt", ContentFile(CANARY.encode()))
        cache.set(CANARY, CANARY, timeout=None)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        DomainClaim.objects.create(
            company_id=scope.id, host=f"{unique()}.example.com", token=CANARY, created_at=NOON
        )
    return rows_of(scope.schema)


def rows_of(schema):
    raw = owner_connection().connection
    count = SQL("SELECT count(*) FROM {}.{}")
    return {
        table: raw.execute(count.format(Identifier(schema), Identifier(table))).fetchone()[0]
        for table in ledger.tables_of(schema)
    }


def finish(erasure_id, at=NOON):
    assert running.run(erasure_id=erasure_id, at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Erasure.objects.get(pk=erasure_id)


def row_of(scope):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Erasure.objects.get(company_id=scope.id, withdrawn_at=None)


def begin(scope):
    """Close a company, and let its retention end."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=scope.id).update(state=State.CLOSED, state_until=NOON - DAY)
    assert acts.begin_by_retention(company_id=scope.id, at=NOON)
    return row_of(scope)


def test_company_whose_retention_ends_is_erased_with_a_proof_and_a_letter(house):
    counts = fill(house.scope)
    house.put(State.CLOSED, until=NOON + 7 * DAY)
    for day in range(9):
        clock.run(at=NOON + day * DAY)
    assert house.row.state == State.ERASED
    client = Client(headers={"host": house.scope.host})
    assert client.get("/sign-in/").status_code == 404
    assert queries.working_scope(house.scope.id) is None
    assert running.due_ids(at=NOON + 7 * DAY) == []

    ended = finish(row_of(house.scope).pk, at=NOON + 9 * DAY)

    proof = ended.proof
    assert proof["tables"] == counts
    assert (proof["rows"], proof["files"], proof["file_bytes"]) == (
        sum(counts.values()), 1, len(CANARY),
    )  # fmt: skip
    assert proof["cache_keys"] >= 1
    assert (proof["rule"], proof["requested_by"], proof["confirmed_by"]) == ("retention", "", "")
    assert proof["names_retired"] == [house.scope.slug, house.scope.schema]
    assert house.owner.email not in str(proof)
    assert running.digest(proof) == ended.sha256
    assert running.digest({**proof, "rows": proof["rows"] - 1}) != ended.sha256
    assert house.events("company.erased")[0].facts["sha256"] == ended.sha256
    with tenancy.unit_of_work(tenancy.PLATFORM):
        mail = OutgoingMail.objects.filter(to=house.owner.email).latest("pk")
    assert mail.subject == f"{house.scope.name} was erased"
    assert ended.sha256 in mail.body
    assert running.run(erasure_id=ended.pk, at=NOON + 10 * DAY)
    assert row_of(house.scope).finished_at == ended.finished_at


def test_two_different_operators_are_needed(house, operators, owner_of_company):
    first, second = operators
    scope = house.scope
    names = {"name": scope.name, "schema": scope.schema}
    with pytest.raises(NotAllowed):
        acts.request(company_id=scope.id, reason="x", actor=owner_of_company, at=NOON)
    with pytest.raises(Invalid):
        acts.request(company_id=scope.id, reason=" ", actor=first, at=NOON)
    row = acts.request(company_id=scope.id, reason="asked by letter", actor=first, at=NOON)
    with pytest.raises(Conflict):
        acts.request(company_id=scope.id, reason="again", actor=second, at=NOON)
    with pytest.raises(NotAllowed, match="Somebody else"):
        acts.confirm(erasure_id=row.pk, actor=first, at=NOON, **names)
    with pytest.raises(Invalid):
        acts.confirm(erasure_id=row.pk, actor=second, at=NOON, name=scope.name, schema="t_x")
    with pytest.raises(Conflict, match="older than a week"):
        acts.confirm(erasure_id=row.pk, actor=second, at=NOON + 7 * DAY, **names)
    assert house.row.state == State.ACTIVE
    acts.withdraw(erasure_id=row.pk, actor=second, at=NOON)
    with pytest.raises(Conflict):
        acts.confirm(erasure_id=row.pk, actor=second, at=NOON, **names)
    row = acts.request(company_id=scope.id, reason="once more", actor=second, at=NOON)

    acts.confirm(erasure_id=row.pk, actor=first, at=NOON, **names)

    assert house.row.state == State.ERASED
    ended = finish(row.pk)
    said = [ended.proof[key] for key in ("rule", "reason", "requested_by", "confirmed_by")]
    assert said == ["operators", "once more", second.email, first.email]


@pytest.fixture
def owner_of_company(house):
    with tenancy.unit_of_work(house.scope):
        return User.objects.select_related("role").get(pk=house.owner.pk)


def found_anywhere(word, ids):
    """Where a word, or one of the companies' ids as a place, still stands."""
    raw = owner_connection().connection
    schemas = raw.execute(r"SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%'")
    found = []
    asked = SQL("SELECT count(*) FROM {}.{} r WHERE r::text LIKE %s")
    for (schema,) in schemas.fetchall():
        if schema == "information_schema":
            continue
        for table in ledger.tables_of(schema):
            query = asked.format(Identifier(schema), Identifier(table))
            if raw.execute(query, [f"%{word}%"]).fetchone()[0]:
                found.append(f"{schema}.{table}")
    media = Path(settings.MEDIA_ROOT)
    found += [str(p) for p in media.rglob("*") if p.is_file() and word.encode() in p.read_bytes()]
    with redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]) as client:
        found += [key for key in client.scan_iter() if any(str(i).encode() in key for i in ids)]
    for each in ids:
        found += places.queued_of(each)
    return found


def test_t19_twenty_companies_come_and_go_and_nothing_of_them_is_left(
    database, broker, say, settings
):
    settings.CELERY_BROKER_URL = settings.ENVIRONMENT.celery_broker_url
    ids, schemas, rows, files, queued = [], set(), 0, 0, 0
    bystander = make_company(f"by-{unique()}")
    for number in range(20):
        scope = make_company(f"gone-{number}-{unique()}")
        before = ledger.checksums(bystander.schema)
        fill(scope)
        with current_app.connection_for_write(settings.CELERY_BROKER_URL) as broker:
            for each in (scope, bystander):
                identity_tasks.send_waiting_mail.apply_async(
                    headers=envelope(each), connection=broker
                )
        if number == 0:
            assert len(found_anywhere(CANARY, [scope.id])) >= 4, "The control saw too little"
        ended = finish(begin(scope).pk)
        ids.append(scope.id)
        schemas.add(scope.schema)
        rows += ended.proof["rows"]
        files += ended.proof["files"]
        queued += ended.proof["queued"]
        assert ledger.changed(before, ledger.checksums(bystander.schema)) == []
        with pytest.raises(Invalid):
            services.request_company(
                name="Again", slug=scope.slug, language="en", time_zone="UTC", currency="USD",
                owner=services.NewOwner(name="A", email="a@example.com", password_hash="x"),
                at=NOON,
            )  # fmt: skip
    left = found_anywhere(CANARY, ids)
    others = len(places.queued_of(bystander.id))
    places.remove_queued(bystander.id)
    say(
        f"T19 erased: companies={len(ids)}, rows={rows}, files={files}, queued={queued},"
        f" canaries found={len(left)}, schemas reused={20 - len(schemas)}"
    )
    assert (left, len(schemas), queued, others) == ([], 20, 20, 20)


def test_sign_up_of_an_erased_company_is_forgotten_and_its_hosts_are(house):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        SignUp.objects.create(
            company_name="x", slug=house.scope.slug, name="x", email="x@example.com", password="x",
            language="en", time_zone="UTC", currency="USD", token_hash=unique(), created_at=NOON,
            expires_at=NOON, company_id=house.scope.id,
        )  # fmt: skip
        Domain.objects.create(
            company_id=house.scope.id, host=f"{unique()}.example.com", kind="own",
            is_primary=False, token="t",
        )  # fmt: skip
    finish(begin(house.scope).pk)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not SignUp.objects.filter(company_id=house.scope.id).exists()
        domains = Domain.objects.filter(company_id=house.scope.id)
        assert [(d.kind, d.released_at, d.token) for d in domains] == [("own", NOON, "")]


def test_company_somebody_still_works_in_is_erased_when_they_are_done(house, monkeypatch, servers):
    row = begin(house.scope)
    monkeypatch.setattr(places, "LOCK_MILLISECONDS", 50)
    with psycopg.connect(servers.superuser_url, dbname=TEST_DATABASE) as somebody:
        table = Identifier(house.scope.schema, "records_account")
        somebody.execute(SQL("SELECT count(*) FROM {}").format(table))
        with pytest.raises(psycopg.errors.LockNotAvailable):
            running.run(erasure_id=row.pk, at=NOON)
    assert provisioning.schema_exists(house.scope.schema)

    assert finish(row.pk).proof["rows"] > 0


def test_rehearsal_copies_go_with_the_company_they_copy(house, neighbour):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=neighbour.scope.id).update(live_id=house.scope.id)
    begin(house.scope)

    assert neighbour.row.state == State.ERASED
    finish(row_of(neighbour.scope).pk)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=neighbour.scope.id).update(live_id=None)


@pytest.fixture(scope="module")
def eraser(database):
    paths = [str(ROOT), str(ROOT / "platform"), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join(paths),
        "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("eraser.py"))], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield process
    process.stdin.close()
    process.wait(timeout=20)


def tell(eraser, row, line):
    eraser.stdin.write(f"{row.pk} {line}\n")
    eraser.stdin.flush()
    return eraser.stdout.readline().strip()


def test_eraser_killed_at_any_line_is_finished_by_the_next_with_the_same_proof(eraser, say):
    killed, wrong, line, steps = 0, [], 2, set()
    while True:
        scope = make_company(f"kill-{line}-{unique()}")
        counts = fill(scope)
        row = begin(scope)
        if tell(eraser, row, line) == "ended":
            break
        killed += 1
        wait_until_free(scope.id)
        left = row_of(scope)
        steps.add(left.step)
        is_partial = provisioning.schema_exists(scope.schema) == (left.step != "")
        proof = finish(row.pk).proof
        has_all = (proof["tables"], proof["files"]) == (counts, 1)
        if is_partial or not has_all or places.what_is_left(scope.schema, scope.id):
            wrong.append(line)
        line += 13
    say(f"erasure by kill -9: kills={killed}, wrong={len(wrong)}, stopped after {len(steps)} steps")
    assert wrong == []
    assert killed > 10
    assert steps >= {"", "schema", "role", "measured", "emptied"}


def run_command(*arguments, **options):
    out = io.StringIO()
    call_command("company_erase", *arguments, stdout=out, **options)
    return out.getvalue()


def test_t15_command_changes_nothing_unless_two_operators_type_all_of_it(house, operators, say):
    first, second = operators
    scope, slug = house.scope, house.scope.slug
    named = {"really": True, "name": scope.name, "schema": scope.schema}
    before = ledger.checksums(scope.schema)
    assert "Nothing was changed" in run_command(slug)
    refused = 0
    tries = [
        {**named, "name": "x"}, {**named, "schema": ""}, {"really": True}, {**named},
        {**named, "operator": house.owner.email, "reason": "x"},
        {**named, "operator": first.email},
    ]  # fmt: skip
    for options in tries:
        with pytest.raises(CommandError):
            run_command(slug, **options)
        refused += 1
    with pytest.raises(CommandError):
        run_command("no-such-company", **named)
    changed = ledger.changed(before, ledger.checksums(scope.schema))
    assert (house.row.state, changed) == (State.ACTIVE, [])

    run_command(slug, **named, operator=first.email, reason="by letter")
    with pytest.raises(CommandError, match="Somebody else"):
        run_command(slug, **named, operator=first.email)
    assert house.row.state == State.ACTIVE
    run_command(slug, **named, operator=second.email)

    assert house.row.state == State.ERASED
    ended = finish(row_of(scope).pk)
    say(f"T15 company_erase: refused={refused + 2}/8, changed={len(changed)}")
    assert ended.sha256 in run_command(str(scope.id))


def test_end_that_two_operators_decided_takes_backups_and_open_upgrades_along(operators):
    """As the console does it once the second one has agreed."""
    scope = make_company(f"ended-{unique()}")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = Release.objects.create(
            version=f"x{unique()}", built_at=NOON, head=[], script="", fingerprint="", state="done"
        )
        wave = Wave.objects.create(release=release, position=0, ring="rest")
        SchemaRun.objects.create(release=release, wave=wave, company_id=scope.id)
    backup = backups.back_up(company_id=scope.id, clock=lambda: NOON)

    row = acts.begin_by_two(
        company_id=scope.id, reason="Asked in writing", asked_by=operators[0].email,
        actor=operators[1], at=NOON,
    )  # fmt: skip
    running.run(erasure_id=row.pk, at=NOON)

    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = Erasure.objects.get(company_id=scope.id)
        assert (row.requested_by, row.step) == (operators[0].email, "finished")
        assert not SchemaRun.objects.filter(company_id=scope.id).exists()
        assert Backup.objects.get(pk=backup.pk).state == Backup.State.REMOVED
        release.delete()
