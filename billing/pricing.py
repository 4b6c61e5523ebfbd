"""What renting costs, for whoever asks: the published price list and sums made of it.

Reads in the platform's open unit of work; amounts are counted units of their currency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing import catalogue, quotes
from billing.currencies import CURRENCIES, charged
from billing.models import Price
from billing.proration import MONTH, MONTHS, YEAR
from crm_platform.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Offer:
    """A public plan as it may be rented now; `prices` by currency and interval."""

    key: str
    names: Mapping[str, str]
    prices: Mapping[tuple[str, str], Price]

    def price(self, currency: str, interval: str) -> Price | None:
        return self.prices.get((currency, interval))


@dataclass(frozen=True, slots=True)
class Sums:
    """What so many users cost at a price, in whole steps of the currency, without tax."""

    price: Price
    users: int
    a_month: int
    a_year: int
    saved_a_year: int
    """Against paying the same plan by the month; 0 where there is no other price."""


def public_offers() -> list[Offer]:
    """Every public plan with its published prices, in their order. One query."""
    found: dict[str, Offer] = {}
    prices: dict[str, dict[tuple[str, str], Price]] = {}
    for price in catalogue.prices_to_be_had():
        plan = price.version.plan
        of_plan = prices.setdefault(plan.key, {})
        of_plan[price.currency, price.interval] = price
        found.setdefault(plan.key, Offer(plan.key, plan.names, of_plan))
    return list(found.values())


def currencies_of(offers: Sequence[Offer]) -> list[str]:
    """Currencies in which something can be rented, in the order of `currencies`."""
    known = {code for offer in offers for code, _interval in offer.prices}
    return [code for code in CURRENCIES if code in known]


def usual_currency(offers: Sequence[Offer], wished: str) -> str:
    """The wished currency where it is on the list, else US dollars, else the first there is."""
    known = currencies_of(offers)
    return next((code for code in (wished, "USD") if code in known), known[0] if known else "")


def sums(offer: Offer, *, users: int, currency: str, interval: str) -> Sums:
    """What `users` users cost by the month or the year.

    Raises:
        Invalid: the plan has no such price, or is not for so many users.
    """
    price = offer.price(currency, interval)
    if price is None:
        raise Invalid(
            _("This plan has no such price. Choose another currency or interval."),
            field="interval",
        )
    try:
        quotes.demand_fits(price, users)
    except Invalid as refusal:
        raise Invalid(str(refusal), field="users") from refusal
    a_year = yearly(price) * users
    other = offer.price(currency, MONTH)
    saved = yearly(other) * users - a_year if other and interval == YEAR else 0
    return Sums(price, users, charged(a_year, 12, currency), a_year, max(saved, 0))


def yearly(price: Price) -> int:
    """What a user costs in twelve months at this price."""
    return price.unit_amount * (12 // MONTHS[price.interval])


def saved_percent(offer: Offer, currency: str) -> int:
    """How much less a year costs than twelve months, in whole percent rounded down."""
    month, year = offer.price(currency, MONTH), offer.price(currency, YEAR)
    if month is None or year is None or not month.unit_amount:
        return 0
    whole = yearly(month)
    return max((whole - yearly(year)) * 100 // whole, 0)
