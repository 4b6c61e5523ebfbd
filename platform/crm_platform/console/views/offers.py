"""Coupons, and what a company is given: a coupon, credit."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import grants, operating
from billing.catalogue import name_of
from billing.models import Account, Plan
from crm_platform.console import forms, offer_forms
from crm_platform.console.amounts import said
from crm_platform.console.billing_words import interval_word
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import offers as queries
from crm_platform.console.services import offers as services
from crm_platform.console.views.asking import me
from crm_platform.console.views.billing import FORM_PAGE, PARTIAL, answer_account, tabs
from crm_platform.console.views.given import off_word
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on
from crm_platform.ui.toast import toast

page = require_http_methods(["GET", "HEAD", "POST"])


# -- coupons -------------------------------------------------------------------------------------


@require_GET
@operators_with("billing.view")
def coupons(request: HttpRequest) -> HttpResponse:
    """Every coupon, what it takes off, who brings it and how often it was used."""
    names = {plan.pk: name_of(plan.names) for plan in Plan.objects.all()}
    rows = [
        {"coupon": each, "off": off_word(each), "is_open": queries.is_open(each, timezone.now()),
         "interval": interval_word(each.interval) if each.interval else "",
         "plans": [names[pk] for pk in each.plans if pk in names]}
        for each in queries.coupons()
    ]  # fmt: skip
    context = {"rows": rows, "tabs": tabs("coupons"), **console(request, "billing")}
    return render(request, "console/coupons.html", context)


@page
@operators_with("billing.act")
def add_coupon(request: HttpRequest) -> HttpResponse:
    """A coupon of its own."""
    plans = [(plan.pk, name_of(plan.names)) for plan in Plan.objects.all()]
    form = offer_forms.CouponForm(request.POST or None, plans=plans)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.add_coupon(**form.cleaned_data, actor=me(request), at=timezone.now())
    back = resolve_url("console:coupons")
    context = {"title": _("Add a coupon"), "action": request.path, "verb": _("Add"), "back": back,
               **console(request, "billing")}  # fmt: skip
    if request.method != "POST":
        template = PARTIAL if in_dialog(request) else FORM_PAGE
        return render(request, template, {**context, "form": form, "partial": PARTIAL})
    return answer_form(
        request, form, partial=PARTIAL, page=FORM_PAGE, context=context, then=back, after="visit",
        message=_("The coupon is added"),
    )  # fmt: skip


@require_POST
@operators_with("billing.act")
def end_coupon(request: HttpRequest, coupon_id: int) -> HttpResponse:
    """Let nobody redeem it any more."""
    services.end_coupon(coupon_id=coupon_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:coupons"), _("Nobody can use it any more"))


# -- what one company is given -------------------------------------------------------------------


def _account(company_id: UUID) -> Account:
    account = operating.get_account(company_id)
    if account is None:
        raise Http404
    return account


@page
@operators_with("billing.act")
def give_coupon(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Redeem a coupon for a company."""
    found = _account(company_id)
    form = offer_forms.CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.give_coupon(
                company_id=company_id, code=form.cleaned_data["code"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
    title = _("Give %(name)s a coupon") % {"name": found.company.name}
    note = _("It comes off the next invoice for a whole period.")
    return answer_account(
        request, form, company_id, title, note, _("The coupon is given"), verb=_("Give")
    )


@page
@operators_with("billing.act")
def give_credit(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Give credit; too much for one waits for a second operator."""
    found = _account(company_id)
    form = offer_forms.CreditGrantForm(request.POST or None, currency=found.currency)
    message = _("The credit is given")
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            made = services.give_credit(
                company_id=company_id, **form.cleaned_data, actor=me(request), at=timezone.now()
            )
            if made.agreed_at is None:
                message = _("It waits for a second person.")
    title = _("Give %(name)s credit") % {"name": found.company.name}
    most = said(grants.alone_up_to(found.currency), found.currency)
    note = _("The next invoices use it up. Above %(most)s in 30 days a second operator agrees.") % {
        "most": most
    }
    return answer_account(request, form, company_id, title, note, message, verb=_("Give"))


@page
@operators_with("billing.act")
def withdraw_credit(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Take back what is left of it."""
    found = queries.get_grant(grant_id)
    if found is None:
        raise Http404
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.withdraw_credit(
                grant_id=grant_id, reason=form.cleaned_data["reason"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
    title = _("Withdraw credit of %(amount)s") % {"amount": said(found.left, found.currency)}
    note = _("Invoices that used some of it stay as they are.")
    return answer_account(
        request, form, found.account.company_id, title, note, _("The credit is withdrawn"),
        verb=_("Withdraw"), danger=True,
    )  # fmt: skip
