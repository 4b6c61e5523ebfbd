"""A rehearsal's own outbox: what it would have sent."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm_core.fields.requests import StaffRequest
from crm_platform.identity.decorators import ability_required
from crm_platform.identity.services import mail
from crm_platform.kernel import tenancy

SHOWN = 100


@require_safe
@ability_required("company.settings")
def outbox(request: StaffRequest) -> HttpResponse:
    """The mails of a rehearsal with their texts; live companies have no such page."""
    if not tenancy.current().is_rehearsal:
        raise Http404
    return render(request, "web/rehearsal_outbox.html", {"mails": list(mail.outbox()[:SHOWN])})
