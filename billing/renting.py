"""Renting, whoever keeps the books: our own (bank transfer), or a provider (card).

The one way in for pages and the API. What a provider must be told is put beside the change and
sent here, right after it; what cannot be sent now is sent by the task.
"""

import datetime as dt
from uuid import UUID

from billing import coupons, outbox, remote, subscribing
from billing.models import Account, Invoice, PendingChange, Subscription
from billing.providers import MANUAL
from billing.quotes import Quote
from billing.remote import Accepted
from billing.subscribing import Buyer
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid


def provider_key(company_id: UUID) -> str:
    """Who keeps the company's books; one query in a unit of its own."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = Account.objects.filter(company_id=company_id).values_list("provider", flat=True)
        return found.first() or MANUAL


def demand_no_coupon(provider: str, coupon: str) -> None:
    """Refuse a coupon on what a provider bills.

    Raises:
        Invalid: there is one, and another than us keeps the books.
    """
    if provider != MANUAL and coupon.strip():
        raise Invalid(coupons.not_by_card(), field="coupon")


def start(
    *, company_id: UUID, price_id: int, seats: int, buyer: Buyer, provider: str, back: str, by: str,
    at: dt.datetime, coupon: str = "", shown: int | None = None,
) -> str:  # fmt: skip
    """Begin to rent; the address where a card is given first, or "" when it has begun.

    `shown` is the total that was agreed to; a card's page shows its own before it is charged.

    Raises:
        NotFound, Conflict, Invalid: as `subscribing.start` and `remote.start`.
    """
    if provider == MANUAL:
        subscribing.start(
            company_id=company_id, price_id=price_id, seats=seats, buyer=buyer, by=by, at=at,
            coupon=coupon, shown=shown,
        )  # fmt: skip
        return ""
    demand_no_coupon(provider, coupon)
    return remote.start(
        company_id=company_id, price_id=price_id, seats=seats, buyer=buyer, by=by, at=at,
        provider_key=provider, back=back,
    )  # fmt: skip


def quote_seats(*, company_id: UUID, seats: int, at: dt.datetime) -> tuple[Quote, str]:
    """What `seats` seats would cost from now on, and the sealed quote to confirm.

    Raises:
        NotFound, Invalid, Conflict: as `subscribing.quote_seats` and `remote.quote_seats`.
    """
    if provider_key(company_id) == MANUAL:
        return subscribing.quote_seats(company_id=company_id, seats=seats, at=at)
    return remote.quote_seats(company_id=company_id, seats=seats, at=at)


def quote_price(*, company_id: UUID, price_id: int, at: dt.datetime) -> tuple[Quote, str]:
    """What another price would cost from now on, and the sealed quote to confirm.

    Raises:
        NotFound, Invalid, Conflict: as `subscribing.quote_price` and `remote.quote_price`.
    """
    if provider_key(company_id) == MANUAL:
        return subscribing.quote_price(company_id=company_id, price_id=price_id, at=at)
    return remote.quote_price(company_id=company_id, price_id=price_id, at=at)


def accept(*, company_id: UUID, quote: str, by: str, at: dt.datetime) -> Accepted:
    """Make the change that was quoted, and bill exactly what was shown.

    Raises:
        NotFound, Conflict, Invalid: as `subscribing.accept` and `remote.accept`.
    """
    if provider_key(company_id) == MANUAL:
        found: Invoice = subscribing.accept(company_id=company_id, quote=quote, by=by, at=at)
        return Accepted(found)
    return remote.accept(company_id=company_id, quote=quote, by=by, at=at)


def _tell(company_id: UUID, *, at: dt.datetime) -> None:
    """Send what was put for this company just now."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Account.objects.filter(company_id=company_id).exclude(provider=MANUAL)
        key = rows.values_list("pk", flat=True).first()
    if key is not None:
        outbox.send_due(at=at, most=3, account_id=key)


def reduce_seats(
    *, company_id: UUID, seats: int, used: int, by: str, at: dt.datetime
) -> PendingChange:
    """Have fewer seats from the next period on.

    Raises:
        NotFound, Invalid: as `subscribing.reduce_seats`.
    """
    made = subscribing.reduce_seats(company_id=company_id, seats=seats, used=used, by=by, at=at)
    _tell(company_id, at=at)
    return made


def plan_price(*, company_id: UUID, price_id: int, by: str, at: dt.datetime) -> PendingChange:
    """Have another price from the next period on.

    Raises:
        NotFound, Invalid: as `subscribing.plan_price`.
    """
    made = subscribing.plan_price(company_id=company_id, price_id=price_id, by=by, at=at)
    _tell(company_id, at=at)
    return made


def take_back(*, company_id: UUID, change_id: int, by: str, at: dt.datetime) -> None:
    """Leave things as they are.

    Raises:
        NotFound: as `subscribing.take_back`.
    """
    subscribing.take_back(company_id=company_id, change_id=change_id, by=by, at=at)
    _tell(company_id, at=at)


def cancel(*, company_id: UUID, reason: str, by: str, at: dt.datetime) -> Subscription:
    """Stop renting at the end of what is paid for.

    Raises:
        NotFound, Conflict: as `subscribing.cancel`.
    """
    found = subscribing.cancel(company_id=company_id, reason=reason, by=by, at=at)
    _tell(company_id, at=at)
    return found


def resume(*, company_id: UUID, by: str, at: dt.datetime) -> Subscription:
    """Go on renting after all.

    Raises:
        NotFound, Conflict: as `subscribing.resume`.
    """
    found = subscribing.resume(company_id=company_id, by=by, at=at)
    _tell(company_id, at=at)
    return found


def change_buyer(*, company_id: UUID, buyer: Buyer, by: str, at: dt.datetime) -> Account:
    """Change what stands on the next invoices.

    Raises:
        NotFound, Invalid: as `subscribing.change_buyer`.
    """
    found = subscribing.change_buyer(company_id=company_id, buyer=buyer, by=by, at=at)
    _tell(company_id, at=at)
    return found
