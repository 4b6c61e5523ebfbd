"""What beginning to rent would cost, computed as the bill will be. Opens the platform's unit."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from billing import catalogue, coupons, discounts, invoicing, quotes
from billing.discounts import Discount
from billing.invoicing import Line, Sum
from billing.models import Account, Price
from billing.proration import Period, after
from crm_platform.kernel import tenancy


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The first bill, line by line."""

    price: Price
    lines: tuple[Line, ...]
    due_now: Sum


def of_start(
    *, company_id: UUID, price_id: int, seats: int, country: str, coupon: str, at: dt.datetime
) -> Preview:
    """The first bill of a company that begins to rent now, for a buyer in `country`.

    Raises:
        NotFound: no such price is to be had.
        Invalid: too few or too many seats, or no such coupon.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        price = catalogue.price_to_be_had(price_id)
        quotes.demand_fits(price, seats)
        known = Account.objects.filter(company_id=company_id).first()
        account = known or Account()
        account.country, account.currency = country.strip().upper()[:2], price.currency
        found = coupons.find(coupon, price=price, at=at) if coupon.strip() else None
        hand = Discount(found, discounts.credit_of(account, at=at))
        lines = discounts.period_lines(price, seats, Period(at, after(at, price.interval)), hand)
        return Preview(price=price, lines=lines, due_now=invoicing.sum_of(lines, account))
