"""What letters about money say, in the active language; they read in the platform's open unit."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from billing import catalogue, invoicing, selling
from billing.currencies import shown
from billing.models import Account, Invoice, Payment, Subscription
from billing.pdf import day_words
from billing.proration import MONTH
from tenants.lifecycle import states, words
from tenants.models import Company


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter is about; `about` is the id of its invoice, payment or subscription, or 0."""

    company: Company
    account: Account | None
    address: str
    about: int
    seats_used: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Said:
    """A letter's subject and paragraphs."""

    subject: str
    paragraphs: list[str]


def greeting(name: str) -> str:
    return _("Hello %(name)s,") % {"name": name}


def _money(amount: int, code: str) -> str:
    return shown(amount, code, get_language() or "en")


def _until(company: Company) -> str:
    """When the company's state ends, in words, where the company is."""
    if company.state_until is None:
        return ""
    return words.day(company.state_until, zoneinfo.ZoneInfo(company.time_zone))


def _way_to_pay(facts: Facts) -> list[str]:
    bank = selling.seller().bank
    by_transfer = facts.account is not None and facts.account.provider == "manual" and bank
    transfer = [
        _("Please transfer to this account and name the number of the invoice:"), bank
    ] if by_transfer else []  # fmt: skip
    return [*transfer, _("All invoices, and the ways to pay, stand here:"), facts.address]


def _then(company: Company) -> list[str]:
    """What comes if nothing is paid; empty while nothing comes."""
    until = _until(company)
    is_stopping = company.state in (Company.State.PAST_DUE, Company.State.READ_ONLY,
                                    Company.State.SUSPENDED)  # fmt: skip
    if not until or not is_stopping:
        return []
    then = words.then(company.state, until)
    return [_("Without a payment: %(then)s Paying opens it again at once.") % {"then": then}]


def new_bill(facts: Facts) -> Said:
    """A bill, with the bill itself as PDF."""
    bill = Invoice.objects.get(pk=facts.about)
    told = {
        "number": bill.number, "house": facts.company.name,
        "total": _money(bill.total, bill.currency), "day": day_words(bill.due_at.date()),
    }  # fmt: skip
    subject = _("Invoice %(number)s for %(house)s: %(total)s") % told
    owed = invoicing.owed(bill)
    if not owed:
        return Said(subject, [
            _("your invoice %(number)s over %(total)s is attached. Nothing is to be paid.") % told,
            _("All invoices, and the ways to pay, stand here:"), facts.address,
        ])  # fmt: skip
    told["owed"] = _money(owed, bill.currency)
    return Said(subject, [
        _("your invoice %(number)s over %(total)s is attached. Please pay %(owed)s by %(day)s.")
        % told,
        *_way_to_pay(facts),
    ])  # fmt: skip


def receipt(facts: Facts) -> Said:
    """Money that came in, and how the account stands with it."""
    paid = Payment.objects.select_related("account").get(pk=facts.about)
    account, code = paid.account, paid.currency
    told = {
        "amount": _money(paid.amount, code), "day": day_words(paid.received_on),
        "reference": paid.reference, "house": facts.company.name,
    }  # fmt: skip
    bills = account.invoices.filter(state=Invoice.State.OPEN)
    owed = sum(invoicing.owed(bill) for bill in bills)
    lines = [_("we received %(amount)s on %(day)s (%(reference)s). Thank you.") % told]
    if owed:
        lines.append(_("Still to be paid: %(amount)s.") % {"amount": _money(owed, code)})
    else:
        lines.append(_("Nothing is to be paid any more."))
    if account.balance:
        told["balance"] = _money(account.balance, code)
        lines.append(_("%(balance)s is kept as balance and pays the next invoice.") % told)
    lines += [_("All invoices, and the ways to pay, stand here:"), facts.address]
    return Said(_("Payment received for %(house)s: %(amount)s") % told, lines)


