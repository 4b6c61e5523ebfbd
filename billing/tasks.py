"""The clock of billing: periods that are over, bills that are late, companies to be told."""

from django.utils import timezone

from billing import clock, letters, snapshots
from crm_platform.kernel.tasks import platform_task


@platform_task(atomic_body=False)
def keep_billing() -> None:
    """Do whatever is due. Idempotent, and complete after missed hours."""
    at = timezone.now()
    clock.run(at=at)
    letters.write_waiting(at=at)


@platform_task(atomic_body=False)
def write_letters() -> None:
    """Write of what was just billed, paid or cancelled. Idempotent."""
    letters.write_waiting(at=timezone.now())


@platform_task(atomic_body=False)
def keep_figures() -> None:
    """Keep the figures of every day that is over. Idempotent, and complete after missed days."""
    snapshots.catch_up(at=timezone.now())
