"""Tax numbers of companies: checked for what can be known without asking an office."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm_platform.kernel.errors import Invalid

UBN_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)
NEW_UBN_DIVISOR, OLD_UBN_DIVISOR = 5, 10
EU_VAT = re.compile(
    r"(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)"
    r"[0-9A-Z+*]{2,12}"
)


@dataclass(frozen=True, slots=True)
class TaxId:
    """A number as it is kept: `kind` is Stripe's name of its type."""

    kind: str
    value: str


def ubn_sum(digits: str) -> int:
    """The weighted sum of digit sums of eight digits."""
    return sum(
        sum(divmod(int(digit) * weight, 10))
        for digit, weight in zip(digits, UBN_WEIGHTS, strict=True)
    )


def is_ubn(value: str, *, divisor: int = NEW_UBN_DIVISOR) -> bool:
    """Whether eight digits are a Taiwanese 統一編號.

    Since April 2023 the sum is divisible by 5, before by 10; with a 7 in the seventh place, whose
    product 28 has the digit sum 10, the sum plus 1 counts as well. Source: reference/billing.md.
    """
    if not re.fullmatch(r"[0-9]{8}", value):
        return False
    total = ubn_sum(value)
    return total % divisor == 0 or (value[6] == "7" and (total + 1) % divisor == 0)


def clean(kind: str, value: str) -> TaxId:
    """A number in its one spelling.

    Raises:
        Invalid: an unknown kind, or no such number can exist.
    """
    plain = re.sub(r"[\s.\-]", "", value).upper()
    if kind == "tw_vat":
        if not is_ubn(plain):
            raise Invalid(
                _("This is no 統一編號: it has eight digits, the last of which checks the others."),
                field="tax_id",
            )
    elif kind == "eu_vat":
        if not EU_VAT.fullmatch(plain):
            raise Invalid(
                _("A VAT number begins with the two letters of its country, like DE123456789."),
                field="tax_id",
            )
    elif kind == "other":
        if not 2 <= len(plain) <= 30:
            raise Invalid(_("A tax number has 2 to 30 characters."), field="tax_id")
    else:
        raise Invalid(_("Choose a kind of tax number from the list."), field="tax_id_kind")
    return TaxId(kind, plain)
