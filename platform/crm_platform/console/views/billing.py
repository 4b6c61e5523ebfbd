"""Who owes what, one company's account, and the money operators record."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing import operating
from billing.catalogue import name_of
from billing.letters import letters_of
from billing.models import Account
from billing.providers import MANUAL
from crm_platform.console import billing_forms, forms
from crm_platform.console.amounts import said, written
from crm_platform.console.billing_words import (
    AGE_KINDS,
    INVOICE_KINDS,
    age_word,
    by_word,
    entry_facts,
    entry_word,
    invoice_word,
    letter_word,
    line_word,
    next_word,
    price_word,
    unit_of,
)
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.services import billing as services
from crm_platform.console.views.asking import me, page_number, word
from crm_platform.console.views.given import given
from crm_platform.console.words import KINDS, state_word
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on

A_PAGE = 50
FORM_PAGE, PARTIAL = "console/form_page.html", "console/_money_form.html"
page = require_http_methods(["GET", "HEAD", "POST"])


def tabs(current: str) -> list[dict[str, Any]]:
    """The parts of billing."""
    places = (
        ("billing", _("Bills"), "receipt"), ("plans", _("Plans"), "layers"),
        ("coupons", _("Coupons"), "ticket-percent"), ("figures", _("Figures"), "chart-column"),
        ("provider", _("Payment service"), "credit-card"),
    )  # fmt: skip
    return [
        {"label": label, "icon": icon, "href": reverse(f"console:{name}"),
         "current": name == current}
        for name, label, icon in places
    ]  # fmt: skip


# -- who owes what -------------------------------------------------------------------------------


@require_GET
@operators_with("billing.view")
def board(request: HttpRequest) -> HttpResponse:
    """Companies with open invoices, the longest unpaid first, with what happens to them next."""
    at, text, age = timezone.now(), word(request, "q"), word(request, "age", 20)
    sums = operating.owed_by_age(at=at)
    found = Paginator(operating.debtors(at=at, text=text, age=age), A_PAGE)
    shown = found.get_page(page_number(request))
    context = {
        "ages": [
            (key, age_word(key), AGE_KINDS[key],
             [(said(amount, code), count) for code, (amount, count) in sums[key].items()])
            for key in operating.AGES
        ],
        "rows": [_debtor(account) for account in shown],
        "page": shown, "total": found.count, "text": text,
        "age": age if age in operating.AGES else "", "tabs": tabs("billing"),
        **console(request, "billing"),
    }  # fmt: skip
    return render(request, "console/billing.html", context)


def _debtor(account: Any) -> dict[str, Any]:
    company = account.company
    return {
        "company": company,
        "kind": KINDS[company.state],
        "state": state_word(company.state),
        "next": next_word(company),
        "owed": said(account.owed_all, account.currency),
        "oldest_due": account.oldest_due,
        "by_age": [
            (age_word(key), AGE_KINDS[key], said(amount, account.currency))
            for key in operating.AGES
            if (amount := getattr(account, f"owed_{key}"))
        ],
        "bills": account.open_bills,
    }


# -- one account ---------------------------------------------------------------------------------


def panel(company_id: UUID) -> dict[str, Any] | None:
    """What a company's page says of its renting; None before it has an account."""
    summary = operating.summary_of(company_id, at=timezone.now())
    if summary is None:
        return None
    account, rented = summary.account, summary.subscription
    return {
        "account": account,
        "rented": rented,
        "plan": rented.price.version if rented else None,
        "plan_name": name_of(rented.price.version.plan.names) if rented else "",
        "price": price_word(rented.price, rented.seats) if rented else "",
        "balance": said(account.balance, account.currency),
        "owed": said(summary.owed, account.currency),
        "late": said(summary.late, account.currency) if summary.late else "",
    }


def _account(company_id: UUID) -> Account:
    account = operating.get_account(company_id)
    if account is None:
        raise Http404
    return account


