"""What a change would cost, shown before it is made; the act then charges exactly that.

A quote names the moment it was made for. Making the change takes that same moment, so the charge
is computed from the same seconds; what changed meanwhile makes the quote void.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing import invoicing
from billing.invoicing import Line, Sum
from billing.models import InvoiceLine, Price, Subscription
from billing.proration import Period, after, prorated
from crm_platform.kernel import signing
from crm_platform.kernel.errors import Conflict, Invalid

GOOD_FOR = dt.timedelta(minutes=30)
Kind = InvoiceLine.Kind
PURPOSE, REMOTE, DAY_SECONDS = "billing.quote", "billing.quote.remote", 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of having `seats` seats at `price` from `at` on."""

    seats_before: int
    seats: int
    price: Price
    at: dt.datetime
    period: Period
    lines: tuple[Line, ...]
    due_now: Sum
    next_net: int

    @property
    def added(self) -> int:
        return self.seats - self.seats_before


def period(subscription: Subscription) -> Period:
    """What is paid for, or billed, at present."""
    return Period(subscription.period_start, subscription.period_end)


def for_seats(subscription: Subscription, *, seats: int, at: dt.datetime) -> Quote:
    """More seats from now on, for the rest of the period.

    Raises:
        Invalid: not more than there are, or more than the price is for.
    """
    price, now = subscription.price, period(subscription)
    demand_more(subscription, seats)
    added = seats - subscription.seats
    cost = prorated(
        unit_amount=price.unit_amount, seats=added, period=now, at=at, currency=price.currency
    )
    line = Line(
        kind=Kind.ADDED, quantity=added, unit_amount=price.unit_amount, interval=price.interval,
        period=Period(at, now.end), amount=cost,
    )  # fmt: skip
    return Quote(
        seats_before=subscription.seats, seats=seats, price=price, at=at, period=now,
        lines=(line,), due_now=invoicing.sum_of((line,), subscription.account),
        next_net=price.unit_amount * seats,
    )  # fmt: skip


def for_price(subscription: Subscription, *, price: Price, at: dt.datetime) -> Quote:
    """Another price from now on: time not used is given back, a new period begins.

    Raises:
        Invalid: the same price, another currency, or too few or many seats for it.
    """
    old, now = subscription.price, period(subscription)
    demand_other(subscription, price)
    seats, fresh = subscription.seats, Period(at, after(at, price.interval))
    back = prorated(
        unit_amount=old.unit_amount, seats=-seats, period=now, at=at, currency=old.currency
    )
    lines = (
        Line(kind=Kind.CREDIT, quantity=-seats, unit_amount=old.unit_amount, interval=old.interval,
             period=Period(at, now.end), amount=back),
        whole(price, seats, fresh),
    )  # fmt: skip
    return Quote(
        seats_before=seats, seats=seats, price=price, at=at, period=fresh, lines=lines,
        due_now=invoicing.sum_of(lines, subscription.account), next_net=price.unit_amount * seats,
    )  # fmt: skip


def whole(price: Price, seats: int, covered: Period) -> Line:
    """A whole period of so many seats."""
    return Line(
        kind=Kind.SEATS, quantity=seats, unit_amount=price.unit_amount, interval=price.interval,
        period=covered, amount=price.unit_amount * seats,
    )  # fmt: skip


def demand_more(subscription: Subscription, seats: int) -> None:
    """Refuse a number of seats that is not higher.

    Raises:
        Invalid: not more than there are, or more than the price is for.
    """
    if seats <= subscription.seats:
        raise Invalid(_("Give a higher number than the seats you have."), field="seats")
    demand_fits(subscription.price, seats)


def demand_other(subscription: Subscription, price: Price) -> None:
    """Refuse a price that this subscription cannot change to.

    Raises:
        Invalid: the same price, another currency, or too few or many seats for it.
    """
    if price.pk == subscription.price_id:
        raise Invalid(_("You have this price already."), field="price")
    if price.currency != subscription.price.currency:
        raise Invalid(_("The currency cannot change while you rent."), field="price")
    demand_fits(price, subscription.seats)


def demand_fits(price: Price, seats: int) -> None:
    """Refuse a number of seats that the price is not for.

    Raises:
        Invalid: too few or too many.
    """
    if seats < price.least_seats:
        raise Invalid(
            _("This price is for %(least)d seats or more.") % {"least": price.least_seats},
            field="seats",
        )
    if price.most_seats is not None and seats > price.most_seats:
        raise Invalid(
            _("This price is for up to %(most)d seats. Ask us for more.")
            % {"most": price.most_seats},
            field="seats",
        )


# -- quotes that travel through a browser --------------------------------------------------------


def sealed_remote(quote: Quote, subscription: Subscription) -> str:
    """A quote computed by a provider, with the total that it named."""
    facts = [subscription.pk, quote.seats_before, quote.seats, subscription.price_id,
             quote.price.pk, quote.at.isoformat(), quote.due_now.total]  # fmt: skip
    return signing.seal(REMOTE, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What was shown of a provider's quote, and is agreed to now."""

    seats: int
    price: Price
    at: dt.datetime
    total: int
    is_new_period: bool


def opened_remote(text: str, subscription: Subscription, *, at: dt.datetime) -> Agreed:
    """The provider's quote that was shown.

    Raises:
        Invalid, Conflict: as `opened`.
    """
    key, before, seats, price_before, price_id, moment, total = signing.unseal(
        REMOTE, text, max_age_seconds=DAY_SECONDS, refusal=_stale()
    )
    made_at = dt.datetime.fromisoformat(moment)
    now = (subscription.pk, subscription.seats, subscription.price_id)
    price = Price.objects.select_related("version__plan").filter(pk=price_id).first()
    is_same = (key, before, price_before) == now and price is not None
    if not is_same or not dt.timedelta(0) <= at - made_at <= GOOD_FOR or price is None:
        raise Conflict(_stale())
    if not subscription.period_start <= made_at < subscription.period_end:
        raise Conflict(_stale())
    return Agreed(seats=seats, price=price, at=made_at, total=total,
                  is_new_period=price_id != price_before)  # fmt: skip


def sealed(quote: Quote, subscription: Subscription) -> str:
    """The quote as a text that nobody can change; it holds no amount, these are computed again."""
    facts = [subscription.pk, quote.seats_before, quote.seats, quote.price.pk, quote.at.isoformat()]
    return signing.seal(PURPOSE, facts)


def opened(text: str, subscription: Subscription, *, at: dt.datetime) -> Quote:
    """The quote that was shown, computed anew for its own moment.

    Raises:
        Invalid: it was altered.
        Conflict: it is too old, or the subscription is another one by now.
    """
    key, before, seats, price_id, moment = signing.unseal(
        PURPOSE, text, max_age_seconds=DAY_SECONDS, refusal=_stale()
    )
    made_at = dt.datetime.fromisoformat(moment)
    is_same = (key, before) == (subscription.pk, subscription.seats)
    price = Price.objects.select_related("version__plan").filter(pk=price_id).first()
    if not is_same or not dt.timedelta(0) <= at - made_at <= GOOD_FOR or price is None:
        raise Conflict(_stale())
    if not subscription.period_start <= made_at < subscription.period_end:
        raise Conflict(_stale())
    if price.pk == subscription.price_id:
        return for_seats(subscription, seats=seats, at=made_at)
    return for_price(subscription, price=price, at=made_at)


def _stale() -> str:
    return _("Something changed since this price was shown. Look at the new one.")
