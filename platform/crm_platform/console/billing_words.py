"""The words of renting: prices, invoices, what happened to an account, how late a bill is."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing import erasing, history, mirror, moving, operating, outbox
from billing.catalogue import name_of
from billing.models import BillingEntry, InvoiceLine, Price
from crm_platform.console.amounts import said
from crm_platform.console.words import limit_word, state_word
from tenants.lifecycle import states
from tenants.models import Company

INVOICE_KINDS = {"open": "info", "paid": "ok", "void": ""}
AGE_KINDS = {"not_due": "info", "due": "info", "late": "warn", "very_late": "bad", "lost": "bad"}
VERSION_KINDS = {"draft": "info", "published": "ok", "retired": ""}


def price_word(price: Price, seats: int) -> str:
    """US$50.00 per user and month × 5."""
    return _("%(unit)s × %(seats)d") % {
        "unit": unit_word(price.unit_amount, price.currency, price.interval), "seats": seats,
    }  # fmt: skip


def unit_word(amount: int, currency: str, interval: str) -> str:
    """US$50.00 per user and month."""
    text = (
        _("%(amount)s per user and year") if interval == "year"
        else _("%(amount)s per user and month")
    )  # fmt: skip
    return text % {"amount": said(amount, currency)}


def unit_of(line: InvoiceLine, currency: str) -> str:
    """The price of what a line bills; empty for what is only taken off."""
    if line.kind in (InvoiceLine.Kind.COUPON, InvoiceLine.Kind.GRANT):
        return ""
    return unit_word(line.unit_amount, currency, line.interval)


def interval_word(interval: str) -> str:
    """How long a price is for."""
    return {"month": pgettext("price", "Month"), "year": pgettext("price", "Year")}[interval]


def invoice_word(state: str) -> str:
    """How an invoice stands."""
    return {
        "open": pgettext("invoice", "Open"), "paid": pgettext("invoice", "Paid"),
        "void": pgettext("invoice", "Void"),
    }[state]  # fmt: skip


def line_word(line: InvoiceLine) -> str:
    """What a line bills."""
    kinds = {
        "seats": _("%(plan)s, %(seats)d users"), "added": _("%(plan)s, %(seats)d users added"),
        "credit": _("%(plan)s, time not used, %(seats)d users"),
        "coupon": _("Coupon %(label)s"), "grant": _("Credit used"),
    }  # fmt: skip
    return kinds[line.kind] % {
        "plan": name_of(line.plan), "seats": abs(line.quantity), "label": line.label,
    }  # fmt: skip


def version_word(state: str) -> str:
    """How far a version of a plan is."""
    return {
        "draft": _("Draft"), "published": _("Published"), "retired": pgettext("plan", "Retired"),
    }[state]  # fmt: skip


def move_word(state: str) -> str:
    """How far one company's move to another version is."""
    return {
        "waiting": pgettext("move", "Waiting"), "planned": pgettext("move", "Announced"),
        "done": pgettext("move", "Moved"), "left": pgettext("move", "Chose otherwise"),
        "blocked": pgettext("move", "Cannot go"), "undone": pgettext("move", "Taken back"),
        "returning": pgettext("move", "Going back"), "returned": pgettext("move", "Back again"),
    }[state]  # fmt: skip


def blocked_word(note: str) -> str:
    """Why a company cannot be moved."""
    return {
        moving.NO_PRICE: _("no price in its currency and interval"),
        moving.SEATS: _("not for so many seats"), moving.ENDING: _("it stops renting"),
        moving.MOVING: _("another move has it"),
    }[note]  # fmt: skip


def age_word(age: str) -> str:
    """How late a bill is."""
    return {
        operating.NOT_DUE: _("Not due yet"), operating.DUE: _("Due now"),
        operating.LATE: _("1 to 14 days late"), operating.VERY_LATE: _("15 to 44 days late"),
        operating.LOST: _("45 days late or more"),
    }[age]  # fmt: skip


def next_word(company: Company) -> str:
    """Where the clock moves a company next; empty while it moves it nowhere."""
    follows = states.NEXT.get(Company.State(company.state))
    return state_word(follows) if follows and company.state_until else ""


