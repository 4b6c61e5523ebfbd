"""A backup holds everything of one company, is read back, and leaves when no rule keeps it."""

import datetime as dt
import random
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants.backups import dumping, locks, queries, rules, services, tasks
from tenants.backups.models import Backup
from tenants.backups.refusals import ArchiveRefused
from tenants.backups.store import store
from tests.backups.figures import clock
from tests.conftest import NOON
from tests.kernel.messages import envelope

DAY = dt.timedelta(days=1)
State = Backup.State


def again(backup):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Backup.objects.get(pk=backup.pk)


def test_backup_holds_every_row_and_file_and_was_read_back(backed_up, settings, say):
    scope, backup = backed_up

    assert (backup.state, backup.attempts, backup.error) == ("done", 1, "")
    assert backup.verified_at
    assert backup.row_count > 60
    assert backup.file_count == 2
    assert store().size(backup.name) == backup.size_bytes
    with store().reading(backup.name) as stream:
        contents = dumping.read_back(stream, settings.BACKUP_KEYS)
    assert contents.company_id == scope.id
    assert contents.tallies["records_contact"]["rows"] == 20
    assert set(contents.tallies).isdisjoint(rules.LEFT_OUT)
    say(f"backup: {backup.row_count} rows, {backup.table_count} tables, {backup.size_bytes} bytes")


def test_archive_can_be_read_by_its_owner_only_and_shows_no_text(backed_up, settings):
    _scope, backup = backed_up
    path = Path(settings.BACKUP_DIR) / backup.name

    assert path.stat().st_mode & 0o077 == 0
    assert "台北科技".encode() not in path.read_bytes()


def test_second_run_of_a_finished_backup_changes_nothing(backed_up):
    _scope, backup = backed_up

    again_made = services.run(backup_id=backup.pk, clock=clock)

    assert (again_made.checksum, again_made.attempts) == (backup.checksum, 1)


def test_backup_needs_a_key_and_a_company(kept_company, settings):
    scope = kept_company()
    with pytest.raises(NotFound):
        services.ask(company_id=tenancy.PLATFORM.id, at=NOON)
    settings.BACKUP_KEYS = []
    with pytest.raises(Invalid, match="BACKUP_KEY"):
        services.back_up(company_id=scope.id, clock=clock)


def test_two_never_make_a_company_s_backup_at_once(kept_company, database):
    import psycopg
    from django.db import connections

    scope = kept_company()
    backup = services.ask(company_id=scope.id, at=NOON)
    with psycopg.connect(
        **{k: v for k, v in connections["owner"].get_connection_params().items()
           if k in ("dbname", "user", "host", "port")}
    ) as other:  # fmt: skip
        other.execute(
            "SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"rapport:backup:{scope.id}"]
        )
        with pytest.raises(Conflict):
            services.run(backup_id=backup.pk, clock=clock)
        tasks.make_backup.apply(
            kwargs={"backup_id": str(backup.pk)}, headers=envelope(tenancy.PLATFORM)
        ).get()
    assert again(backup).state == State.WAITING
    with locks.only_one("anything") as is_ours:
        assert is_ours


def test_fault_is_kept_in_the_ledger_and_tried_three_times(kept_company, settings):
    scope = kept_company()
    settings.BACKUP_DIR = "/dev/null/nowhere"
    backup = services.ask(company_id=scope.id, at=NOON)
    at = NOON
    for attempt in (1, 2, 3):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            assert backup.pk in queries.waiting_ids(at, limit=99)
        with pytest.raises(OSError, match="nowhere"):
            services.run(backup_id=backup.pk, clock=lambda: at)  # noqa: B023
        found = again(backup)
        assert found.attempts == attempt
        assert "NotADirectoryError" in found.error
        with tenancy.unit_of_work(tenancy.PLATFORM):
            assert backup.pk not in queries.waiting_ids(at, limit=99)
        at += rules.TRY_AGAIN_AFTER + dt.timedelta(seconds=1)
    assert found.state == State.FAILED


def test_night_enters_each_company_once_in_its_own_minute(kept_company):
    scope = kept_company()
    due = rules.nightly_moment(scope.id, "Asia/Taipei", NOON + 3 * DAY)

    services.plan_night(at=NOON + 3 * DAY)
    ids = services.plan_night(at=NOON + 3 * DAY)

    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = list(Backup.objects.filter(company_id=scope.id))
        assert [(row.due_at, row.reason, row.state) for row in rows] == [(due, "daily", "waiting")]
        assert rows[0].pk in ids or len(ids) == services.RUNG_AT_ONCE
    made = services.run(backup_id=rows[0].pk, clock=lambda: NOON + 3 * DAY)
    assert made.state == State.DONE
    services.plan_night(at=NOON + 4 * DAY)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert Backup.objects.filter(company_id=scope.id, state="waiting").count() == 1
        Backup.objects.exclude(company_id=scope.id).delete()


