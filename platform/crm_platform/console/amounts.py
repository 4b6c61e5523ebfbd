"""Amounts as operators read and write them: `US$1,250.50` here, 125050 counted units in billing."""

import re
import unicodedata
from decimal import Decimal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.currencies import currency, shown
from crm_platform.kernel.errors import Invalid

# A comma only ever groups thousands: "12,50" is refused rather than read as 1250.
WRITTEN = re.compile(r"(?P<whole>\d+|\d{1,3}(?:,\d{3})+)(?:\.(?P<part>\d+))?")
MARKS = {
    "USD": ("US$", "$"), "TWD": ("NT$", "$"), "HKD": ("HK$", "$"), "SGD": ("S$", "$"),
    "CNY": ("CN¥", "¥"), "JPY": ("JP¥", "¥"), "EUR": ("€",), "GBP": ("£",), "KRW": ("₩",),
}  # fmt: skip
"""Signs people write before an amount; another currency's sign is refused."""
MOST = 10**15
"""Counted units; far beyond any bill, within a bigint."""


def said(amount: int, code: str) -> str:
    """The amount in the reader's language."""
    return shown(amount, code, get_language() or "en")


def written(amount: int, code: str) -> str:
    """The amount as a form shows it for editing: `1250.50`, `1600`."""
    known = currency(code)
    return f"{Decimal(amount).scaleb(-known.counted):.{known.shown}f}"


def read(text: str, code: str, *, field: str = "amount") -> int:
    """Counted units of what somebody typed: `1,250.50`, `US$ 1250.5`, `ＮＴ＄１，６００`.

    Raises:
        Invalid: it is no amount, is below zero, or has more decimals than the currency shows.
    """
    known = currency(code)
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").upper().removeprefix(code)
    plain = plain.removesuffix(code)
    for mark in MARKS.get(code, ()):
        plain = plain.removeprefix(mark)
    found = WRITTEN.fullmatch(plain)
    if found is None:
        example = "1,250.50" if known.shown else "1,250"
        raise Invalid(
            _("Write the amount in %(code)s like %(example)s.")
            % {"code": code, "example": example},
            field=field,
        )
    part = (found["part"] or "").rstrip("0")
    if len(part) > known.shown:
        raise Invalid(_too_fine(code, known.shown), field=field)
    amount = int(Decimal(f"{found['whole'].replace(',', '')}.{part or 0}").scaleb(known.counted))
    if amount > MOST:
        raise Invalid(_("This amount is too large."), field=field)
    return amount


def _too_fine(code: str, digits: int) -> str:
    if not digits:
        return _("%(code)s is charged in whole units: write the amount without decimals.") % {
            "code": code
        }
    return _("%(code)s has %(digits)d decimals at most.") % {"code": code, "digits": digits}
