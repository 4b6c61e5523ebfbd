"""What the platform's clock calls in every company; settings name it as IMPORT_SWEEPER."""

from django.utils import timezone

from crm_core.exchange import sweeping as imports
from crm_core.leaving import services as packages


def sweep() -> None:
    """Call workers for imports and packages that wait or were left, and remove what has ended."""
    imports.sweep()
    packages.sweep(at=timezone.now())
