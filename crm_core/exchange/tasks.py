"""Background work of imports."""

from django.utils import timezone

from crm_core.exchange import services
from crm_platform.kernel import tenancy
from crm_platform.kernel.tasks import envelope, tenant_task


@tenant_task(atomic_body=False)
def run_import(*, job_id: int) -> None:
    """Run a job, or go on where a dead worker left it. Idempotent.

    While that worker's lease still counts, the message is sent again for when it ends.
    """
    wait = services.run(job_id=job_id, clock=timezone.now)
    if wait:
        scope = tenancy.current_company()
        run_import.apply_async(
            kwargs={"job_id": job_id}, headers=envelope(scope), countdown=wait + 1
        )


@tenant_task(atomic_body=False)
def undo_import(*, job_id: int) -> None:
    """Take a job back, chunk by chunk. Idempotent."""
    services.undo(job_id=job_id, clock=timezone.now)
