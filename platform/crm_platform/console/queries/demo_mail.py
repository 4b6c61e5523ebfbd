"""The demo's outbox."""

from django.conf import settings
from django.core.paginator import Page, Paginator

from tenants.models import DemoMail

A_PAGE = 50


def demo_mails(*, page: int) -> Page[DemoMail]:
    """The demo's outbox, newest first."""
    return Paginator(DemoMail.objects.order_by("-sent_at", "-pk"), A_PAGE).get_page(page)


def keeps_demo_mail() -> bool:
    """Whether this installation sends no mail but keeps it for the outbox page."""
    return settings.EMAIL_BACKEND == "tenants.demo_mail.OutboxBackend"