def by_word(by: str) -> str:
    """Who did something, for people."""
    ours = {
        mirror.CLOCK: _("payment service"), moving.ACTOR: _("Operators"),
        history.CLOCK: _("by itself"), outbox.ACTOR: _("by itself"), erasing.ERASED: _("Erased"),
    }  # fmt: skip
    return ours.get(by, by)


def entry_word(entry: BillingEntry) -> str:
    """What happened to an account; an unknown verb stands as it is."""
    if entry.verb == "paid" and entry.by == mirror.CLOCK:
        return _("The payment service was paid")
    words = {
        "started": _("Began to rent"), "buyer_changed": _("Changed who pays"),
        "seats_added": _("Added seats"), "price_changed": _("Changed the price"),
        "seats_planned": _("Planned fewer seats"), "price_planned": _("Planned another price"),
        "seats_taken_back": _("Kept the seats after all"),
        "price_taken_back": _("Kept the price after all"),
        "cancelled": _("Cancelled"), "resumed": _("Took the cancelling back"),
        "renewed": _("Renewed"), "ended": _("Ended"), "paid": _("A transfer was recorded"),
        "command_dead": _("The payment service refused something"),
        "command_refused": _("The card was declined"), "seats_reduced": _("Fewer seats"),
        "charged_otherwise": _("Charged otherwise than shown"),
        "customer_gone": _("The customer was deleted at the payment service"),
        "payment_reversed": _("A payment was undone"), "credited": _("An invoice was credited"),
        "coupon_redeemed": _("Redeemed a coupon"), "credit_given": _("Was given credit"),
        "credit_withdrawn": _("Credit was withdrawn"), "moved": _("Went to another version"),
        "move_planned": _("Another version was announced"),
        "move_undone": _("The other version was taken back"),
    }  # fmt: skip
    return words.get(entry.verb, entry.verb)


def entry_facts(entry: BillingEntry, currency: str) -> list[tuple[str, str]]:
    """An entry's facts for people: (name, value). Inner numbers are left out."""
    facts: dict[str, Any] = dict(entry.facts)
    reference = (
        pgettext("payment", "Reference") if entry.by == mirror.CLOCK else _("Bank reference")
    )
    if entry.verb.startswith("seats_planned"):
        facts["seats"] = facts.get("target")
    names = {
        "amount": _("Amount"), "seats": _("Seats"), "invoice": _("Invoice"),
        "number": _("Credit note"), "reference": reference, "coupon": _("Coupon"),
        "version": _("Version"),
    }  # fmt: skip
    return [
        (label, _value(name, facts[name], currency))
        for name, label in names.items()
        if facts.get(name) not in (None, "")
    ]


def _value(name: str, value: Any, currency: str) -> str:
    if name == "amount":
        return said(int(value), currency)
    return " → ".join(map(str, value)) if isinstance(value, list) else str(value)


def difference_rows(changes: list[tuple[str, Any, Any]]) -> list[tuple[str, str, str]]:
    """What a draft changes, for people: what, before, after (an absent value is a dash)."""
    return [(_changed(key), _side(key, old), _side(key, new)) for key, old, new in changes]


def _changed(key: str) -> str:
    kind, _sign, rest = key.partition(":")
    if kind == "limit":
        return limit_word(rest)
    code, _sign, interval = rest.partition(":")
    words = {"price": _("Price"), "least": _("Fewest seats"), "most": _("Most seats")}
    return _("%(what)s: %(code)s, %(interval)s") % {
        "what": words[kind], "code": code, "interval": interval_word(interval),
    }  # fmt: skip


def _side(key: str, value: Any) -> str:
    if value is None:
        return "–"
    kind, _sign, rest = key.partition(":")
    return said(value, rest.partition(":")[0]) if kind == "price" else f"{value:,}"


def letter_word(key: str) -> str:
    """What a letter told of."""
    return {
        "invoice": _("Invoice"), "payment": _("Receipt"), "late": _("Overdue invoice"),
        "stopping": _("Stopping soon"), "trial": _("Trial ends soon"),
        "cancelled": _("Cancellation confirmed"),
    }[key.partition(":")[0]]  # fmt: skip
