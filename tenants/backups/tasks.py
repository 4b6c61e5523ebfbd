"""Background work of backups: the night's plan, one backup, one rehearsal."""

from contextlib import suppress
from uuid import UUID

from django.utils import timezone

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict
from crm_platform.kernel.tasks import platform_task, send
from tenants.backups import queries, restoring, services


@platform_task(atomic_body=False)
def dispatch() -> None:
    """Enter what is due, call workers for it, and remove what is kept no longer. Idempotent."""
    at = timezone.now()
    for backup_id in services.plan_night(at=at):
        send(make_backup, tenancy.PLATFORM, backup_id=str(backup_id))
    services.forget_old(at=at)
    restoring.clear_dead(at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        due = queries.next_rehearsal(at)
    if due:
        send(rehearse_restore, tenancy.PLATFORM, backup_id=str(due.pk))


@platform_task(atomic_body=False, long=True)
def make_backup(*, backup_id: str) -> None:
    """Make one backup. Idempotent; does nothing while another worker is at it."""
    with suppress(Conflict):
        services.run(backup_id=UUID(backup_id), clock=timezone.now)


@platform_task(atomic_body=False, long=True)
def restore_backup(*, backup_id: str, slug: str) -> None:
    """Restore one backup beside its company. Idempotent; the ledger says what became of it."""
    with suppress(Conflict):
        restoring.restore(backup_id=UUID(backup_id), slug=slug, clock=timezone.now)


@platform_task(atomic_body=False, long=True)
def rehearse_restore(*, backup_id: str) -> None:
    """Really restore one backup, compare, and remove it again. Idempotent."""
    with suppress(Conflict):
        restoring.rehearse(backup_id=UUID(backup_id), clock=timezone.now)
