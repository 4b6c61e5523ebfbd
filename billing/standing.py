"""How a company stands with us: what it rents, what comes next, what was billed. For its page.

Opens the platform's unit of work.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from billing import catalogue, discounts, invoicing, quotes, subscribing
from billing.models import (
    Account,
    CouponRedemption,
    Invoice,
    InvoiceLine,
    PendingChange,
    PlanMoveItem,
    Price,
    Subscription,
)
from billing.proration import Period, after
from billing.providers import MANUAL
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NotFound
from tenants import queries

SHOWN = 60
Kind = InvoiceLine.Kind
PRICE = PendingChange.Kind.PRICE
OFF = (Kind.COUPON, Kind.GRANT)


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice and what is still owed of it."""

    invoice: Invoice
    owed: int
    is_late: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next bill as it stands now: when, for how many seats at which price, what comes off."""

    on: dt.datetime
    seats: int
    price: Price
    total: int
    coupon: int = 0
    credit: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it; `subscription` is None before the company rents, and after it has ended."""

    account: Account | None
    subscription: Subscription | None
    changes: tuple[PendingChange, ...]
    planned_price: Price | None
    bills: tuple[Bill, ...]
    offers: tuple[Price, ...]
    forecast: Forecast | None
    coupon: CouponRedemption | None = None
    credit: int = 0
    announced: frozenset[int] = frozenset()
    """Ids of those changes that operators planned: a new version of the plan."""

    @property
    def owed(self) -> int:
        return sum(bill.owed for bill in self.bills)


def standing_of(company_id: UUID, *, at: dt.datetime) -> Standing:
    """How the company stands at `at`. Ten queries at most."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account = Account.objects.filter(company_id=company_id).first()
        subscription = (
            Subscription.objects.select_related("account", "price__version__plan")
            .filter(account=account, ended_at=None).first()
        ) if account else None  # fmt: skip
        changes = tuple(subscription.changes.filter(settled_at=None)) if subscription else ()
        planned = _planned_price(changes)
        rows = account.invoices.order_by("-issued_at", "-pk")[:SHOWN] if account else ()
        bills = tuple(
            Bill(row, invoicing.owed(row), invoicing.owed(row) > 0 and row.due_at <= at)
            for row in rows
        )
        return Standing(
            account, subscription, changes, planned, bills,
            tuple(catalogue.prices_to_be_had("default")),
            _forecast(subscription, changes, planned) if subscription else None,
            coupon=discounts.live_redemption(subscription) if subscription else None,
            credit=discounts.credit_of(account, at=at) if account else 0,
            announced=_announced(changes),
        )  # fmt: skip


def _announced(changes: tuple[PendingChange, ...]) -> frozenset[int]:
    rows = PlanMoveItem.objects.filter(change__in=changes) if changes else ()
    return frozenset(row.change_id for row in rows if row.change_id)


def _planned_price(changes: tuple[PendingChange, ...]) -> Price | None:
    for change in changes:
        if change.kind == PendingChange.Kind.PRICE:
            return Price.objects.select_related("version__plan").get(pk=change.target)
    return None


def _forecast(
    subscription: Subscription, changes: tuple[PendingChange, ...], planned: Price | None
) -> Forecast | None:
    if subscription.ends_at is not None:
        return None
    seats = next(
        (c.target for c in changes if c.kind == PendingChange.Kind.SEATS), subscription.seats
    )
    if any(c.effective_at > subscription.period_end for c in changes if c.kind == PRICE):
        planned = None
    price, on = planned or subscription.price, subscription.period_end
    hand = discounts.at_hand(subscription.account, subscription, at=on)
    lines = discounts.period_lines(price, seats, _next(subscription, price), hand)
    off = {kind: sum(line.amount for line in lines if line.kind == kind) for kind in OFF}
    total = invoicing.sum_of(lines, subscription.account).total
    return Forecast(on, seats, price, total, coupon=-off[Kind.COUPON], credit=-off[Kind.GRANT])


def _next(subscription: Subscription, price: Price) -> Period:
    start = subscription.period_end
    return Period(start, after(start, price.interval))


def would_hold(company_id: UUID, price: Price) -> dict[str, int]:
    """{limit: number} that would hold for the company at this price; operators' word first."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return {**price.version.entitlements, **dict(queries.own_limits(company_id))}


def invoice_of(company_id: UUID, invoice_id: int) -> Invoice:
    """One invoice of this company, with its lines.

    Raises:
        NotFound: there is none such here.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = (
            Invoice.objects.prefetch_related("lines")
            .filter(pk=invoice_id, account__company_id=company_id).first()
        )  # fmt: skip
        if found is None:
            raise NotFound(_("There is no such invoice."))
        return found


def invoices_of(
    company_id: UUID, *, limit: int, before: int | None = None
) -> tuple[list[Invoice], bool]:
    """Invoices with their lines, the newest first, older than the id `before`; whether more follow.

    Two queries.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Invoice.objects.filter(account__company_id=company_id).prefetch_related("lines")
        if before is not None:
            rows = rows.filter(pk__lt=before)
        found = list(rows.order_by("-pk")[: limit + 1])
    return found[:limit], len(found) > limit


def count_invoices(company_id: UUID) -> int:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Invoice.objects.filter(account__company_id=company_id).count()


def public_prices() -> list[Price]:
    """The published price list, for whoever asks."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return catalogue.prices_to_be_had()


def agreed_total(company_id: UUID, quote: str, *, at: dt.datetime) -> tuple[int, str]:
    """What a sealed quote of this company says is to be paid now, and its currency.

    Raises:
        NotFound: it rents nothing.
        Invalid, Conflict: as `quotes.opened`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        live = subscribing.live(company_id)
        if live.account.provider == MANUAL:
            found = quotes.opened(quote, live, at=at)
            return found.due_now.total, found.price.currency
        agreed = quotes.opened_remote(quote, live, at=at)
        return agreed.total, agreed.price.currency
