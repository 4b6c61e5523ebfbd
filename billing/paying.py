"""Money that came in by bank transfer: which bills it pays, what is left over, what it opens."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing import access, commands, invoicing
from billing.history import note
from billing.models import Account, CreditNote, Invoice, Payment, Subscription
from billing.providers import MANUAL
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound


def record_transfer(
    *, account_id: int, amount: int, received_on: dt.date, reference: str, by: str,
    at: dt.datetime, invoice_id: int | None = None,
) -> Payment | None:  # fmt: skip
    """Enter a transfer: it pays the bill named, then the oldest ones; the rest is kept as balance.

    Where a provider keeps the books it is told that the bill is paid, and None is given: the
    payment stands here once the provider says so.

    Raises:
        NotFound: no such account, or no such bill of it.
        Invalid: no amount, a day in the future, no reference; or not just what a provider's bill
            asks for.
        Conflict: just this transfer was entered before.
    """
    if amount <= 0:
        raise Invalid(_("Give the amount that came in."), field="amount")
    if received_on > at.date() + dt.timedelta(days=1):
        raise Invalid(_("Choose a day that is not in the future."), field="received_on")
    if not reference.strip():
        raise Invalid(_("Give the reference on the bank's statement."), field="reference")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account = _locked(account_id)
        named = None
        if invoice_id is not None:
            named = account.invoices.filter(pk=invoice_id).first()
            if named is None:
                raise NotFound(_("There is no such invoice of this company."))
        if account.provider != MANUAL:
            _settle_there(account, named, amount, by=by, at=at)
            return None
        try:
            with transaction.atomic():
                payment = Payment.objects.create(
                    account=account, invoice=named, amount=amount, currency=account.currency,
                    received_on=received_on, reference=reference.strip()[:120], by=by[:250], at=at,
                )  # fmt: skip
        except IntegrityError as error:
            raise Conflict(
                _("A transfer of this amount, day and reference is entered already.")
            ) from error
        _spread(account, amount, first=named, at=at)
        note(account, "paid", by=by, at=at, amount=amount, reference=reference.strip()[:120])
        _follow(account, at=at)
        return payment


def reverse(*, payment_id: int, reason: str, by: str, at: dt.datetime) -> Payment:
    """Undo a transfer that was entered by mistake: a counter-entry; its bills are open again.

    Raises:
        NotFound: there is no such transfer.
        Conflict: it was undone before, or is a counter-entry itself.
        Invalid: no reason.
    """
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept."), field="reason")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        payment = Payment.objects.filter(pk=payment_id).first()
        if payment is None:
            raise NotFound(_("There is no such payment."))
        if payment.account.provider != MANUAL:
            raise Conflict(_("The payment service took this money: give it back there."))
        account = _locked(payment.account_id)
        try:
            with transaction.atomic():
                counter = Payment.objects.create(
                    account=account, invoice=payment.invoice, amount=-payment.amount,
                    currency=payment.currency, received_on=payment.received_on,
                    reference=f"-{payment.reference}"[:120], by=by[:250], at=at,
                )  # fmt: skip
        except IntegrityError as error:
            raise Conflict(_("This payment was undone already.")) from error
        if payment.amount < 0:
            raise Conflict(_("This is a counter-entry: enter the transfer again instead."))
        _take_away(account, payment.amount)
        note(account, "payment_reversed", by=by, at=at, reason=reason, amount=payment.amount)
        _follow(account, at=at)
        return counter


def _settle_there(
    account: Account, bill: Invoice | None, amount: int, *, by: str, at: dt.datetime
) -> None:
    if bill is None or not bill.provider_id or invoicing.owed(bill) != amount:
        raise Invalid(
            _("The payment service keeps this company's bills: name the bill, and just the amount"
              " that is open."),
            field="amount",
        )  # fmt: skip
    commands.put(account, commands.Kind.SETTLE, {"invoice": bill.provider_id}, by=by, at=at)


def credit(
    *, invoice_id: int, amount: int, reason: str, by: str, at: dt.datetime
) -> CreditNote | None:
    """Take back a part of a bill; None where a provider is told to.

    Raises:
        Invalid, Conflict: as `invoicing.credit`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        there = Invoice.objects.select_related("account").filter(pk=invoice_id).first()
        if there is not None and there.provider_id:
            invoicing.demand_creditable(there, amount, reason)
            facts = {"invoice": there.provider_id, "amount": amount, "reason": reason.strip()}
            commands.put(there.account, commands.Kind.CREDIT, facts, by=by, at=at)
            note(there.account, "credited", by=by, at=at, reason=reason, amount=amount)
            return None
        made = invoicing.credit(invoice_id=invoice_id, amount=amount, reason=reason, by=by, at=at)
        account = made.invoice.account
        note(account, "credited", by=by, at=at, reason=reason, amount=amount, number=made.number)
        _follow(account, at=at)
        return made


def _locked(account_id: int) -> Account:
    account = Account.objects.select_for_update().filter(pk=account_id).first()
    if account is None:
        raise NotFound(_("There is no such account."))
    return account


def _spread(account: Account, amount: int, *, first: Invoice | None, at: dt.datetime) -> None:
    """Pay `first`, then what is open by due date; keep what is left."""
    rows = account.invoices.select_for_update().filter(state=Invoice.State.OPEN)
    bills = sorted(rows, key=lambda bill: (first is None or bill.pk != first.pk, bill.due_at))
    for bill in bills:
        part = min(amount, invoicing.owed(bill))
        if part:
            bill.paid += part
            amount -= part
            invoicing.settle(bill, at=at)
            bill.save(update_fields=["paid", "state", "settled_at"])
    if amount:
        account.balance += amount
        account.save(update_fields=["balance"])


def _take_away(account: Account, amount: int) -> None:
    """Take money back: from the balance first, then from the bills paid last."""
    from_balance = min(account.balance, amount)
    account.balance -= from_balance
    account.save(update_fields=["balance"])
    amount -= from_balance
    rows = account.invoices.select_for_update().filter(paid__gt=0).order_by("-due_at", "-pk")
    for bill in rows:
        part = min(amount, bill.paid)
        if part:
            bill.paid -= part
            amount -= part
            bill.state, bill.settled_at = Invoice.State.OPEN, None
            bill.save(update_fields=["paid", "state", "settled_at"])


def _follow(account: Account, *, at: dt.datetime) -> None:
    live = (
        Subscription.objects.select_for_update(of=("self",)).select_related("account")
        .filter(account=account, ended_at=None).first()
    )  # fmt: skip
    if live is not None:
        access.follow(live, at=at)
