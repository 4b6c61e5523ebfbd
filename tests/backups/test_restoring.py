"""A restored company equals its archive, stands beside the old one, and may take its place."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from crm_core.exchange.models import ImportJob
from crm_core.records.models import Contact
from crm_platform.identity.models import ApiToken, Session, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.errors import Conflict, DomainError, Invalid, NotFound
from tenants import provisioning, queries
from tenants.backups import queries as ledger_queries
from tenants.backups import restoring, rules, services
from tenants.backups.models import Backup, RestoreRun
from tenants.backups.refusals import ArchiveRefused
from tenants.models import Company, Domain
from tenants.upgrades import rendering
from tenants.upgrades.models import Release
from tests import factories
from tests.backups.figures import clock, definitions, schemas, sums
from tests.conftest import NOON, unique

NAME_OF_FILES = {"exchange_importjob"}
"""Tables that name files: the copy's rows name the copy's own."""


def restore(backup, slug=""):
    return restoring.restore(backup_id=backup.pk, slug=slug or f"copy-{unique()}", clock=clock)


def scope_of(company_id):
    return queries.working_scope(company_id)


def test_restored_company_equals_the_old_one_table_by_table(backed_up, acme, globex, say):
    scope, backup = backed_up
    others = {schema: sums(schema) for schema in schemas() - {scope.schema}}

    run = restore(backup)

    old, new = sums(scope.schema), sums(run.schema_name)
    assert {t for t in old if old[t] != new[t]} <= NAME_OF_FILES
    assert run.is_equal
    assert all(row["checksum"] == row["found_checksum"] for row in run.comparison)
    assert definitions(scope.schema) == definitions(run.schema_name)
    assert {schema: sums(schema) for schema in others} == others
    say(f"T20 restore: {run.row_count} rows, {len(run.comparison)} tables equal, {len(others)}"
        " other companies unchanged")  # fmt: skip


def test_restored_company_works_with_its_own_files_and_numbers(backed_up):
    scope, backup = backed_up

    run = restore(backup)

    new = scope_of(run.restored_id)
    with tenancy.unit_of_work(new):
        owner = User.objects.get(email=f"owner@{scope.slug}.example")
        assert factories.contact(owner, name="Later").pk > 20
        job = ImportJob.objects.get()
        assert job.file.name.startswith(str(new.id))
        assert default_storage.open(job.file.name).read() == b"name\nAnn\n"
    response = Client(headers={"host": new.host}).get("/sign-in/")
    assert response.status_code == 200
    cookie = factories.session_cookie(new, owner)
    client = Client(headers={"host": new.host})
    client.cookies[cookie[0]] = cookie[1]
    assert "Person 1" in client.get("/contacts/").content.decode()


def test_nothing_that_opens_doors_is_restored(backed_up):
    scope, backup = backed_up

    run = restore(backup)

    with tenancy.unit_of_work(scope):
        assert Session.objects.count() == 1
    with tenancy.unit_of_work(scope_of(run.restored_id)):
        assert Session.objects.count() == ApiToken.objects.count() == 0
        assert User.objects.filter(is_active=True).count() == 2
    raw = owner_connection().connection
    for table in rules.LEFT_OUT:
        from psycopg.sql import SQL, Identifier

        count = raw.execute(
            SQL("SELECT count(*) FROM {}").format(Identifier(run.schema_name, table))
        ).fetchone()
        assert count == (0,)
    assert run.left_out == list(rules.LEFT_OUT)


def test_restore_again_changes_nothing_and_another_address_makes_another_copy(backed_up):
    _scope, backup = backed_up
    first = restore(backup, slug := f"copy-{unique()}")

    assert restore(backup, slug).pk == first.pk
    assert restore(backup).pk != first.pk


def test_taken_and_unfit_addresses_are_refused(backed_up):
    scope, backup = backed_up
    for slug in (scope.slug, "www", "A B"):
        with pytest.raises(Invalid):
            restore(backup, slug)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not RestoreRun.objects.filter(backup=backup).exists()


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def damage_flip(path):
    text = bytearray(path.read_bytes())
    text[len(text) // 3] ^= 1
    path.write_bytes(bytes(text))


def damage_other(path):
    path.write_bytes(b"something else entirely")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_truncate, "too early"),
        (damage_flip, "damaged"),
        (damage_other, "no backup of ours"),
        (Path.unlink, "gone from the store"),
    ],
)
def test_damaged_archive_is_refused_and_leaves_nothing(backed_up, settings, damage, says):
    _scope, backup = backed_up
    damage(Path(settings.BACKUP_DIR) / backup.name)
    before, folders = schemas(), set(Path(settings.MEDIA_ROOT).iterdir())

    with pytest.raises(DomainError, match=says):
        restore(backup, slug := f"copy-{unique()}")

    assert schemas() == before
    assert set(Path(settings.MEDIA_ROOT).iterdir()) == folders
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert RestoreRun.objects.get(backup=backup).state == "failed"
        assert not Company.objects.filter(slug=slug).exists()


def test_wrong_key_is_refused_and_an_old_key_still_opens(backed_up, settings):
    _scope, backup = backed_up
    old = settings.BACKUP_KEYS
    settings.BACKUP_KEYS = ["n" * 50]
    with pytest.raises(ArchiveRefused, match="BACKUP_KEY_FALLBACKS"):
        restore(backup)

    settings.BACKUP_KEYS = ["n" * 50, *old]

    assert restore(backup).is_equal


def test_archive_of_another_company_is_refused(backed_up, kept_company, settings):
    """T20: what is entered as A's backup but holds B's data is never used."""
    _scope, backup = backed_up
    other = services.back_up(company_id=kept_company().id, clock=clock)
    folder = Path(settings.BACKUP_DIR)
    shutil.copy(folder / other.name, folder / backup.name)
    before = schemas()

    with pytest.raises(ArchiveRefused, match="another company"):
        restore(backup)

    assert schemas() == before


def test_archive_of_a_newer_release_is_refused(kept_company):
    scope = kept_company()
    raw = owner_connection().connection
    from psycopg.sql import SQL, Identifier

    raw.execute(
        SQL("INSERT INTO {} (app, name, applied) VALUES ('sales', '9999_later', now())").format(
            Identifier(scope.schema, "django_migrations")
        )
    )
    backup = services.back_up(company_id=scope.id, clock=clock)

    with pytest.raises(ArchiveRefused, match="newer release"):
        restore(backup)


def test_archive_of_an_older_release_is_restored_as_it_was_and_brought_up_to_date(database, places):
    """The tables are made as that release had them, filled, and then migrated."""
    from tests.backups.conftest import forget

    newest = [m for m in provisioning.company_migrations() if m[1][:4] != "0001"][-1]
    applied = frozenset(provisioning.company_migrations()) - {newest}
    schema = provisioning.new_schema_name()
    provisioning.build_schema(schema, applied=applied)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        slug = f"older-{unique()}"
        company = Company.objects.create(
            name="Older", slug=slug, schema_name=schema, state="active", created_at=NOON,
            release="before",
        )  # fmt: skip
        release = Release.objects.create(
            version=f"now-{unique()}", built_at=NOON, head=rendering.head(), script="",
            fingerprint="", state=Release.State.DONE,
        )  # fmt: skip
        Domain.objects.create(company=company, host=f"{slug}.testserver")
    raw = owner_connection().connection
    from psycopg.sql import SQL, Identifier

    raw.execute(
        SQL("INSERT INTO {} (name, path) VALUES ('Kept', '/1/')").format(
            Identifier(schema, "identity_team")
        )
    )
    backup = services.back_up(company_id=company.pk, clock=clock)
    try:
        run = restore(backup)

        new = scope_of(run.restored_id)
        rows = raw.execute(
            SQL("SELECT app, name FROM {}").format(Identifier(new.schema, "django_migrations"))
        ).fetchall()
        assert set(rows) == set(provisioning.company_migrations())
        with tenancy.unit_of_work(tenancy.PLATFORM):
            assert Company.objects.get(pk=run.restored_id).release == release.version
        fresh = provisioning.new_schema_name()
        provisioning.build_schema(fresh)
        assert definitions(new.schema) == definitions(fresh)
        provisioning.remove_schema(fresh)
        names = raw.execute(
            SQL("SELECT name FROM {}").format(Identifier(new.schema, "identity_team"))
        ).fetchall()
        assert names == [("Kept",)]
    finally:
        forget([company.pk])
        with tenancy.unit_of_work(tenancy.PLATFORM):
            release.delete()


def facts(company_id):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = Company.objects.prefetch_related("domains").get(pk=company_id)
        return row.slug, row.state, sorted(domain.host for domain in row.domains.all())


def test_swap_exchanges_the_places_and_can_be_swapped_back(backed_up):
    scope, backup = backed_up
    run = restore(backup, slug := f"copy-{unique()}")
    old_place = (scope.slug, "active", [scope.host])
    with tenancy.unit_of_work(scope):
        Contact.objects.all().delete()

    restoring.swap(run_id=run.pk, at=NOON)

    assert facts(run.restored_id) == old_place
    assert facts(scope.id)[:2] == (slug, "suspended")
    assert queries.scope_of_host(scope.host).schema == run.schema_name
    with pytest.raises(Conflict):
        restoring.swap(run_id=run.pk, at=NOON)
    with tenancy.unit_of_work(scope_of(run.restored_id)):
        assert Contact.objects.count() == 20

    restoring.swap_back(run_id=run.pk, at=NOON)

    assert facts(scope.id) == old_place
    assert facts(run.restored_id)[:2] == (slug, "suspended")
    restoring.swap(run_id=run.pk, at=NOON)
    assert facts(run.restored_id) == old_place


def test_swap_needs_both_companies_standing(backed_up):
    scope, backup = backed_up
    run = restore(backup)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Company.objects.filter(pk=scope.id).update(state="deleted")

    with pytest.raises(Conflict, match="closed for good"):
        restoring.swap(run_id=run.pk, at=NOON)


def test_command_restores_shows_the_comparison_and_swaps_only_when_told(backed_up, capsys):
    scope, backup = backed_up
    slug = f"copy-{unique()}"

    call_command("restore", str(backup.pk)[:13], slug=slug)
    told = capsys.readouterr().out
    assert "records_contact" in told
    assert "equal" in told
    assert "DIFFERENT" not in told
    call_command("restore", slug, "--swap")
    assert "Nothing was changed" in capsys.readouterr().out
    assert facts(scope.id)[0] == scope.slug
    call_command("restore", slug, "--swap", "--really")
    assert facts(scope.id)[0] == slug
    call_command("restore", slug, "--swap-back", "--really")
    assert facts(scope.id)[0] == scope.slug
    for words in ([str(backup.pk)], ["nobody-here", "--swap"], ["nobody-here", "--as", "some-one"]):
        with pytest.raises(CommandError):
            call_command("restore", *words)
    with pytest.raises(CommandError, match="address"):
        call_command("restore", scope.slug, "--as", scope.slug)


def test_restore_of_an_unfinished_backup_is_refused(kept_company):
    backup = services.ask(company_id=kept_company().id, at=NOON)

    with pytest.raises(NotFound):
        restore(backup)


def test_dead_restore_is_cleared_after_a_day(backed_up):
    _scope, backup = backed_up
    schema = provisioning.new_schema_name()
    provisioning.build_schema(schema)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run = RestoreRun.objects.create(
            backup=backup, company_id=backup.company_id, kind="copy", slug="dead-one",
            new_id=backup.pk, schema_name=schema, started_at=NOON,
        )  # fmt: skip

    assert restoring.clear_dead(at=NOON + dt.timedelta(hours=23)) == 0
    assert restoring.clear_dead(at=NOON + dt.timedelta(hours=25)) == 1

    assert not provisioning.schema_exists(schema)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert RestoreRun.objects.get(pk=run.pk).state == "failed"


def test_rehearsal_really_restores_compares_and_leaves_nothing_but_its_result(backed_up, settings):
    scope, backup = backed_up
    before, folders = schemas(), set(Path(settings.MEDIA_ROOT).iterdir())

    run = restoring.rehearse(backup_id=backup.pk, clock=clock)

    assert (run.state, run.is_equal, run.restored_id) == ("done", True, None)
    assert run.row_count == backup.row_count
    assert schemas() == before
    assert set(Path(settings.MEDIA_ROOT).iterdir()) == folders
    assert scope.schema in before


def test_rehearsal_that_fails_is_seen_in_the_ledger_and_the_log(backed_up, settings, caplog):
    _scope, backup = backed_up
    damage_flip(Path(settings.BACKUP_DIR) / backup.name)

    with pytest.raises(ArchiveRefused):
        restoring.rehearse(backup_id=backup.pk, clock=clock)

    with tenancy.unit_of_work(tenancy.PLATFORM):
        run = RestoreRun.objects.get(backup=backup, kind="rehearsal")
    assert (run.state, run.is_equal) == ("failed", False)
    assert "damaged" in run.error
    assert "failed" in caplog.text


def test_rehearsals_are_spread_over_the_month_one_a_company(backed_up):
    import uuid

    scope, backup = backed_up
    moments = {rules.rehearsal_moment(uuid.uuid4(), NOON).date() for _ in range(500)}
    assert len(moments) > 20
    assert all(NOON.date() - dt.timedelta(days=32) < day <= NOON.date() for day in moments)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Backup.objects.exclude(company_id=scope.id).delete()
        assert ledger_queries.next_rehearsal(clock()).pk == backup.pk
    restoring.rehearse(backup_id=backup.pk, clock=clock)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert ledger_queries.next_rehearsal(clock()) is None
        month = dt.timedelta(days=32)
        assert ledger_queries.next_rehearsal(clock() + month).pk == backup.pk
