"""The payment provider: what it was told, what it told us, what differs."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing import traffic
from billing.models import Command, ProviderEvent
from billing.providers import has_stripe
from crm_platform.console import provider_words as words
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.services import provider as services
from crm_platform.console.views.asking import me, page_number, word
from crm_platform.console.views.billing import tabs
from crm_platform.ui.toast import toast

A_PAGE = 50


def _frame(request: HttpRequest, part: str) -> dict[str, Any]:
    counts = traffic.traffic()
    parts = (
        ("provider", _("What we sent"), counts.commands_failed),
        ("provider_events", _("What we were told"), counts.events_dead),
        ("provider_compared", _("Comparisons"), 0),
    )
    return {
        "parts": [(reverse(f"console:{name}"), label, bad, name == part)
                  for name, label, bad in parts],
        "is_set_up": has_stripe(), "tabs": tabs("provider"), "counts": counts,
        "state": word(request, "state", 20), "text": word(request, "q"),
        **console(request, "billing"),
    }  # fmt: skip


@require_GET
@operators_with("billing.view")
def commands(request: HttpRequest) -> HttpResponse:
    """What the provider was told to do, and what came of it."""
    context = _frame(request, "provider")
    rows = traffic.commands(state=context["state"], text=context["text"])
    page = Paginator(rows, A_PAGE).get_page(page_number(request))
    context |= {
        "page": page, "states": [(s, words.command_state(s)) for s in Command.State.values],
        "rows": [
            (each, words.command_word(each.kind), words.command_state(each.state),
             words.COMMAND_KINDS[each.state], each.state in words.CAN_BE_SENT_AGAIN)
            for each in page
        ],
    }  # fmt: skip
    return render(request, "console/provider.html", context)


@require_GET
@operators_with("billing.view")
def events(request: HttpRequest) -> HttpResponse:
    """What the provider told us, and whether it was looked up."""
    context = _frame(request, "provider_events")
    rows = traffic.events(state=context["state"], text=context["text"])
    page = Paginator(rows, A_PAGE).get_page(page_number(request))
    context |= {
        "page": page, "states": [(s, words.event_state(s)) for s in ProviderEvent.State.values],
        "rows": [(each, words.event_state(each.state), words.EVENT_KINDS[each.state])
                 for each in page],
    }  # fmt: skip
    return render(request, "console/provider_events.html", context)


@require_GET
@operators_with("billing.view")
def compared(request: HttpRequest) -> HttpResponse:
    """What the newest comparison found, and how the others ended."""
    found = traffic.comparisons()
    context = _frame(request, "provider_compared") | {
        "newest": found[0] if found else None, "older": found[1:],
        "rows": [(each, words.difference_word(each.kind))
                 for each in (traffic.differences(found[0]) if found else ())],
    }  # fmt: skip
    return render(request, "console/provider_compared.html", context)


@require_POST
@operators_with("billing.act")
def send_again(request: HttpRequest, command_id: int) -> HttpResponse:
    """Send what was given up once more."""
    services.send_again(command_id=command_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:provider"), _("It is being tried again."))


@require_POST
@operators_with("billing.act")
def look_again(request: HttpRequest, event_id: int) -> HttpResponse:
    """Look up once more what an event was about."""
    services.look_again(event_id=event_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:provider_events"), _("It is being looked up again."))


@require_POST
@operators_with("billing.act")
def compare(request: HttpRequest) -> HttpResponse:
    """Compare everything now."""
    services.compare(actor=me(request), at=timezone.now())
    return toast(redirect("console:provider_compared"), _("It is being compared."))
