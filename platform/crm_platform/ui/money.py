"""Amounts and numbers as people of each language write them."""

from __future__ import annotations

import functools
from decimal import Decimal, InvalidOperation

from babel import Locale
from babel.numbers import (
    format_compact_decimal,
    format_decimal,
    format_percent,
    get_currency_precision,
    get_currency_symbol,
)
from django.utils.translation import get_language

Amount = Decimal | int | float | str | None

# Several currencies are just "$" in some language; where they are mixed, each says which.
DOLLARS = {"USD": "US$", "TWD": "NT$", "HKD": "HK$", "SGD": "S$", "AUD": "A$", "CAD": "CA$"}
MINUS = "\N{MINUS SIGN}"


@functools.cache
def babel_locale(language: str) -> Locale:
    """The Babel locale of a Django language code, such as `zh-hant`."""
    try:
        return Locale.parse(language, sep="-")
    except ValueError:
        return Locale.parse("en")


def locale() -> Locale:
    """The Babel locale of the current language."""
    return babel_locale(get_language() or "en")


@functools.lru_cache(maxsize=512)
def symbol(currency: str, language: str) -> str:
    """How `currency` is marked in `language`, never a bare "$"."""
    return DOLLARS.get(currency) or get_currency_symbol(currency, locale=babel_locale(language))


def as_decimal(value: Amount) -> Decimal | None:
    """`value` as a Decimal, or None when there is nothing to show."""
    if value is None or value == "":
        return None
    if isinstance(value, Decimal):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


@functools.lru_cache(maxsize=8192)
def _money(amount: Decimal, currency: str, language: str, exact: bool) -> str:
    digits = get_currency_precision(currency) if currency else 2
    whole = not exact and amount == amount.to_integral_value()
    pattern = "#,##0" if whole or not digits else "#,##0." + "0" * digits
    text = format_decimal(abs(amount), format=pattern, locale=babel_locale(language))
    return f"{MINUS if amount < 0 else ''}{symbol(currency, language) if currency else ''}{text}"


@functools.lru_cache(maxsize=8192)
def _short(amount: Decimal, currency: str, language: str) -> str:
    where = babel_locale(language)
    # Chinese counts in ten thousands, English in thousands; below that the plain number is shorter.
    if abs(amount) < (10_000 if where.language == "zh" else 1_000):
        return _money(amount.quantize(Decimal(1)), currency, language, exact=False)
    text = format_compact_decimal(abs(amount), locale=where, fraction_digits=1)
    return f"{MINUS if amount < 0 else ''}{symbol(currency, language) if currency else ''}{text}"


def money(amount: Amount, currency: str = "", *, exact: bool = False) -> str:
    """`US$18,000`; cents only where there are some, or always with `exact` (invoices)."""
    value = as_decimal(amount)
    return "" if value is None else _money(value, currency, get_language() or "en", exact)


def short_money(amount: Amount, currency: str = "") -> str:
    """`US$404.5K`, in Chinese `US$40.4萬`."""
    value = as_decimal(amount)
    return "" if value is None else _short(value, currency, get_language() or "en")


def number(value: Amount, digits: int | None = None) -> str:
    """`18,000` in every language; `digits` fixes the decimals."""
    amount = as_decimal(value)
    if amount is None:
        return ""
    pattern = "#,##0.###" if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(amount, format=pattern, locale=locale())


def percent(value: Amount, digits: int = 0) -> str:
    """`31%` of the number 31 (percent, not a share)."""
    amount = as_decimal(value)
    if amount is None:
        return ""
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    return format_percent(amount / 100, format=pattern, locale=locale())
