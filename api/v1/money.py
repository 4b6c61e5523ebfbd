"""Prices, invoices and quotes as JSON: amounts are decimal text beside their currency."""

from decimal import Decimal, InvalidOperation

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.reverse import reverse

from api.v1.shapes import Json, moment_text
from billing.catalogue import name_of
from billing.currencies import as_decimal, currency
from billing.invoicing import owed
from billing.models import Invoice, Price
from billing.quotes import GOOD_FOR, Quote
from crm_platform.kernel.errors import Invalid


def amount_text(amount: int, code: str) -> str:
    """Counted units as decimal text: `250.00`, of yen `7500`."""
    return str(as_decimal(amount, code))


def counted_amount(text: str, code: str) -> int:
    """Decimal text in counted units.

    Raises:
        Invalid: it is no amount of the currency.
    """
    refusal = _("Write the amount as the quote gave it.")
    try:
        scaled = Decimal(text).scaleb(currency(code).counted)
    except InvalidOperation:
        raise Invalid(refusal, field="total") from None
    if not scaled.is_finite() or abs(scaled) > 10**15 or scaled != scaled.to_integral_value():
        raise Invalid(refusal, field="total")
    return int(scaled)


def price_facts(price: Price) -> Json:
    """What a user costs a month or a year."""
    plan = price.version.plan
    return {
        "id": str(price.pk), "plan": plan.key, "plan_name": name_of(plan.names, get_language()),
        "currency": price.currency, "interval": price.interval,
        "amount": amount_text(price.unit_amount, price.currency),
        "least_seats": price.least_seats, "most_seats": price.most_seats,
    }  # fmt: skip


def invoice_facts(found: Invoice, request: Request) -> Json:
    """An invoice with its lines (prefetched)."""
    code = found.currency
    sums = {name: amount_text(getattr(found, name), code)
            for name in ("net", "tax", "total", "paid", "credited")}  # fmt: skip
    return {
        "id": str(found.pk), "number": found.number, "state": found.state, "currency": code,
        **{name: moment_text(getattr(found, name))
           for name in ("issued_at", "due_at", "period_start", "period_end")},
        **sums, "tax_percent": found.tax_permille / 10, "owed": amount_text(owed(found), code),
        "lines": [
            {
                "kind": line.kind, "plan_name": name_of(line.plan, get_language()),
                "quantity": line.quantity, "interval": line.interval,
                "unit_amount": amount_text(line.unit_amount, code),
                "period_start": moment_text(line.period_start),
                "period_end": moment_text(line.period_end),
                "amount": amount_text(line.amount, code),
            }
            for line in found.lines.all()
        ],
        "pdf": reverse("api:invoices-pdf", [found.pk], request=request),
    }  # fmt: skip


def quote_facts(quote: Quote, sealed: str) -> Json:
    """What a change would cost; `quote` and `total` are sent back to make it."""
    code = quote.price.currency
    return {
        "seats": quote.seats, "added": quote.added, "currency": code,
        "net": amount_text(quote.due_now.net, code), "tax": amount_text(quote.due_now.tax, code),
        "total": amount_text(quote.due_now.total, code),
        "next_net": amount_text(quote.next_net, code), "quote": sealed,
        "valid_until": moment_text(quote.at + GOOD_FOR),
    }  # fmt: skip