@require_GET
@operators_with("billing.view")
def account(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """What a company rents, was billed and paid, and everything that happened."""
    found, at = _account(company_id), timezone.now()
    code, company = found.currency, found.company
    context = {
        "company": company,
        "state": state_word(company.state),
        "kind": KINDS[company.state],
        "next": next_word(company),
        "billing": panel(company_id),
        "bills": [_bill(bill) for bill in operating.bills_of(found, at=at)],
        **given(found),
        "payments": [
            {
                "row": row,
                "amount": said(row.amount, row.currency),
                "by": by_word(row.by),
                "may_undo": may_undo and found.provider == MANUAL,
            }
            for row, may_undo in operating.payments_of(found)
        ],
        "entries": [
            (entry, entry_word(entry), by_word(entry.by), entry_facts(entry, code))
            for entry in operating.entries_of(found)
        ],
        "letters": [
            (letter, letter_word(letter.key), waits) for letter, waits in letters_of(company_id)
        ],
        **console(request, "billing"),
    }
    return render(request, "console/account.html", context)


def _bill(bill: operating.Bill) -> dict[str, Any]:
    invoice = bill.invoice
    code = invoice.currency
    return {
        "bill": bill,
        "invoice": invoice,
        "word": invoice_word(invoice.state),
        "kind": "bad" if bill.is_late else INVOICE_KINDS[invoice.state],
        "total": said(invoice.total, code),
        "tax": said(invoice.tax, code) if invoice.tax else "",
        "tax_percent": invoice.tax_permille / 10,
        "paid": said(invoice.paid, code),
        "owed": said(bill.owed, code) if bill.owed else "",
        "lines": [
            (line, line_word(line), unit_of(line, code), said(line.amount, code))
            for line in invoice.lines.all()
        ],
        "credits": [(note, said(note.amount, code)) for note in invoice.credit_notes.all()],
    }  # fmt: skip


# -- money ---------------------------------------------------------------------------------------


def answer_account(
    request: HttpRequest, form: Form, company_id: UUID, title: str, note: str, message: str,
    **more: Any,
) -> HttpResponse:  # fmt: skip
    """The form in the dialog or on a page of its own; after it was taken, the account."""
    back = resolve_url("console:account", company_id)
    context = {"title": title, "note": note, "action": request.path, "back": back, **more,
               **console(request, "billing")}  # fmt: skip
    if request.method != "POST":
        template = PARTIAL if in_dialog(request) else FORM_PAGE
        return render(request, template, {**context, "form": form, "partial": PARTIAL})
    return answer_form(
        request, form, partial=PARTIAL, page=FORM_PAGE, context=context, then=back,
        after="visit", message=message,
    )  # fmt: skip


@page
@operators_with("billing.act")
def transfer(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Record what came in by bank transfer; `?invoice=` names the bill it is for."""
    found = _account(company_id)
    today = timezone.localdate()
    form = billing_forms.TransferForm(
        request.POST or None, currency=found.currency, invoices=operating.open_invoices(found),
        initial={"received_on": today, "invoice": word(request, "invoice", 20)},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            cleaned = form.cleaned_data
            services.record_transfer(
                company_id=company_id, amount=cleaned["amount"],
                received_on=cleaned["received_on"], reference=cleaned["reference"],
                invoice_id=cleaned["invoice"], actor=me(request), at=timezone.now(),
            )  # fmt: skip
    title = _("Record a transfer of %(name)s") % {"name": found.company.name}
    return answer_account(
        request, form, company_id, title, "", _("The transfer is recorded"), verb=_("Record")
    )


@page
@operators_with("billing.act")
def undo(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Undo a payment that was recorded by mistake."""
    payment = operating.get_payment(payment_id)
    if payment is None:
        raise Http404
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.undo_payment(
                payment_id=payment_id, reason=form.cleaned_data["reason"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
    title = _("Undo the payment of %(amount)s") % {"amount": said(payment.amount, payment.currency)}
    note = _("A counter-entry takes it back; the invoices it paid are open again.")
    return answer_account(
        request, form, payment.account.company_id, title, note, _("The payment is undone"),
        verb=_("Undo the payment"), danger=True,
    )  # fmt: skip


@page
@operators_with("billing.act")
def credit(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Take back a part of an invoice, or all of it."""
    invoice = operating.get_invoice(invoice_id)
    if invoice is None:
        raise Http404
    code, left = invoice.currency, max(invoice.total - invoice.credited, 0)
    form = billing_forms.CreditForm(
        request.POST or None, currency=code, initial={"amount": written(left, code)}
    )
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.credit_invoice(
                invoice_id=invoice_id, amount=form.cleaned_data["amount"],
                reason=form.cleaned_data["reason"], actor=me(request), at=timezone.now(),
            )  # fmt: skip
    note = _("It still holds %(amount)s. What was paid beyond the rest becomes balance.") % {
        "amount": said(left, code)
    }
    return answer_account(
        request, form, invoice.account.company_id,
        _("Credit invoice %(number)s") % {"number": invoice.number}, note,
        _("The credit note is made"), verb=_("Credit"), danger=True,
    )  # fmt: skip