def late(facts: Facts) -> Said | None:
    """A bill that fell due without being paid; None once it was paid."""
    bill = Invoice.objects.get(pk=facts.about)
    owed = invoicing.owed(bill)
    if not owed:
        return None
    told = {
        "number": bill.number, "house": facts.company.name, "owed": _money(owed, bill.currency),
        "day": day_words(bill.due_at.date()),
    }  # fmt: skip
    return Said(_("Invoice %(number)s for %(house)s is overdue") % told, [
        _("invoice %(number)s was due on %(day)s, and %(owed)s of it is open.") % told,
        *_then(facts.company), *_way_to_pay(facts),
        _("If you paid in the last days, thank you: then this letter crossed your transfer."),
    ])  # fmt: skip


def stopping(facts: Facts) -> Said | None:
    """In a few days the company can do less; None once nothing is late any more."""
    company, account = facts.company, facts.account
    if account is None or company.state not in states.NEXT or company.state_until is None:
        return None
    bills = [
        bill for bill in account.invoices.filter(
            state=Invoice.State.OPEN, due_at__lte=facts.at
        ).order_by("due_at", "pk") if invoicing.owed(bill)
    ]  # fmt: skip
    if not bills:
        return None
    to = states.NEXT[Company.State(company.state)]
    lines = [
        _("%(number)s, due on %(day)s: %(owed)s") % {
            "number": bill.number, "day": day_words(bill.due_at.date()),
            "owed": _money(invoicing.owed(bill), bill.currency),
        }
        for bill in bills
    ]  # fmt: skip
    return Said(words.coming(to, company.name, _until(company)), [
        _("these invoices are not paid:"), "\n".join(lines), *_then(company), *_way_to_pay(facts),
    ])  # fmt: skip


def trial_ends(facts: Facts) -> Said:
    """In a few days the trial ends; what going on costs, for the people who are there."""
    company, until = facts.company, _until(facts.company)
    lines = [words.then(Company.State.TRIAL, until), *_offer(company, max(facts.seats_used, 1))]
    return Said(words.coming(Company.State.PAST_DUE, company.name, until), [
        *lines, _("Choose a price here, or do nothing: nothing is charged by itself."),
        facts.address,
    ])  # fmt: skip


def _offer(company: Company, used: int) -> list[str]:
    prices = {
        price.currency: price for price in catalogue.prices_to_be_had("default")
        if price.interval == MONTH
    }  # fmt: skip
    price = prices.get(company.currency) or prices.get("USD")
    if price is None:
        return []
    told = {
        "unit": _money(price.unit_amount, price.currency), "count": used,
        "sum": _money(price.unit_amount * used, price.currency),
    }  # fmt: skip
    return [
        ngettext(
            "Going on costs %(unit)s per user and month × %(count)d user in use = %(sum)s, without"
            " tax.",
            "Going on costs %(unit)s per user and month × %(count)d users in use = %(sum)s, without"
            " tax.",
            used,
        )
        % told
    ]


def cancelled(facts: Facts) -> Said | None:
    """What was cancelled, and for when; None once it was taken back."""
    live = Subscription.objects.filter(
        pk=facts.about, ended_at=None, ends_at__isnull=False
    ).first()  # fmt: skip
    if live is None or live.ends_at is None:
        return None
    zone = zoneinfo.ZoneInfo(facts.company.time_zone)
    told = {"house": facts.company.name, "day": words.day(live.ends_at, zone)}
    days = int(settings.LIFECYCLE_DAYS["read_only"])
    kept = ngettext(
        "For %(days)d day afterwards it can be read and taken along as one package.",
        "For %(days)d days afterwards it can be read and taken along as one package.", days,
    ) % {"days": days}  # fmt: skip
    return Said(_("%(house)s is rented until %(day)s") % told, [
        _("your cancellation is confirmed. Everything works until %(day)s, and no further invoice"
          " comes.") % told,
        kept, _("Until then you can go on renting with one press:"), facts.address,
    ])  # fmt: skip
