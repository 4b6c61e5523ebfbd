"""How things stand at the provider, written down here: always the latest, never what was told.

Each question takes a number before it is asked; an answer is written only if no later question's
is there. So events may come twice, late and in any order, and no transaction waits for the network
(measured in reference/billing.md, section 6).
"""

import datetime as dt
import logging

from django.db.models import F

from billing import access, commands, invoicing, selling
from billing.history import note
from billing.models import Account, Invoice, InvoiceLine, Payment, Price, Subscription
from billing.providers import MANUAL, provider_of
from billing.providers.base import (
    Again,
    Declined,
    Doubtful,
    Remote,
    RemoteInvoice,
    RemoteSubscription,
    Wrong,
)
from crm_platform.kernel import tenancy

logger = logging.getLogger("rapport.billing")
ENDED = ("canceled", "incomplete_expired")
NOT_BEGUN = "incomplete"
KNOWN = ("trialing", "active", "past_due", "unpaid", "paused", NOT_BEGUN, *ENDED)
CLOCK = "provider"


def refresh(*, account_id: int, at: dt.datetime) -> bool:
    """Ask the provider how an account stands and write it down; False: it was not reached.

    Opens units of its own; never inside one.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Account.objects.filter(pk=account_id).exclude(provider=MANUAL)
        rows = rows.exclude(provider_id="")
        if not rows.update(asked_seq=F("asked_seq") + 1):
            return True
        account = Account.objects.get(pk=account_id)
    try:
        provider = provider_of(account.provider)
        remote = provider.fetch(account.provider_id) if provider else None
    except (Again, Doubtful, Declined, Wrong):
        logger.warning("Account %s could not be looked up", account_id, exc_info=True)
        return False
    if remote is not None:
        write(remote, account_id=account_id, seq=account.asked_seq, at=at)
    return True


def write(remote: Remote, *, account_id: int, seq: int, at: dt.datetime) -> bool:
    """Write an answer down, unless a later question's is there; whether it was written."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account = Account.objects.select_for_update().get(pk=account_id)
        if seq <= account.known_seq:
            return False
        account.known_seq = seq
        account.card = dict(remote.card)
        account.save(update_fields=["known_seq", "card"])
        if remote.is_deleted:
            note(account, "customer_gone", by=CLOCK, at=at)
        for each in sorted(remote.subscriptions, key=lambda found: found.created_at):
            _write_subscription(account, each, at=at)
        for bill in sorted(remote.invoices, key=lambda found: found.issued_at):
            _write_invoice(account, bill, at=at)
        live = (
            Subscription.objects.select_for_update(of=("self",)).select_related("account")
            .filter(account=account, ended_at=None).first()
        )  # fmt: skip
        if live is not None:
            access.follow(live, at=at)
        company_id = account.company_id
    access.tell_company(company_id, at=at)
    return True


# -- subscriptions -------------------------------------------------------------------------------


def _write_subscription(account: Account, found: RemoteSubscription, *, at: dt.datetime) -> None:
    if found.status not in KNOWN:
        # A word that came after this code: nobody loses or gains anything by it.
        logger.error("Subscription %s has the unknown status %s", found.id, found.status)
        return
    known = Subscription.objects.select_for_update().filter(provider_id=found.id).first()
    if known is None and (found.status in ENDED or found.status == NOT_BEGUN):
        return
    price = Price.objects.filter(provider_id=found.price).first()
    if price is None:
        logger.error("Subscription %s has the unknown price %s", found.id, found.price)
        return
    if known is None:
        if Subscription.objects.filter(account=account, ended_at=None).exists():
            logger.error("Account %s has a second subscription %s", account.pk, found.id)
            return
        known = Subscription(account=account, provider_id=found.id, created_at=found.created_at,
                             seats=0, price=price)  # fmt: skip
        note(account, "started", by=CLOCK, at=at, seats=found.seats, price=price.pk)
    _note_changes(account, known, found, price, at=at)
    before_start = known.period_start
    known.provider_status = found.status
    known.price, known.seats, known.anchor = price, found.seats, found.anchor
    known.period_start, known.period_end = found.period.start, found.period.end
    known.ends_at = found.ends_at
    was_live = known.ended_at is None
    is_renewed = known.pk is not None and before_start < found.period.start
    known.ended_at = (found.ended_at or at) if found.status in ENDED else None
    known.save()
    known.changes.filter(settled_at=None, effective_at__lte=known.period_start).update(
        settled_at=at
    )
    if is_renewed and known.changes.filter(settled_at=None).exists():
        commands.tell_plan(known, by=CLOCK, at=at)  # what was planned for later is for next now
    if was_live and known.ended_at is not None:
        known.changes.filter(settled_at=None).update(settled_at=at)
        note(account, "ended", by=CLOCK, at=at)
        access.ended(known, at=at)


def _note_changes(
    account: Account, known: Subscription, found: RemoteSubscription, price: Price, *,
    at: dt.datetime,
) -> None:  # fmt: skip
    """What is otherwise than it was, for the account's history."""
    if known.pk is None:
        return
    if known.seats != found.seats:
        verb = "seats_added" if found.seats > known.seats else "seats_reduced"
        note(account, verb, by=CLOCK, at=at, seats=[known.seats, found.seats])
    if known.price_id != price.pk:
        note(account, "price_changed", by=CLOCK, at=at)
    if known.period_start < found.period.start:
        note(account, "renewed", by=CLOCK, at=at, seats=found.seats)


# -- bills ---------------------------------------------------------------------------------------


def _write_invoice(account: Account, found: RemoteInvoice, *, at: dt.datetime) -> None:
    key = f"{account.provider}:{found.id}"
    bill = Invoice.objects.select_for_update().filter(act_key=key).first()
    if bill is None:
        bill = _new_invoice(account, found, key)
    before = bill.paid
    bill.state, bill.settled_at = found.state, found.settled_at
    bill.paid, bill.credited = found.paid, found.credited
    bill.save(update_fields=["state", "settled_at", "paid", "credited"])
    if found.paid > before:
        Payment.objects.get_or_create(
            account=account, invoice=bill, amount=found.paid - before, currency=found.currency,
            reference=f"{found.id}:{found.paid}",
            defaults={"received_on": (found.settled_at or at).date(), "by": CLOCK, "at": at},
        )  # fmt: skip
        note(account, "paid", by=CLOCK, at=at, amount=found.paid - before, reference=found.number)


def _new_invoice(account: Account, found: RemoteInvoice, key: str) -> Invoice:
    period = found.lines[0].period if found.lines else None
    subscription = Subscription.objects.select_related("price__version__plan").filter(
        provider_id=found.subscription
    ).first() if found.subscription else None  # fmt: skip
    bill = Invoice.objects.create(
        account=account, subscription=subscription, act_key=key, provider_id=found.id,
        number=found.number, currency=found.currency, language=account.language,
        issued_at=found.issued_at, due_at=found.due_at,
        period_start=min((x.period.start for x in found.lines), default=found.issued_at),
        period_end=max((x.period.end for x in found.lines), default=found.issued_at),
        seller=selling.seller().as_facts(), buyer=invoicing.buyer_of(account), net=found.net,
        tax=found.tax, total=found.total,
    )  # fmt: skip
    names = subscription.price.version.plan.names if subscription and period else {}
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=bill, position=position, kind=line.kind, quantity=line.quantity, plan=names,
            unit_amount=line.unit_amount, interval=line.interval, period_start=line.period.start,
            period_end=line.period.end, amount=line.amount,
        )
        for position, line in enumerate(found.lines, 1)
    )  # fmt: skip
    return bill
