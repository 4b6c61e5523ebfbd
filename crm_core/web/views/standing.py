"""Pages about the company itself: how it stands, closing it, opening it again, asking us."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.fields.requests import StaffRequest
from crm_core.web import forms
from crm_core.web import standing as services
from crm_platform.identity.decorators import ability_required, sign_in_required
from crm_platform.identity.granting import is_owner
from crm_platform.identity.services import people
from crm_platform.kernel import tenancy
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast
from tenants.lifecycle import states, words


def _page(request: StaffRequest, form: forms.AskForm, *, status: int = 200) -> HttpResponse:
    scope = tenancy.current_company()
    until = words.day(scope.state_until) if scope.state_until else ""
    context = {
        "company_name": scope.name,
        "no_panel": True,
        "title": words.title(scope.state),
        "now": words.now(scope.state),
        "then": words.then(scope.state, until) if until else "",
        "since": words.day(scope.state_since) if scope.state_since else "",
        "owners": people.owners(),
        "is_owner": is_owner(request.user),
        "can_reopen": services.may_reopen(request.user),
        "can_close": services.may_close(request.user),
        "is_open": scope.state in states.READS,
        "form": form,
    }
    return render(request, "web/standing.html", context, status=status)


@require_safe
@sign_in_required
def standing(request: StaffRequest) -> HttpResponse:
    """The state of the company in words, since when and until when, and what can be done."""
    return _page(request, forms.AskForm())


@require_POST
@sign_in_required
def ask_operators(request: StaffRequest) -> HttpResponse:
    """An owner writes to the operators."""
    form = forms.AskForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.ask_operators(actor=request.user, at=timezone.now(), **form.cleaned_data)
    if form.errors:
        return _page(request, form, status=422)
    return toast(redirect("web:standing"), _("Sent. Our operators answer by mail."))


@require_POST
@sign_in_required
def reopen(request: StaffRequest) -> HttpResponse:
    """An owner takes the closing back."""
    services.reopen_company(actor=request.user, at=timezone.now())
    return toast(redirect("web:standing"), _("The company is open again"))


def _closing(form: forms.CloseForm) -> dict[str, Any]:
    scope = tenancy.current_company()
    end = timezone.now() + dt.timedelta(days=states.days("closed"))
    return {"form": form, "company_name": scope.name, "no_panel": True, "until": words.day(end)}


@require_http_methods(["GET", "POST"])
@ability_required("company.settings")
def close(request: StaffRequest) -> HttpResponse:
    """An owner closes the company, by typing its name."""
    form = forms.CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.close_company(actor=request.user, at=timezone.now(), **form.cleaned_data)
            return toast(redirect("web:standing"), _("The company is closed"))
    status = 422 if form.errors else 200
    return render(request, "web/close_company.html", _closing(form), status=status)
