"""Companies: the list, one company, and what can be done to it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm_platform.console import forms
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import companies as queries
from crm_platform.console.services import companies as services
from crm_platform.console.views.asking import me, page_number, the_company, word
from crm_platform.console.words import KINDS, state_word
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast
from tenants.models import Company


@require_GET
@operators_with("companies.view")
def companies(request: HttpRequest) -> HttpResponse:
    """Every company, with state, people, size, age and last use."""
    wanted = queries.Wanted(
        text=word(request, "q"), state=request.GET.get("state", ""),
        sort=request.GET.get("sort", queries.DEFAULT_SORT),
    )  # fmt: skip
    page = queries.companies(wanted, page=page_number(request))
    context = {
        "page": page,
        "rows": [
            (one, state_word(one.state), KINDS[one.state], queries.address_of(one)) for one in page
        ],
        "wanted": wanted,
        "states": [(value, state_word(value)) for value in Company.State.values],
        "columns": [
            ("name", _("Company"), ""), ("", _("State"), ""), ("users", _("People"), "r"),
            ("size", _("Size"), "r"), ("created", _("Created"), ""), ("used", _("Last use"), ""),
        ],
        **console(request, "companies"),
    }  # fmt: skip
    return render(request, "console/companies.html", context)


def _company_page(request: HttpRequest, company: Company, form: forms.SuspendForm) -> HttpResponse:
    context = {
        "company": company,
        "state": state_word(company.state),
        "kind": KINDS[company.state],
        "address": queries.address_of(company),
        "form": form,
        **console(request, "companies"),
    }
    return render(request, "console/company.html", context, status=422 if form.errors else 200)


@require_GET
@operators_with("companies.view")
def company(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """The facts of one company, and what can be done."""
    return _company_page(request, the_company(company_id), forms.SuspendForm())


@require_POST
@operators_with("companies.retry")
def retry(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Build a failed company once more."""
    services.retry(company_id=company_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:company", company_id), _("It is being tried again."))


@require_POST
@operators_with("companies.suspend")
def suspend(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Stop a company, with a reason."""
    form = forms.SuspendForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.suspend(
                company_id=company_id, reason=form.cleaned_data["reason"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
            return toast(redirect("console:company", company_id), _("Suspended"))
    return _company_page(request, the_company(company_id), form)


@require_POST
@operators_with("companies.suspend")
def resume(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Open a suspended company again."""
    services.resume(company_id=company_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:company", company_id), _("Open again"))
