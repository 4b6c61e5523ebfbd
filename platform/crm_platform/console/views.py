"""The operators' pages; they see the register, never a company's own data."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm_platform.console import forms, queries
from crm_platform.console.context import console
from crm_platform.identity.decorators import ability_required
from crm_platform.kernel.tasks import later
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast
from tenants import services, tasks
from tenants.models import Company, DemoMail

operators_only = ability_required("console")
KINDS = {
    "requested": "info", "building": "info", "active": "ok", "failed": "bad",
    "suspended": "warn", "deleted": "", "trial": "info", "past_due": "warn", "read_only": "warn",
    "closed": "", "erased": "",
}  # fmt: skip


def state_word(state: str) -> str:
    words = {
        "requested": _("Requested"), "building": _("Being made"), "active": _("Active"),
        "failed": _("Failed"), "suspended": _("Suspended"), "deleted": _("Removed"),
        "trial": _("Trial"), "past_due": _("Past due"), "read_only": _("Read only"),
        "closed": _("Closed"), "erased": _("Erased"),
    }  # fmt: skip
    return words[state]


def _page_number(request: HttpRequest) -> int:
    said = request.GET.get("page", "1")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 1


@require_GET
@operators_only
def companies(request: HttpRequest) -> HttpResponse:
    """Every company, with state, people, size, age and last use."""
    wanted = queries.Wanted(
        text=request.GET.get("q", "").strip()[:80], state=request.GET.get("state", ""),
        sort=request.GET.get("sort", queries.DEFAULT_SORT),
    )  # fmt: skip
    page = queries.companies(wanted, page=_page_number(request))
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


def _company(company_id: UUID) -> Company:
    return get_object_or_404(Company.objects.prefetch_related("domains"), pk=company_id)


@require_GET
@operators_only
def company(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """The facts of one company, and what can be done."""
    return _company_page(request, _company(company_id), forms.SuspendForm())


@require_POST
@operators_only
def retry(_request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Build a failed company once more."""
    services.retry(company_id=company_id)
    later(tasks.build_company, company_id=str(company_id))
    return toast(redirect("console:company", company_id), _("It is being tried again."))


@require_POST
@operators_only
def suspend(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Stop a company, with a reason."""
    form = forms.SuspendForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.suspend(company_id=company_id, reason=form.cleaned_data["reason"])
            return toast(redirect("console:company", company_id), _("Suspended"))
    return _company_page(request, _company(company_id), form)


@require_POST
@operators_only
def resume(_request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Open a suspended company again."""
    services.resume(company_id=company_id)
    return toast(redirect("console:company", company_id), _("Open again"))


@require_GET
@operators_only
def mails(request: HttpRequest) -> HttpResponse:
    """The demo's outbox."""
    if not queries.keeps_demo_mail():
        raise Http404
    page = queries.demo_mails(page=_page_number(request))
    return render(request, "console/mails.html", {"page": page, **console(request, "mail")})


@require_GET
@operators_only
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail of the demo, as text."""
    if not queries.keeps_demo_mail():
        raise Http404
    found = get_object_or_404(DemoMail, pk=pk)
    return render(request, "console/mail.html", {"mail": found, **console(request, "mail")})
