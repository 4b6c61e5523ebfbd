"""What the clock calls in every company, for imports."""

from django.utils import timezone

from crm_core.exchange import services


def sweep() -> None:
    """Call a worker for each import that waits or was left by a dead worker."""
    services.sweep(at=timezone.now())
