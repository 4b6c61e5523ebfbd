"""The only code that changes what a company rents. Each function opens its own unit of work.

How a company may be used is `Company.state`; what was paid moves it (`access`).
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from billing import access, catalogue, commands, coupons, discounts, invoicing, quotes, taxids
from billing.currencies import currency as known_currency
from billing.history import note
from billing.models import Account, Invoice, PendingChange, Price, Subscription
from billing.proration import Period, after
from billing.providers import MANUAL
from billing.quotes import Quote
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants.models import Company

Kind = PendingChange.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who pays, as it stands on invoices."""

    legal_name: str
    address: str = ""
    country: str = ""
    email: str = ""
    tax_id_kind: str = ""
    tax_id: str = ""


def live(company_id: UUID, *, lock: bool = False) -> Subscription:
    """What the company rents, with its price, plan and account.

    Raises:
        NotFound: it rents nothing yet.
    """
    rows = Subscription.objects.select_related("account", "price__version__plan")
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(account__company_id=company_id, ended_at=None).first()
    if found is None:
        raise NotFound(_("This company rents nothing yet. Choose a price first."))
    return found


# -- beginning -----------------------------------------------------------------------------------


def start(
    *, company_id: UUID, price_id: int, seats: int, buyer: Buyer, by: str, at: dt.datetime,
    coupon: str = "", shown: int | None = None,
) -> Subscription:  # fmt: skip
    """Begin to rent: the first period is billed, and the company works from now on.

    `shown` is the total that somebody agreed to, in counted units.

    Raises:
        NotFound: there is no such company, or no such price to be had.
        Conflict: it rents already, or the total is not what was shown.
        Invalid: too few or too many seats, the buyer's facts are not right, or no such coupon.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account, price = open_account(
            company_id=company_id, price_id=price_id, seats=seats, buyer=buyer, provider=MANUAL,
            at=at,
        )  # fmt: skip
        covered = Period(at, after(at, price.interval))
        made = Subscription.objects.create(
            account=account, price=price, seats=seats, anchor=at, period_start=covered.start,
            period_end=covered.end, created_at=at,
        )  # fmt: skip
        if coupon.strip():
            coupons.redeem_for(made, code=coupon, by=by, at=at)
        hand = discounts.at_hand(account, made, at=at)
        lines = discounts.period_lines(price, seats, covered, hand)
        bill = invoicing.bill(subscription=made, lines=lines, act_key=f"start:{made.pk}", at=at)
        if shown is not None and bill.total != shown:
            raise Conflict(quotes.stale())
        note(account, "started", by=by, at=at, seats=seats, price=price.pk)
        access.follow(made, at=at)
    access.tell_company(company_id, at=at)
    return made


def open_account(
    *, company_id: UUID, price_id: int, seats: int, buyer: Buyer, provider: str, at: dt.datetime
) -> tuple[Account, Price]:
    """The account of a company that may begin to rent now, and the price; in the open unit.

    Raises:
        NotFound, Conflict, Invalid: as `start`.
    """
    company = Company.objects.select_for_update().filter(pk=company_id).first()
    if company is None:
        raise NotFound(_("There is no such company."))
    if Subscription.objects.filter(account__company=company, ended_at=None).exists():
        raise Conflict(_("This company rents already. Change the seats or the price instead."))
    price = catalogue.price_to_be_had(price_id)
    quotes.demand_fits(price, seats)
    account = _account(company, price.currency, buyer, at=at)
    if account.provider != provider:
        account.provider = provider
        account.save(update_fields=["provider"])
    return account, price


def _account(company: Company, code: str, buyer: Buyer, *, at: dt.datetime) -> Account:
    known_currency(code)
    account, made = Account.objects.select_for_update().get_or_create(
        company=company,
        defaults={"currency": code, "language": company.language, "created_at": at,
                  "legal_name": company.name},
    )  # fmt: skip
    if not made and account.currency != code:
        if Invoice.objects.filter(account=account).exists():
            raise Invalid(_("The currency of your invoices cannot change."), field="price")
        account.currency = code
    enter_buyer(account, buyer)
    return account


def demand_sound(buyer: Buyer) -> tuple[str, taxids.TaxId | None]:
    """The name and the tax number as they are kept.

    Raises:
        Invalid: no name, or no such number can be.
    """
    name = " ".join(buyer.legal_name.split())
    if not name:
        raise Invalid(_("Say to whom the invoices are made out."), field="legal_name")
    return name, taxids.clean(buyer.tax_id_kind, buyer.tax_id) if buyer.tax_id.strip() else None


def enter_buyer(account: Account, buyer: Buyer) -> None:
    name, tax = demand_sound(buyer)
    account.legal_name, account.address = name, buyer.address.strip()
    account.country, account.email = buyer.country.strip().upper()[:2], buyer.email.strip()
    account.tax_id_kind, account.tax_id = (tax.kind, tax.value) if tax else ("", "")
    account.save()


def change_buyer(*, company_id: UUID, buyer: Buyer, by: str, at: dt.datetime) -> Account:
    """Change what stands on the next invoices; those there are stay as they were issued.

    Raises:
        NotFound: the company rents nothing.
        Invalid: the facts are not right.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account = live(company_id, lock=True).account
        enter_buyer(account, buyer)
        note(account, "buyer_changed", by=by, at=at)
        commands.tell_buyer(account, by=by, at=at)
    return account


