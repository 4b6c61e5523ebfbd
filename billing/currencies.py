"""Amounts as whole numbers of the provider's smallest unit, and how many of these people see.

Stripe counts NT$1,600 as 160000 although nobody writes cents of a Taiwan dollar; the table says
both. Source: reference/billing.md, section 7 (Tax ids and currency).
"""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_decimal

from crm_platform.kernel.errors import Invalid
from crm_platform.ui.money import babel_locale, symbol


@dataclass(frozen=True, slots=True)
class Currency:
    """Decimals in which the provider counts, and those that are shown and charged."""

    code: str
    counted: int
    shown: int

    @property
    def step(self) -> int:
        """The smallest amount we charge, in counted units: TWD 100, USD 1."""
        return int(10 ** (self.counted - self.shown))


CURRENCIES = {
    each.code: each
    for each in (
        Currency("USD", 2, 2), Currency("EUR", 2, 2), Currency("GBP", 2, 2),
        Currency("TWD", 2, 0), Currency("CNY", 2, 2), Currency("HKD", 2, 2),
        Currency("SGD", 2, 2), Currency("JPY", 0, 0), Currency("KRW", 0, 0),
    )
}  # fmt: skip


def currency(code: str) -> Currency:
    """The currency we charge in.

    Raises:
        Invalid: it is none of ours.
    """
    found = CURRENCIES.get(code)
    if found is None:
        raise Invalid(f"{code}: {', '.join(CURRENCIES)}", field="currency")
    return found


def charged(numerator: int, denominator: int, code: str) -> int:
    """`numerator / denominator` counted units, half away from zero, in whole steps of the currency.

    Whole numbers all the way: what is previewed and what is charged cannot differ by a rounding.
    """
    step = currency(code).step
    size, whole = abs(numerator), denominator * step
    steps = (2 * size + whole) // (2 * whole)
    return steps * step if numerator >= 0 else -steps * step


def as_decimal(amount: int, code: str) -> Decimal:
    """Counted units as an amount of the currency."""
    return Decimal(amount).scaleb(-currency(code).counted)


def shown(amount: int, code: str, language: str = "en") -> str:
    """An amount as people of the language write it, saying whose dollar: US$250.00, NT$1,600."""
    digits = currency(code).shown
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    text = format_decimal(
        abs(as_decimal(amount, code)), format=pattern, locale=babel_locale(language)
    )
    return f"{'-' if amount < 0 else ''}{symbol(code, language)}{text}"
