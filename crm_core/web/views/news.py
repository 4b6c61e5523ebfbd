"""What is new."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm_core.fields.requests import StaffRequest
from crm_core.web import news as services
from crm_platform.identity import rules
from crm_platform.identity.decorators import sign_in_required


@require_safe
@sign_in_required
def whats_new(request: StaffRequest) -> HttpResponse:
    """What the releases brought, the newest first; who opens it has read it.

    A browser that fetches the page ahead has not.
    """
    items = services.items_for(request.user)
    if "prefetch" not in request.headers.get("Sec-Purpose", ""):
        services.mark_read(actor=request.user)
    may_set = rules.has_ability(request.user, "company.settings")
    return render(request, "web/whats_new.html", {"items": items, "may_set": may_set})