# -- seats ---------------------------------------------------------------------------------------


def quote_seats(*, company_id: UUID, seats: int, at: dt.datetime) -> tuple[Quote, str]:
    """What `seats` seats would cost from now on, and the sealed quote to confirm.

    Raises:
        NotFound, Invalid: as `live` and `quotes.for_seats`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = live(company_id)
        found = quotes.for_seats(subscription, seats=seats, at=at)
        return found, quotes.sealed(found, subscription)


def quote_price(*, company_id: UUID, price_id: int, at: dt.datetime) -> tuple[Quote, str]:
    """What another price would cost from now on, and the sealed quote to confirm.

    Raises:
        NotFound, Invalid: as `live` and `quotes.for_price`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = live(company_id)
        price = catalogue.price_to_be_had(price_id)
        found = quotes.for_price(subscription, price=price, at=at)
        return found, quotes.sealed(found, subscription)


def accept(*, company_id: UUID, quote: str, by: str, at: dt.datetime) -> Invoice:
    """Make the change that was quoted, and bill exactly what was shown.

    A pending removal of seats ends: who adds seats wants to keep them.

    Raises:
        NotFound: the company rents nothing.
        Conflict: the quote is too old, or something changed meanwhile.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = live(company_id, lock=True)
        found = quotes.opened(quote, subscription, at=at)
        settle_open(subscription, Kind.SEATS if found.added else Kind.PRICE, at=at)
        if found.price.pk != subscription.price_id:
            subscription.price, subscription.anchor = found.price, found.period.start
            subscription.period_start = found.period.start
            subscription.period_end = found.period.end
        subscription.seats = found.seats
        subscription.save()
        # The seats and the price too: two quotes may be of one moment.
        moment = f"{found.at:%Y%m%dT%H%M%S.%f}:{found.seats}:{found.price.pk}"
        invoice = invoicing.bill(
            subscription=subscription, lines=found.lines, at=at,
            act_key=f"change:{subscription.pk}:{moment}",
        )  # fmt: skip
        note(
            subscription.account, "seats_added" if found.added else "price_changed", by=by, at=at,
            seats=[found.seats_before, found.seats], invoice=invoice.number,
        )  # fmt: skip
    access.tell_company(company_id, at=at)
    return invoice


def reduce_seats(
    *, company_id: UUID, seats: int, used: int, by: str, at: dt.datetime
) -> PendingChange:
    """Have fewer seats from the next period on; it can be taken back until then.

    Raises:
        NotFound: the company rents nothing.
        Invalid: not fewer, fewer than are used, or fewer than the price is for.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = live(company_id, lock=True)
        if not 0 < seats < subscription.seats:
            raise Invalid(_("Give a lower number than the seats you have."), field="seats")
        if seats < used:
            raise Invalid(
                _("%(used)d seats are in use. Deactivate somebody, or withdraw an invitation.")
                % {"used": used},
                field="seats",
            )
        quotes.demand_fits(subscription.price, seats)
        return _plan(subscription, Kind.SEATS, seats, by=by, at=at)


