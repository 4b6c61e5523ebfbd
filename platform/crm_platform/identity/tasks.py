"""Background work of identity: sending what waits to be sent."""

from django.utils import timezone

from crm_platform.identity.services import mail
from crm_platform.kernel.tasks import platform_task, tenant_task


@tenant_task(atomic_body=False, while_read_only=True)
def send_waiting_mail() -> None:
    """Send a company's waiting mails. Idempotent."""
    mail.send_waiting(at=timezone.now())


@platform_task(atomic_body=False)
def send_platform_mail() -> None:
    """Send the platform's own waiting mails (sign-up, operators). Idempotent."""
    mail.send_waiting(at=timezone.now())
