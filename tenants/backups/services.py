"""The only code that makes backups and forgets them. Each function opens its own units of work."""

import datetime as dt
import logging
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants.backups import dumping, queries, rules
from tenants.backups.dumping import Contents, Made
from tenants.backups.locks import only_one
from tenants.backups.models import Backup
from tenants.backups.store import store
from tenants.lifecycle import states
from tenants.models import Company

logger = logging.getLogger("rapport.backups")
Clock = Callable[[], dt.datetime]
State = Backup.State
RUNG_AT_ONCE = 20
DRAFTS_LIVE = dt.timedelta(days=2)


class Heart:
    """Says now and then, in the ledger, that a backup is still being made."""

    def __init__(self, backup_id: UUID, clock: Clock) -> None:
        self._id, self._clock = backup_id, clock
        self._next = clock() + rules.LEASE / 4

    def beat(self) -> None:
        """Renew the lease once a quarter of it has passed."""
        at = self._clock()
        if at < self._next:
            return
        self._next = at + rules.LEASE / 4
        with tenancy.unit_of_work(tenancy.PLATFORM):
            rows = Backup.objects.filter(pk=self._id, state=State.RUNNING)
            rows.update(lease_until=at + rules.LEASE)


def back_up(*, company_id: UUID, clock: Clock) -> Backup:
    """Make a backup of a company now and read it back.

    Raises:
        Conflict: one is being made at this moment.
        Invalid: no key is configured.
        NotFound: there is no such company, or it has no data.
    """
    demand_key()
    return run(backup_id=ask(company_id=company_id, at=clock()).pk, clock=clock)


def ask(*, company_id: UUID, at: dt.datetime) -> Backup:
    """Put a backup of a company in line; whoever makes it has the key, web processes have none.

    One that waits already is taken forward instead.

    Raises:
        Conflict: one is being made at this moment.
        NotFound: there is no such company, or it has no data.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.select_for_update().filter(pk=company_id).first()
        if company is None or company.state not in states.STANDING:
            raise NotFound(_("There is no such company, or it has nothing to back up."))
        open_one = company.backups.filter(state__in=(State.WAITING, State.RUNNING)).first()
        if open_one is None:
            return Backup.objects.create(
                company=company, reason=Backup.Reason.ASKED, due_at=at, created_at=at
            )
        if open_one.state == State.RUNNING and open_one.lease_until and open_one.lease_until > at:
            raise _busy()
        open_one.lease_until = None
        open_one.save(update_fields=["lease_until"])
        return open_one


def _busy() -> Conflict:
    return Conflict(_("A backup of this company is being made now. Wait until it has ended."))


def demand_key() -> str:
    """The key that locks new archives.

    Raises:
        Invalid: none is configured.
    """
    if not settings.BACKUP_KEYS:
        raise Invalid(_("Backups need a key: set BACKUP_KEY (see deploy/runbooks/backup.md)."))
    return str(settings.BACKUP_KEYS[0])


def run(*, backup_id: UUID, clock: Clock) -> Backup:
    """Make the archive, read it back whole, and enter what it holds.

    Safe to call again after it was cut off at any point, and by two workers at once: the second
    changes nothing. A fault is kept in the ledger, tried again a few times, and raised.

    Raises:
        Conflict: another process is at this company's backup.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company_id = Backup.objects.values_list("company_id", flat=True).get(pk=backup_id)
    with only_one(f"backup:{company_id}") as is_ours:
        if not is_ours:
            raise _busy()
        backup = _begin(backup_id, clock())
        if backup is None:
            with tenancy.unit_of_work(tenancy.PLATFORM):
                return Backup.objects.select_related("company").get(pk=backup_id)
        try:
            made = _write(backup, clock)
            contents = _read_back(backup)
        except BaseException as error:
            _note_failure(backup_id, error, clock())
            raise
        return _finish(backup_id, made, contents, clock())


def _begin(backup_id: UUID, at: dt.datetime) -> Backup | None:
    """The backup, now ours; None where it is finished already."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        backup = Backup.objects.select_for_update(of=("self",)).select_related("company")
        found = backup.get(pk=backup_id)
        if found.state not in (State.WAITING, State.RUNNING):
            return None
        found.state, found.error = State.RUNNING, ""
        found.started_at, found.lease_until = at, at + rules.LEASE
        found.attempts += 1
        found.name = f"{found.company_id}/{found.created_at:%Y%m%dT%H%M%SZ}-{found.pk.hex}.rapport"
        found.save()
        return found


def _write(backup: Backup, clock: Clock) -> Made:
    key = demand_key()
    with store().writing(backup.name) as out:
        return dumping.dump(
            company=backup.company, out=out, key=key, at=clock(),
            beat=Heart(backup.pk, clock).beat,
        )  # fmt: skip


def _read_back(backup: Backup) -> Contents:
    with store().reading(backup.name) as stream:
        return dumping.read_back(stream, settings.BACKUP_KEYS)


def _finish(backup_id: UUID, made: Made, contents: Contents, at: dt.datetime) -> Backup:
    files = contents.manifest["files"]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        backup = Backup.objects.select_for_update().get(pk=backup_id)
        backup.state, backup.finished_at, backup.verified_at = State.DONE, at, at
        backup.lease_until, backup.checksum, backup.size_bytes = None, made.checksum, made.size
        backup.row_count, backup.table_count = contents.row_count, len(contents.tables)
        backup.file_count, backup.file_bytes = files["rows"], files["size"]
        backup.save()
        return backup


def _note_failure(backup_id: UUID, error: BaseException, at: dt.datetime) -> None:
    logger.error("Backup %s failed", backup_id, exc_info=error)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        backup = Backup.objects.select_for_update().get(pk=backup_id)
        is_last = backup.attempts >= rules.MOST_ATTEMPTS
        backup.state = State.FAILED if is_last else State.WAITING
        backup.lease_until = None if is_last else at + rules.TRY_AGAIN_AFTER
        backup.finished_at = at if is_last else None
        backup.error = f"{type(error).__name__}: {error}"[:2000]
        backup.save()


def plan_night(*, at: dt.datetime) -> list[UUID]:
    """Enter the nightly backups that are due, and name those a worker should make now. Idempotent.

    Each company has its own minute of its own night, so that they do not all begin at once.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Backup.objects.bulk_create(
            [
                Backup(company_id=pk, reason=Backup.Reason.DAILY, due_at=due, created_at=at)
                for pk, due in queries.companies_without_tonight(at)
            ],
            ignore_conflicts=True,
        )
        return queries.waiting_ids(at, limit=RUNG_AT_ONCE)


def forget_old(*, at: dt.datetime) -> int:
    """Remove the archives that no rule keeps any more; says how many. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = queries.removable(at)
    for pk, name in found:
        _remove(pk, name, at)
    store().remove_drafts(older_than=(at - DRAFTS_LIVE).timestamp())
    return len(found)


def forget_company(*, company_id: UUID, at: dt.datetime) -> int:
    """Remove every archive of a company, for its erasure; the ledger's rows stay. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Backup.objects.filter(company_id=company_id).exclude(state=State.REMOVED)
        found = list(rows.values_list("pk", "name"))
    for pk, name in found:
        _remove(pk, name, at)
    for name in store().names(str(company_id)):
        store().remove(name)
    return len(found)


def _remove(backup_id: UUID, name: str, at: dt.datetime) -> None:
    # The file first: cut off in between, the row still says what to remove.
    if name:
        store().remove(name)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Backup.objects.filter(pk=backup_id).update(
            state=State.REMOVED, removed_at=at, lease_until=None
        )
