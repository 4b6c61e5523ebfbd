"""Background work of identity: sending what waits to be sent."""

from django.utils import timezone

from crm_platform.identity.services import mail
from crm_platform.kernel import tenancy
from crm_platform.kernel.tasks import platform_task, tenant_task


@tenant_task(atomic_body=False, while_read_only=True)
def send_waiting_mail() -> None:
    """Send a company's waiting mails. Idempotent."""
    mail.send_waiting(at=timezone.now())


@tenant_task(atomic_body=False)
def retry_failed_mail() -> None:
    """Try a company's failed mails once more, and send. Idempotent."""
    at, scope = timezone.now(), tenancy.current()
    with tenancy.unit_of_work(scope):
        mail.retry_failed(at=at)
    mail.send_waiting(at=at)


@platform_task(atomic_body=False)
def send_platform_mail() -> None:
    """Send the platform's own waiting mails (sign-up, operators). Idempotent."""
    mail.send_waiting(at=timezone.now())
