"""Settings: who of the operators may look into the company, and for how long."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm_platform.identity import queries
from crm_platform.identity.client import client_of
from crm_platform.identity.decorators import ability_required, sign_in_required
from crm_platform.identity.models import User
from crm_platform.identity.nav import settings_nav
from crm_platform.identity.services import support as services
from crm_platform.identity.views.entry import stale_link, welcome_in
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.toast import toast

manage = ability_required(services.ABILITY)


@require_GET
@manage
def support(request: HttpRequest) -> HttpResponse:
    """What was asked for, what goes on, what was."""
    visits, at = queries.support_visits(), timezone.now()
    context = {
        "asked": [visit for visit in visits if visit.state == "asked"],
        "open": [v for v in visits if v.state == "granted" and v.until and v.until > at],
        "past": [
            v for v in visits
            if v.state in ("refused", "ended") or (v.until is not None and v.until <= at)
        ],
        "settings_nav": settings_nav(request, "support"),
    }  # fmt: skip
    return render(request, "identity/support.html", context)


@require_POST
@manage
def grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the operator in."""
    visit = services.grant(
        visit_id=pk, may_write=request.POST.get("may_write") == "1",
        actor=cast(User, request.user), at=timezone.now(),
    )  # fmt: skip
    text = _("%(name)s may look in now.") % {"name": visit.name}
    return toast(redirect("identity:support"), text)


@require_POST
@manage
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Say no."""
    services.refuse(visit_id=pk, actor=cast(User, request.user), at=timezone.now())
    return toast(redirect("identity:support"), _("Refused. Nobody comes in."))


@require_POST
@sign_in_required
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a visit at once: whoever may change the settings, or the visitor."""
    user = cast(User, request.user)
    services.end(visit_id=pk, actor=user, at=timezone.now())
    to = "identity:sign_in" if user.is_support else "identity:support"
    return toast(redirect(to), _("The visit is over."))


@require_GET
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """The operator comes in, once."""
    try:
        _session, secret = services.enter(token=token, client=client_of(request), at=timezone.now())
    except DomainError as error:
        return stale_link(request, error)
    return welcome_in(request, secret, "/")
