"""Bills as PDF; the card and the bills of the payment service: we only say where they are."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from billing import standing
from billing.pdf import invoice_pdf
from crm_core.fields.requests import StaffRequest
from crm_core.web import billing as services
from crm_core.web.views.billing import payers_only, refused_on_page
from crm_core.web.views.leaving_for import address_of_page, leave
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.afterwards import afterwards


def _go(request: StaffRequest, find: Callable[[], str]) -> HttpResponse:
    return refused_on_page(request, lambda: leave(request, find()))


@require_POST
@payers_only
def card(request: StaffRequest) -> HttpResponse:
    """Change the card."""
    back, at = address_of_page(request), timezone.now()
    return _go(request, lambda: services.card_address(back=back, actor=request.user, at=at))


@require_POST
@payers_only
def pay(request: StaffRequest, invoice_id: int) -> HttpResponse:
    """Pay a bill that the card did not."""
    return _go(
        request,
        lambda: services.bill_address(invoice_id=invoice_id, is_pdf=False, actor=request.user),
    )


@require_safe
@payers_only
def invoice(request: StaffRequest, invoice_id: int) -> HttpResponse:
    """One invoice as PDF, in the language it was issued in."""
    scope = tenancy.current_company()

    def answer() -> HttpResponse:
        try:
            found = standing.invoice_of(scope.id, invoice_id)
            if found.provider_id:
                address = services.bill_address(
                    invoice_id=invoice_id, is_pdf=True, actor=request.user
                )
                return redirect(address)
        except DomainError as refusal:
            return HttpResponse(
                str(refusal), content_type="text/plain; charset=utf-8", status=refusal.status
            )
        response = HttpResponse(invoice_pdf(found), content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="{found.number}.pdf"'
        return response

    return afterwards(answer)