def test_nights_are_spread_and_lie_in_the_company_s_own_night():
    import uuid
    from zoneinfo import ZoneInfo

    zone = "America/New_York"
    minutes = set()
    for number in range(500):
        moment = rules.nightly_moment(uuid.UUID(int=number * 7919), zone, NOON)
        local = moment.astimezone(ZoneInfo(zone))
        assert 1 <= local.hour < 5
        assert NOON - DAY < moment <= NOON
        minutes.add(local.hour * 60 + local.minute)
    assert len(minutes) > 200


def test_backup_whose_worker_died_is_called_for_once_its_lease_ended(kept_company):
    scope = kept_company()
    backup = services.ask(company_id=scope.id, at=NOON)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Backup.objects.filter(pk=backup.pk).update(state="running", lease_until=NOON)
        assert backup.pk not in queries.waiting_ids(NOON, limit=99)
        assert backup.pk in queries.waiting_ids(NOON + dt.timedelta(seconds=1), limit=99)

    assert services.run(backup_id=backup.pk, clock=clock).state == State.DONE


def test_heart_renews_the_lease(kept_company):
    scope = kept_company()
    backup = services.ask(company_id=scope.id, at=NOON)
    at = NOON
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Backup.objects.filter(pk=backup.pk).update(state="running", lease_until=NOON)
    heart = services.Heart(backup.pk, lambda: at)
    heart.beat()
    assert again(backup).lease_until == NOON
    at += rules.LEASE / 2
    heart.beat()
    assert again(backup).lease_until == at + rules.LEASE


def test_retention_keeps_fourteen_days_eight_weeks_and_twelve_months():
    nights = [NOON - n * DAY for n in range(500)]

    staying = rules.kept(nights)

    assert {NOON - n * DAY for n in range(14)} <= staying
    weeks = sorted({moment.isocalendar()[:2] for moment in staying}, reverse=True)
    assert len({moment.isocalendar()[:2] for moment in nights if moment in staying}) >= 8
    assert weeks[0] == NOON.isocalendar()[:2]
    months = {(moment.year, moment.month) for moment in staying}
    assert len(months) == 12
    assert len(staying) <= 14 + 8 + 12
    assert rules.kept([]) == set()


def test_retention_done_every_day_never_loses_a_month():
    dice = random.Random(7)  # noqa: S311
    have = set()
    for n in range(400):
        if dice.random() < 0.9:
            have.add(NOON + n * DAY)
        have = rules.kept(have)
    assert len({(moment.year, moment.month) for moment in have}) == 12
    assert max(have) >= NOON + 395 * DAY


def test_archives_no_rule_keeps_are_removed_from_the_store(kept_company):
    scope = kept_company()
    made = []
    for n in (0, 1, 200, 201):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            row = Backup.objects.create(
                company_id=scope.id,
                reason="asked",
                due_at=NOON - n * DAY,
                created_at=NOON - n * DAY,
            )
        made.append(services.run(backup_id=row.pk, clock=clock))
    # Nine weeks and the days of this month fill the rules for days and weeks.
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Backup.objects.bulk_create(
            Backup(
                company_id=scope.id, reason="asked", state="done", due_at=NOON - n * DAY,
                created_at=NOON,
            )
            for n in range(2, 90)
        )  # fmt: skip

    services.forget_old(at=NOON)

    standing = store().names(str(scope.id))
    assert [made[0].name in standing, made[1].name in standing] == [True, True]
    assert [made[2].name in standing, made[3].name in standing] == [True, False]
    assert again(made[3]).state == State.REMOVED
    assert services.forget_company(company_id=scope.id, at=NOON) > 3
    assert store().names(str(scope.id)) == []


def test_archive_that_was_changed_in_the_store_is_noticed(backed_up, settings):
    _scope, backup = backed_up
    path = Path(settings.BACKUP_DIR) / backup.name
    text = bytearray(path.read_bytes())
    text[len(text) // 2] ^= 4
    path.write_bytes(bytes(text))

    with store().reading(backup.name) as stream, pytest.raises(ArchiveRefused, match="damaged"):
        dumping.read_back(stream, settings.BACKUP_KEYS)


def test_commands_make_and_list_backups(kept_company, capsys):
    scope = kept_company()

    call_command("backup", scope.slug)
    call_command("backups", scope.slug)

    told = capsys.readouterr().out
    assert "read back whole" in told
    assert "done" in told
    with pytest.raises(CommandError, match="no such company"):
        call_command("backup", "nobody-at-all")


def test_store_refuses_names_outside_of_it():
    for name in ("../x", "/etc/passwd", "a/../../x", ""):
        with pytest.raises(ValueError, match="Not a name"):
            store().reading(name)
