"""The page of the company's addresses. It shows the platform's rows, so it is built afterwards."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from crm_core.fields.requests import StaffRequest
from crm_core.web import addresses as services
from crm_core.web import forms
from crm_core.web.settings_nav import settings_nav
from crm_platform.identity.decorators import ability_required
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.afterwards import afterwards
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast
from tenants.addresses import renaming
from tenants.addresses.listing import addresses_of
from tenants.lifecycle import states

admins_only = ability_required("company.settings")


def _page(
    request: StaffRequest, *, rename: forms.RenameForm | None = None,
    claim: forms.HostForm | None = None,
) -> HttpResponse:  # fmt: skip
    scope = tenancy.current_company()
    found = addresses_of(scope.id, at=timezone.now())
    context = {
        "addresses": found,
        "address": settings.ENVIRONMENT.address_of(scope.host),
        "rename": rename or forms.RenameForm(initial={"slug": scope.slug}),
        "claim": claim or forms.HostForm(),
        "base_domain": settings.BASE_DOMAIN,
        "cname_target": settings.CNAME_TARGET,
        "redirect_days": states.days("old_address"),
        "settings_nav": settings_nav(request, "address"),
    }
    is_refused = any(form is not None and form.errors for form in (rename, claim))
    with tenancy.unit_of_work(scope):
        return render(request, "web/address.html", context, status=422 if is_refused else 200)


@require_safe
@admins_only
def address(request: StaffRequest) -> HttpResponse:
    """By which names the company is reached, and those being proven."""
    return afterwards(lambda: _page(request))


@require_GET
@admins_only
def check(request: StaffRequest) -> HttpResponse:
    """Whether an address name can be had, while it is typed."""
    slug, company_id = request.GET.get("value", "")[:80], tenancy.current_company().id

    def answer() -> HttpResponse:
        try:
            renaming.is_free(company_id=company_id, slug=slug)
        except DomainError as error:
            return JsonResponse({"ok": False, "text": str(error)})
        return JsonResponse({"ok": True, "text": _("This address is free.")})

    return afterwards(answer)


@require_POST
@admins_only
def rename(request: StaffRequest) -> HttpResponse:
    """Change the address with us; everybody signs in anew at the new one."""
    form = forms.RenameForm(request.POST)
    if not form.is_valid():
        return afterwards(lambda: _page(request, rename=form))

    def answer() -> HttpResponse:
        with refusals_on(form):
            made = services.rename_address(
                slug=form.cleaned_data["slug"], actor=request.user, at=timezone.now()
            )
            host = renaming.host_of(made.slug)
            return redirect(f"{settings.ENVIRONMENT.address_of(host)}/sign-in/?next=/")
        return _page(request, rename=form)

    response = afterwards(answer)
    anywhere = settings.ENVIRONMENT.address_of(f"*.{settings.BASE_DOMAIN}")
    response.csp_extra = {"form-action": f"'self' {anywhere}"}  # type: ignore[attr-defined]  # security_headers
    return response


def _change(request: StaffRequest, service: Callable[..., None], message: str) -> HttpResponse:
    """Do one thing to a host name and go back to the page; a refusal stands at the form."""
    form = forms.HostForm(request.POST)
    if not form.is_valid():
        return afterwards(lambda: _page(request, claim=form))

    def answer() -> HttpResponse:
        with refusals_on(form):
            values: dict[str, Any] = {"host": form.cleaned_data["host"]}
            service(actor=request.user, at=timezone.now(), **values)
            return toast(redirect("web:address"), message)
        return _page(request, claim=form)

    return afterwards(answer)


@require_POST
@admins_only
def claim(request: StaffRequest) -> HttpResponse:
    """Begin to prove a host name."""
    return _change(request, services.claim_host, _("Now publish the record shown here."))


@require_POST
@admins_only
def prove(request: StaffRequest) -> HttpResponse:
    """Ask DNS for the proof."""
    return _change(request, services.prove_host, _("Proven. The host name answers now."))


@require_POST
@admins_only
def release(request: StaffRequest) -> HttpResponse:
    """Give a host name back."""
    return _change(request, services.release_host, _("The host name is given back."))


@require_POST
@admins_only
def lead(request: StaffRequest) -> HttpResponse:
    """Choose the host that pages and mails use."""
    return _change(request, services.lead_with, _("Pages and mails use this address now."))
