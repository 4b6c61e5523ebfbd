"""Background work of the shell."""

from django.utils import timezone

from crm_core.web import rehearsing
from crm_platform.kernel.tasks import tenant_task


@tenant_task(atomic_body=False, long=True)
def work_on_rehearsal(*, rehearsal_id: int) -> None:
    """Do what was asked of the rehearsal. Idempotent."""
    rehearsing.work(rehearsal_id=rehearsal_id, clock=timezone.now)
