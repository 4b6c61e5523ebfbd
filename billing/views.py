"""What payment providers send us: checked, kept, answered; looked up afterwards."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing import ledger, tasks
from billing.providers import STRIPE, has_stripe, provider_of
from crm_platform.kernel import counting
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.tasks import later

MOST_BYTES = 512 * 1024
RING_SECONDS = 1


@csrf_exempt
@require_POST
def stripe_events(request: HttpRequest) -> HttpResponse:
    """Keep an event whose signature holds. 400: it does not; 403: nobody pays by card here."""
    provider = provider_of(STRIPE) if has_stripe() else None
    if provider is None:
        return HttpResponse(status=403)
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return HttpResponse(status=413)
    try:
        event = provider.read_event(
            request.body, request.headers.get("Stripe-Signature", ""), at=timezone.now()
        )
    except Invalid as error:
        return HttpResponse(str(error), status=400, content_type="text/plain")
    ledger.keep([event], at=timezone.now())
    # One task for all that come within this time: it is taken up at its end.
    if counting.first("events of providers", seconds=RING_SECONDS):
        later(tasks.hear_providers, in_seconds=RING_SECONDS)
    return HttpResponse(status=200)
