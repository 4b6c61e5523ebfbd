"""Amounts: Decimal with the digits of their currency."""

from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision, list_currencies


def digits(currency: str) -> int:
    """How many decimals `currency` has (JPY 0, USD 2). Source: Unicode CLDR, by Babel."""
    return get_currency_precision(currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` with the decimals of its currency, half up."""
    return amount.quantize(Decimal(1).scaleb(-digits(currency)), ROUND_HALF_UP)


def is_currency(code: str) -> bool:
    return code in list_currencies()
