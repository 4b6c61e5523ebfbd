"""Mails of the demo: kept for the operators' outbox page, and their links shown on the console."""

import logging
import re
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from crm_platform.kernel import tenancy
from tenants.models import DemoMail

logger = logging.getLogger("rapport.demo_mail")
LINK = re.compile(r"https?://\S+")


class OutboxBackend(BaseEmailBackend):
    """Django's mail backend that sends nothing. Use it outside a company's transaction."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep the mails; returns how many."""
        scope = tenancy.current_or_none()
        with tenancy.unit_of_work(tenancy.PLATFORM):
            for message in email_messages:
                for address in message.to:
                    DemoMail.objects.create(
                        company_name=scope.name if scope else "", to=address,
                        subject=str(message.subject)[:250], body=_body(message),
                        sent_at=timezone.now(),
                    )  # fmt: skip
        for message in email_messages:
            links = " ".join(LINK.findall(str(message.body)))
            logger.info("Mail to %s: %s %s", ", ".join(message.to), message.subject, links)
        return len(email_messages)


def _body(message: EmailMessage) -> str:
    """The text, and the names of the files that would go with it."""
    names = [name for name, _content, _type in message.attachments if name]
    return "\n".join([str(message.body), *(f"[{name}]" for name in names)])
