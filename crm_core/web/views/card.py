"""The card and the bills of the payment service: we only say where they are."""

from collections.abc import Callable

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from crm_core.fields.requests import StaffRequest
from crm_core.web import billing as services
from crm_core.web.views.billing import payers_only, refused_on_page
from crm_core.web.views.leaving_for import address_of_page, leave


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