def plan_price(*, company_id: UUID, price_id: int, by: str, at: dt.datetime) -> PendingChange:
    """Have another price from the next period on.

    Raises:
        NotFound: the company rents nothing, or there is no such price.
        Invalid: the same price, another currency, or the seats do not fit.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = live(company_id, lock=True)
        price = catalogue.price_to_be_had(price_id)
        quotes.for_price(subscription, price=price, at=at)
        return _plan(subscription, Kind.PRICE, price.pk, by=by, at=at)


def _plan(
    subscription: Subscription, kind: str, target: int, *, by: str, at: dt.datetime
) -> PendingChange:
    settle_open(subscription, kind, at=at)
    change = PendingChange.objects.create(
        subscription=subscription, kind=kind, target=target, by=by[:250], at=at,
        effective_at=subscription.period_end,
    )  # fmt: skip
    note(subscription.account, f"{kind}_planned", by=by, at=at, target=target)
    commands.tell_plan(subscription, by=by, at=at)
    return change


def settle_open(subscription: Subscription, kind: str, *, at: dt.datetime) -> bool:
    """Let a planned change of this kind not come; whether there was one."""
    found = subscription.changes.filter(kind=kind, settled_at=None)
    return bool(found.update(settled_at=at))


def take_back(*, company_id: UUID, change_id: int, by: str, at: dt.datetime) -> None:
    """Leave things as they are: the planned change does not come.

    Raises:
        NotFound: the company rents nothing, or there is no such open change of it.
        Conflict: operators planned it for a new version of the plan.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = live(company_id, lock=True)
        found = subscription.changes.filter(pk=change_id, settled_at=None)
        if found.filter(moves__isnull=False).exists():
            raise Conflict(_("This change is ours. Choose another price, or ask us."))
        kind = found.values_list("kind", flat=True).first()
        if kind is None or not found.update(settled_at=at):
            raise NotFound(_("There is no such change any more."))
        note(subscription.account, f"{kind}_taken_back", by=by, at=at)
        commands.tell_plan(subscription, by=by, at=at)


# -- ending --------------------------------------------------------------------------------------


def cancel(*, company_id: UUID, reason: str, by: str, at: dt.datetime) -> Subscription:
    """Stop renting at the end of what is paid for; it can be resumed until then.

    Raises:
        NotFound: the company rents nothing.
        Conflict: it is cancelled already.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = live(company_id, lock=True)
        if subscription.ends_at is not None:
            raise Conflict(_("It is cancelled already."))
        subscription.ends_at = subscription.period_end
        subscription.end_reason = reason.strip()[:300]
        subscription.save(update_fields=["ends_at", "end_reason"])
        note(subscription.account, "cancelled", by=by, at=at, reason=reason)
        commands.tell_plan(subscription, by=by, at=at)
    return subscription


def resume(*, company_id: UUID, by: str, at: dt.datetime) -> Subscription:
    """Go on renting after all.

    Raises:
        NotFound: the company rents nothing any more.
        Conflict: it is not cancelled.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = live(company_id, lock=True)
        if subscription.ends_at is None:
            raise Conflict(_("It is not cancelled."))
        subscription.ends_at, subscription.end_reason = None, ""
        subscription.save(update_fields=["ends_at", "end_reason"])
        note(subscription.account, "resumed", by=by, at=at)
        commands.tell_plan(subscription, by=by, at=at)
    return subscription
