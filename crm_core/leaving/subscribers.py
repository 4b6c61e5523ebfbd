"""A package that waits calls a worker."""

from crm_core.leaving import tasks
from crm_core.leaving.events import PackageWaits
from crm_platform.kernel import events
from crm_platform.kernel.tasks import later


def build_waiting(event: PackageWaits) -> None:
    later(tasks.build_package, package_id=event.package_id)


def subscribe() -> None:
    events.subscribe(PackageWaits, build_waiting)
