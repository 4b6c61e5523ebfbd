"""Reading mails that wait, the platform's own and how many there are in each company."""

from django.db.models import Q

from crm_platform.identity.models import OutgoingMail
from crm_platform.identity.services.mail import MOST_ATTEMPTS
from tenants.models import Company

MOST_SHOWN = 100


def unsent() -> list[OutgoingMail]:
    """The platform's own mails that are not sent yet, those given up first."""
    rows = OutgoingMail.objects.filter(sent_at=None)
    return list(rows.order_by("-attempts", "created_at", "pk")[:MOST_SHOWN])


def is_given_up(mail: OutgoingMail) -> bool:
    return mail.attempts >= MOST_ATTEMPTS


def companies_with_mail() -> list[Company]:
    """Companies in which mails wait or failed, by the last survey; those with failures first."""
    has_some = Q(facts__mail_waiting__gt=0) | Q(facts__mail_failed__gt=0)
    rows = Company.objects.select_related("facts").filter(has_some)
    return list(rows.order_by("-facts__mail_failed", "-facts__mail_waiting", "pk")[:MOST_SHOWN])
