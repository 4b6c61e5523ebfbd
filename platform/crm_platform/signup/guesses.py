"""What a visitor's browser suggests about where the company is; every guess can be changed."""

from collections.abc import Iterable
from dataclasses import dataclass

from babel import Locale
from babel.numbers import get_currency_name
from django.http import HttpRequest
from django.utils.translation import get_language, to_locale

CURRENCIES = (
    "USD", "EUR", "TWD", "CNY", "HKD", "JPY", "SGD", "MYR", "THB", "VND", "IDR", "PHP", "KRW",
    "INR", "AUD", "NZD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "CAD", "MXN", "BRL",
    "AED", "SAR", "ZAR", "MOP",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guess:
    """A time zone and a currency."""

    time_zone: str = "UTC"
    currency: str = "USD"


_PLACES = {
    "tw": Guess("Asia/Taipei", "TWD"), "hant": Guess("Asia/Taipei", "TWD"),
    "hk": Guess("Asia/Hong_Kong", "HKD"), "mo": Guess("Asia/Macau", "MOP"),
    "cn": Guess("Asia/Shanghai", "CNY"), "hans": Guess("Asia/Shanghai", "CNY"),
    "zh": Guess("Asia/Shanghai", "CNY"), "sg": Guess("Asia/Singapore", "SGD"),
    "my": Guess("Asia/Kuala_Lumpur", "MYR"), "jp": Guess("Asia/Tokyo", "JPY"),
    "ja": Guess("Asia/Tokyo", "JPY"), "gb": Guess("Europe/London", "GBP"),
    "us": Guess("America/New_York", "USD"), "au": Guess("Australia/Sydney", "AUD"),
    "in": Guess("Asia/Kolkata", "INR"), "de": Guess("Europe/Berlin", "EUR"),
    "fr": Guess("Europe/Paris", "EUR"), "ca": Guess("America/Toronto", "CAD"),
}  # fmt: skip


def guess_of(request: HttpRequest) -> Guess:
    """From the browser's languages, the most special part first."""
    for tag in request.headers.get("Accept-Language", "").lower().split(","):
        for part in reversed(tag.split(";")[0].strip().split("-")):
            if part in _PLACES:
                return _PLACES[part]
    return Guess()


def currency_choices() -> list[tuple[str, str]]:
    """Codes with their names in the page's language."""
    return named_currencies(CURRENCIES)


def named_currencies(codes: Iterable[str]) -> list[tuple[str, str]]:
    """These codes with their names in the page's language."""
    locale = Locale.parse(to_locale(get_language() or "en"))
    return [(code, f"{code} · {get_currency_name(code, locale=locale)}") for code in codes]
