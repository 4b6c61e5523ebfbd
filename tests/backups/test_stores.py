"""Both stores keep archives alike: whole or not at all, by name, in order, gone when removed."""

import datetime as dt
import secrets
import time
import tracemalloc

import pytest

from crm_platform.kernel import tenancy
from tenants.backups import queries, restoring, services
from tenants.backups.models import Backup
from tenants.backups.s3 import PART_BYTES
from tenants.backups.store import store
from tests.backups.figures import clock, sums
from tests.conftest import NOON, unique

pytestmark = pytest.mark.usefixtures("any_store")


def put(name, content):
    with store().writing(name) as out:
        for start in range(0, len(content), 100_000):
            out.write(content[start : start + 100_000])


def put_and_fail(name, content):
    with store().writing(name) as out:
        out.write(content)
        raise KeyError("on purpose")


def got(name):
    with store().reading(name) as stream:
        return stream.read()


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, 2 * PART_BYTES + 17])
def test_archive_of_any_size_comes_back_as_it_was(size):
    content = secrets.token_bytes(size)
    put("one/a.rapport", content)

    assert got("one/a.rapport") == content
    assert store().size("one/a.rapport") == size


def test_archive_is_read_in_pieces_of_any_size():
    content = secrets.token_bytes(300_000)
    put("one/b.rapport", content)

    read = b""
    with store().reading("one/b.rapport") as stream:
        while piece := stream.read(7_001):
            read += piece
    assert read == content


def test_names_are_listed_below_their_folder_in_order():
    for name in ("c/2", "c/1", "cc/3", "d/4"):
        put(name, b"x")

    assert store().names("c") == ["c/1", "c/2"]
    assert store().names("nothing") == []


def test_removed_archive_is_gone_and_may_be_removed_again():
    put("e/1", b"x")
    store().remove("e/1")
    store().remove("e/1")

    assert store().names("e") == []
    with pytest.raises(FileNotFoundError):
        store().reading("e/1")


@pytest.mark.parametrize("size", [10, PART_BYTES + 10])
def test_writing_that_fails_leaves_nothing_and_the_old_one_stands(size):
    put("f/1", b"old")
    for name in ("f/1", "f/2"):
        with pytest.raises(KeyError):
            put_and_fail(name, bytes(size))

    assert store().names("f") == ["f/1"]
    assert got("f/1") == b"old"
    assert store().remove_drafts(older_than=time.time() + 60) == 0


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x"])
def test_name_never_leads_out_of_the_store(name):
    with pytest.raises(ValueError, match="name"), store().writing(name) as out:
        out.write(b"x")


def test_writing_holds_a_few_parts_in_memory_and_never_the_archive(say, any_store):
    block = secrets.token_bytes(1 << 20)
    tracemalloc.start()
    try:
        with store().writing("g/large") as out:
            for _number in range(64):
                out.write(block)
        peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    finally:
        tracemalloc.stop()

    say(f"store {any_store}: 64 MiB written with {peak:.0f} MiB at the most")
    assert store().size("g/large") == 64 << 20
    assert peak < 40


def test_company_is_backed_up_read_back_and_restored(kept_company):
    scope = kept_company()
    backup = services.back_up(company_id=scope.id, clock=clock)
    run = restoring.restore(backup_id=backup.pk, slug=f"copy-{unique()}", clock=clock)

    assert (backup.state, run.is_equal) == ("done", True)
    assert store().names(str(scope.id)) == [backup.name]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        restored = queries.find_restore(str(run.pk)).restored
    assert sums(restored.schema_name)["records_contact"] == sums(scope.schema)["records_contact"]


def test_retention_removes_the_archive_of_each_old_backup(kept_company):
    scope = kept_company()
    backup = services.back_up(company_id=scope.id, clock=clock)
    newer = services.back_up(company_id=scope.id, clock=clock)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Backup.objects.filter(pk=backup.pk).update(
            created_at=NOON - dt.timedelta(days=900), reason="daily"
        )

    services.forget_old(at=clock())

    assert store().names(str(scope.id)) == [newer.name]


def test_archive_that_is_gone_is_refused_with_a_sentence(kept_company):
    scope = kept_company()
    backup = services.back_up(company_id=scope.id, clock=clock)
    store().remove(backup.name)

    with pytest.raises(Exception, match="gone from the store"):
        restoring.restore(backup_id=backup.pk, slug=f"copy-{unique()}", clock=clock)
