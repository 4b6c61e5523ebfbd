"""Finalized invoices: a number without gaps, amounts that never change afterwards.

Everything runs in the platform's open unit of work.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing import selling, spending
from billing.models import Account, CreditNote, Invoice, InvoiceLine, NumberSeries, Subscription
from billing.proration import Period
from crm_platform.kernel.errors import Conflict, Invalid

INVOICES, CREDIT_NOTES = "I", "C"
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line to be billed; `amount` in the account's currency, may be negative."""

    kind: str
    quantity: int
    unit_amount: int
    interval: str
    period: Period
    amount: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """What an invoice comes to."""

    net: int
    tax_permille: int
    tax: int

    @property
    def total(self) -> int:
        return self.net + self.tax


def sum_of(lines: Sequence[Line], account: Account) -> Sum:
    """Net, tax and total: the tax is rounded once, of the whole."""
    net = sum(line.amount for line in lines)
    country, code = account.country, account.currency
    return Sum(net, selling.tax_permille(country), selling.tax_of(net, country, code))


def next_number(kind: str, *, at: dt.datetime) -> str:
    """The next number of the year; the row stays locked, so that none is ever left out."""
    seller, year = selling.seller().key, at.year
    NumberSeries.objects.get_or_create(seller=seller, kind=kind, year=year)
    series = NumberSeries.objects.select_for_update().get(seller=seller, kind=kind, year=year)
    series.last += 1
    series.save(update_fields=["last"])
    return f"{seller}-{kind}{year}-{series.last:05}"


def bill(
    *, subscription: Subscription, lines: Sequence[Line], act_key: str, at: dt.datetime,
    due_at: dt.datetime | None = None,
) -> Invoice:  # fmt: skip
    """Issue an invoice for `lines`; the same `act_key` again gives the one that exists.

    What the account has as balance pays it first; coupon and credit among the lines are used up.

    Raises:
        Conflict: the credit among the lines is not there any more.
    """
    known = Invoice.objects.filter(act_key=act_key).first()
    if known is not None:
        return known
    account = Account.objects.select_for_update().get(pk=subscription.account_id)
    found = sum_of(lines, account)
    invoice = Invoice.objects.create(
        account=account, subscription=subscription, act_key=act_key, currency=account.currency,
        number=next_number(INVOICES, at=at), language=account.language, issued_at=at,
        due_at=due_at or at + selling.due_days() * DAY,
        period_start=min(line.period.start for line in lines),
        period_end=max(line.period.end for line in lines),
        seller=selling.seller().as_facts(), buyer=buyer_of(account), net=found.net,
        tax_permille=found.tax_permille, tax=found.tax, total=found.total,
    )  # fmt: skip
    made = InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice, position=position, kind=line.kind, quantity=line.quantity,
            plan=subscription.price.version.plan.names, unit_amount=line.unit_amount,
            interval=line.interval, period_start=line.period.start, period_end=line.period.end,
            amount=line.amount, label=line.label,
        )
        for position, line in enumerate(lines, 1)
    )  # fmt: skip
    spending.settle(account, subscription, made, at=at)
    _use_balance(account, invoice, at=at)
    return invoice


def buyer_of(account: Account) -> dict[str, str]:
    """The buyer as an invoice keeps them."""
    return {"name": account.legal_name, "address": account.address, "country": account.country,
            "tax_id_kind": account.tax_id_kind, "tax_id": account.tax_id}  # fmt: skip


def _use_balance(account: Account, invoice: Invoice, *, at: dt.datetime) -> None:
    """A bill below zero adds to the balance; one above it is paid from it as far as it goes."""
    if invoice.total <= 0:
        account.balance -= invoice.total
        invoice.state, invoice.settled_at = Invoice.State.PAID, at
        invoice.paid = 0
    else:
        used = min(account.balance, invoice.total)
        account.balance -= used
        invoice.paid = used
        settle(invoice, at=at)
    account.save(update_fields=["balance"])
    invoice.save(update_fields=["paid", "state", "settled_at"])


def owed(invoice: Invoice) -> int:
    """What is still to be paid of an invoice."""
    if invoice.state != Invoice.State.OPEN:
        return 0
    return max(invoice.total - invoice.paid - invoice.credited, 0)


def settle(invoice: Invoice, *, at: dt.datetime) -> bool:
    """Mark it paid when nothing is owed any more (not saved); says whether it was."""
    if invoice.state == Invoice.State.OPEN and owed(invoice) == 0:
        invoice.state, invoice.settled_at = Invoice.State.PAID, at
        return True
    return False


def credit(*, invoice_id: int, amount: int, reason: str, by: str, at: dt.datetime) -> CreditNote:
    """Take back a part of an invoice, or all; what was paid beyond goes to the balance.

    Raises:
        Invalid: no reason, or more than the invoice still holds.
        Conflict: there is no such invoice.
    """
    invoice = Invoice.objects.select_for_update().filter(pk=invoice_id).first()
    if invoice is None:
        raise Conflict(_("There is no such invoice."))
    demand_creditable(invoice, amount, reason)
    note = CreditNote.objects.create(
        invoice=invoice, number=next_number(CREDIT_NOTES, at=at), amount=amount,
        reason=reason.strip()[:300], by=by, at=at,
    )  # fmt: skip
    invoice.credited += amount
    beyond = invoice.paid + invoice.credited - invoice.total
    if beyond > 0 and invoice.paid:
        back = min(beyond, invoice.paid)
        account = Account.objects.select_for_update().get(pk=invoice.account_id)
        account.balance += back
        account.save(update_fields=["balance"])
        invoice.paid -= back
    settle(invoice, at=at)
    invoice.save(update_fields=["credited", "paid", "state", "settled_at"])
    return note


def demand_creditable(invoice: Invoice, amount: int, reason: str) -> None:
    """Refuse to take back what a bill does not hold, or without a reason.

    Raises:
        Invalid: no reason, or more than the invoice still holds.
    """
    if not reason.strip():
        raise Invalid(_("Say why: the reason stands on the credit note."), field="reason")
    if not 0 < amount <= invoice.total - invoice.credited:
        raise Invalid(_("Give an amount up to what the invoice still holds."), field="amount")
