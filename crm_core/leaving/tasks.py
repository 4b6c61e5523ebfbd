"""Background work of packages."""

from django.utils import timezone

from crm_core.leaving import services
from crm_platform.kernel.tasks import tenant_task


@tenant_task(atomic_body=False, long=True)
def build_package(*, package_id: int) -> None:
    """Make a package, or make it anew where a worker died. Idempotent."""
    services.build(package_id=package_id, clock=timezone.now)
