"""Who sells, and on which terms; said once by operators in the settings."""

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from billing.currencies import charged


@dataclass(frozen=True, slots=True)
class Seller:
    """What stands at the head and the foot of an invoice."""

    key: str
    name: str
    address: str
    tax_id: str
    bank: str
    email: str

    def as_facts(self) -> dict[str, Any]:
        """As an invoice keeps it."""
        return asdict(self)


def seller() -> Seller:
    return Seller(**settings.BILLING["seller"])


def due_days() -> int:
    """Days in which a bill is to be paid."""
    return int(settings.BILLING["due_days"])


def tax_permille(country: str) -> int:
    """The tax that the seller adds for a buyer in this country, in thousandths."""
    rates: dict[str, int] = settings.BILLING["tax_permille"]
    return rates.get(country, rates.get("", 0))


def tax_of(net: int, country: str, currency: str) -> int:
    """The tax on a net amount, rounded once."""
    return charged(net * tax_permille(country.strip().upper()), 1000, currency)
