"""What waits calls a worker."""

from crm_core.web import tasks
from crm_core.web.events import RehearsalWaits
from crm_platform.kernel import events
from crm_platform.kernel.tasks import later


def work_on_waiting(event: RehearsalWaits) -> None:
    later(tasks.work_on_rehearsal, rehearsal_id=event.rehearsal_id)


def subscribe() -> None:
    events.subscribe(RehearsalWaits, work_on_waiting)
