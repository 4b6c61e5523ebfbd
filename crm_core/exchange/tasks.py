"""Background work of imports."""

import time
from uuid import UUID

from django.utils import timezone

from crm_core.exchange import services
from crm_core.exchange.pacing import TURN
from crm_core.exchange.running import LEASE
from crm_platform.kernel import tenancy
from crm_platform.kernel.tasks import come_back, send, tenant_task


@tenant_task(atomic_body=False, long=True)
def run_import(*, job_id: int, turn: str = "") -> None:
    """Run a job for a turn, or go on where a dead worker left it. Idempotent.

    After its turn the message goes to the end of the queue with the ticket for the next one. Where
    another worker is at the job, it comes again when that worker's lease ends.
    """
    came = services.run(
        job_id=job_id, clock=timezone.now, rest=time.sleep, turn=TURN,
        ticket=UUID(turn) if turn else None,
    )  # fmt: skip
    if came.ticket:
        send(run_import, tenancy.current_company(), job_id=job_id, turn=str(came.ticket))
    elif 0 < came.wait_seconds <= LEASE.total_seconds():
        come_back(run_import, seconds=came.wait_seconds + 1, job_id=job_id)


@tenant_task(atomic_body=False, long=True)
def undo_import(*, job_id: int) -> None:
    """Take a job back, chunk by chunk. Idempotent."""
    services.undo(job_id=job_id, clock=timezone.now)
