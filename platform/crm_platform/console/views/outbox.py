"""Mails that wait or failed: the platform's own, and sums of each company's."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import outbox as queries
from crm_platform.console.services import outbox as services
from crm_platform.console.views.asking import me
from crm_platform.ui.toast import toast


@require_GET
@operators_with("outbox.view")
def outbox(request: HttpRequest) -> HttpResponse:
    """Who waits for which mail; never its text, which may hold a one-time link."""
    context = {
        "mails": [(mail, queries.is_given_up(mail)) for mail in queries.unsent()],
        "companies": queries.companies_with_mail(),
        **console(request, "outbox"),
    }
    return render(request, "console/outbox.html", context)


@require_POST
@operators_with("outbox.retry")
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try one of the platform's mails again."""
    services.retry_platform_mail(mail_id=pk, actor=me(request), at=timezone.now())
    return toast(redirect("console:outbox"), _("It is being tried again."))


@require_POST
@operators_with("outbox.retry")
def retry_company(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Try a company's failed mails again."""
    services.retry_company_mails(company_id=company_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:outbox"), _("They are being tried again."))
