"""The clock of billing: periods that are over, bills that are late, what providers are told."""

from django.utils import timezone

from billing import access, clock, ledger, letters, outbox, reconciling, snapshots
from crm_platform.kernel.tasks import platform_task

MOST = 500
"""Commands or rounds of events in one run; the next one goes on."""


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


@platform_task(atomic_body=False)
def sweep_billing() -> None:
    """Bring every company's seats and state to what its subscription says."""
    access.sweep(at=timezone.now())


@platform_task(atomic_body=False)
def tell_providers() -> None:
    """Send what is due, one after the other, each at its own moment."""
    for _count in range(MOST):
        if not outbox.send_due(at=timezone.now(), most=1):
            return


@platform_task(atomic_body=False)
def hear_providers() -> None:
    """Look up what we were told of."""
    for _count in range(MOST):
        if not ledger.work(at=timezone.now()):
            return


@platform_task(atomic_body=False)
def fill_gaps() -> None:
    """Ask for what we were not told, and forget what was told long ago."""
    ledger.fill_gaps(at=timezone.now())
    ledger.forget_bodies(at=timezone.now())


@platform_task(atomic_body=False)
def compare_providers() -> None:
    """Compare everything the provider has with what we have."""
    reconciling.compare(at=timezone.now())
