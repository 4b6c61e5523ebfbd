"""The demo's outbox."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import demo_mail as queries
from crm_platform.console.views.asking import page_number
from tenants.models import DemoMail


@require_GET
@operators_with("demo_mail.view")
def mails(request: HttpRequest) -> HttpResponse:
    """The demo's outbox."""
    if not queries.keeps_demo_mail():
        raise Http404
    page = queries.demo_mails(page=page_number(request))
    return render(request, "console/mails.html", {"page": page, **console(request, "mail")})


@require_GET
@operators_with("demo_mail.view")
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail of the demo, as text."""
    if not queries.keeps_demo_mail():
        raise Http404
    found = get_object_or_404(DemoMail, pk=pk)
    return render(request, "console/mail.html", {"mail": found, **console(request, "mail")})
