"""Jobs that wait call a worker."""

from crm_core.exchange import tasks
from crm_core.exchange.events import ImportWaits, UndoWaits
from crm_platform.kernel import events
from crm_platform.kernel.tasks import later


def run_waiting(event: ImportWaits) -> None:
    later(tasks.run_import, job_id=event.job_id)


def undo_waiting(event: UndoWaits) -> None:
    later(tasks.undo_import, job_id=event.job_id)


def subscribe() -> None:
    events.subscribe(ImportWaits, run_waiting)
    events.subscribe(UndoWaits, undo_waiting)
