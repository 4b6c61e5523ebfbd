"""Pages of the public host."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.identity.client import client_of
from crm_platform.kernel.errors import DomainError
from crm_platform.signup import forms, services
from crm_platform.signup.guesses import guess_of
from crm_platform.signup.models import SignUp
from crm_platform.signup.pricing import public_nav
from crm_platform.ui.answers import is_htmx, refusals_on, visit
from crm_platform.ui.toast import toast
from tenants import queries as tenants_queries
from tenants.lifecycle import states
from tenants.models import Company

page = require_http_methods(["GET", "HEAD", "POST"])


def _domain() -> dict[str, str]:
    return {"base_domain": settings.BASE_DOMAIN}


def _may_leave(response: HttpResponse) -> HttpResponse:
    """Let this page's form be answered by a redirect to a company's host."""
    anywhere = settings.ENVIRONMENT.address_of(f"*.{settings.BASE_DOMAIN}")
    response.csp_extra = {"form-action": f"'self' {anywhere}"}  # type: ignore[attr-defined]
    return response


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """What Rapport is, in our own words."""
    context = {
        "form": forms.FindForm(),
        "sign_in_url": reverse("signup:find"),
        "sign_up_url": reverse("signup:sign_up"),
        "public_nav": public_nav(),
        **_domain(),
    }
    return _may_leave(render(request, "signup/landing.html", context))


@page
def find(request: HttpRequest) -> HttpResponse:
    """Find one's company by its address name, and sign in there."""
    form = forms.FindForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        host = f"{form.cleaned_data['slug'].strip().lower()}.{settings.BASE_DOMAIN}"
        if tenants_queries.host_is_known(host):
            return redirect(f"{settings.ENVIRONMENT.address_of(host)}/sign-in/")
        form.add_error("slug", _("No company has this address name."))
    context = {"form": form, **_domain()}
    status = 422 if form.errors else 200
    return _may_leave(render(request, "signup/find.html", context, status=status))


@require_GET
def check_address(request: HttpRequest) -> JsonResponse:
    """Whether an address name can be had, while it is typed."""
    try:
        services.check_slug(request.GET.get("value", "").strip().lower()[:80])
    except DomainError as error:
        return JsonResponse({"ok": False, "text": str(error)})
    return JsonResponse({"ok": True, "text": _("This address is free.")})


@sensitive_post_parameters("password")
@page
def sign_up(request: HttpRequest) -> HttpResponse:
    """The form that begins a company."""
    if request.method == "POST":
        form = forms.SignUpForm(request.POST)
        if form.is_valid():
            with refusals_on(form):
                made = services.request_signup(
                    **form.cleaned_data, client=client_of(request), at=timezone.now()
                )
                return redirect("signup:sent", made.pk)
    else:
        guess = guess_of(request)
        form = forms.SignUpForm(
            initial={
                "language": translation.get_language(), "time_zone": guess.time_zone,
                "currency": guess.currency,
            }
        )  # fmt: skip
    context = {"form": form, **_domain()}
    return render(request, "signup/sign_up.html", context, status=422 if form.errors else 200)


@require_GET
def sent(request: HttpRequest, sign_up_id: UUID) -> HttpResponse:
    """Look in your mail."""
    found = SignUp.objects.filter(pk=sign_up_id).first()
    if found is None:
        raise Http404
    return render(request, "signup/sent.html", {"sign_up": found})


@require_POST
def send_again(request: HttpRequest, sign_up_id: UUID) -> HttpResponse:
    """Mail the link once more."""
    try:
        services.send_again(sign_up_id=sign_up_id, client=client_of(request), at=timezone.now())
    except DomainError as error:
        return toast(redirect("signup:sent", sign_up_id), str(error), kind="bad")
    return toast(redirect("signup:sent", sign_up_id), _("Sent again"))


def _stale(request: HttpRequest, error: DomainError) -> HttpResponse:
    return render(request, "signup/stale.html", {"text": str(error)}, status=error.status)


@page
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed link. A browser goes on by itself; a mail scanner's visit begins nothing."""
    at = timezone.now()
    try:
        found = services.sign_up_of(token, at=at)
    except DomainError as error:
        return _stale(request, error)
    if found.confirmed_at is not None:
        return _go(request, token)
    form = forms.ConfirmForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            services.confirm(token=token, slug=form.cleaned_data["slug"], at=at)
            return _go(request, token)
    context = {"form": form, "sign_up": found, **_domain()}
    # A refusal replaces the whole page for htmx too: the form must show what to change.
    return render(request, "signup/confirm.html", context, status=422 if form.errors else 200)


def _go(request: HttpRequest, token: str) -> HttpResponse:
    response = redirect("signup:progress", token)
    return visit(response.url) if is_htmx(request) else response


@require_GET
def progress(request: HttpRequest, token: str) -> HttpResponse:
    """How far the company is; asks again each second, and goes in when it is open."""
    at = timezone.now()
    try:
        found = services.sign_up_of(token, at=at)
    except DomainError as error:
        return _stale(request, error)
    if found.company is None:
        return redirect("signup:confirm", token)
    if found.company.state in states.READS:
        address = services.way_in(sign_up=found, at=at)
        return visit(address) if is_htmx(request) else redirect(address)
    services.push_on(sign_up=found, at=at)
    gave_up = (
        found.company.state == Company.State.FAILED
        and found.company.attempts >= tenants_queries.MOST_ATTEMPTS
    )
    context = {"sign_up": found, "company": found.company, "gave_up": gave_up, "token": token}
    template = "signup/_progress.html" if is_htmx(request) else "signup/progress.html"
    return render(request, template, context)
