"""Looking into a company: with its consent, for a while, and on the record."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.console import forms
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries.support import requests
from crm_platform.console.services import support as services
from crm_platform.console.views.asking import me, the_company
from crm_platform.console.words import support_word
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on
from crm_platform.ui.toast import toast


@require_GET
@operators_with("support.view")
def support(request: HttpRequest) -> HttpResponse:
    """Every wish and visit, the open ones first."""
    at = timezone.now()
    context = {
        "rows": [
            (row, support_word(row.state), row.state == "granted" and row.until and row.until > at)
            for row in requests()
        ],
        **console(request, "support"),
    }
    return render(request, "console/support.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@operators_with("support.ask")
def ask(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Ask a company to let one look in."""
    company = the_company(company_id)
    partial = "console/_operator_form.html"
    form = forms.SupportForm(request.POST or None, initial={"minutes": 60})
    context = {
        "title": _("Ask %(name)s for access") % {"name": company.name}, "action": request.path,
        "note": _("An owner or admin of the company reads your reason and decides."),
        "verb": _("Ask"), **console(request, "companies"),
    }  # fmt: skip
    if request.method != "POST":
        template = partial if in_dialog(request) else "console/form_page.html"
        return render(request, template, {**context, "form": form, "partial": partial})
    if form.is_valid():
        with refusals_on(form):
            services.ask(
                company_id=company_id, **form.cleaned_data, actor=me(request), at=timezone.now()
            )
    return answer_form(
        request, form, partial=partial, page="console/form_page.html", context=context,
        then="console:support", after="visit", message=_("The company is asked."),
    )  # fmt: skip


@require_POST
@operators_with("support.ask")
def enter(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show the one-time link: a form may not lead to another host."""
    link = services.open_door(key=key, actor=me(request), at=timezone.now())
    context = {"link": link, **console(request, "support")}
    return render(request, "console/support_enter.html", context)


@require_POST
@operators_with("support.ask")
def end(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take a wish back, or leave."""
    services.end(key=key, actor=me(request), at=timezone.now())
    return toast(redirect("console:support"), _("The visit is over."))
