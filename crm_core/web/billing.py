"""The company's own word about what it rents: the platform's rows first, then its history.

Every function opens units of work of its own, one after the other: call it from `afterwards`.
"""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from billing import coupons, previews, remote, renting, subscribing
from billing.previews import Preview
from billing.providers import MANUAL
from billing.quotes import Quote
from billing.remote import Accepted
from billing.seats import services as seats
from billing.subscribing import Buyer
from crm_core.audit import services as audit
from crm_core.leaving.rules import is_owner
from crm_core.web.acting import name_of
from crm_platform.identity.models import User
from crm_platform.identity.rules import has_ability
from crm_platform.kernel import counting, tenancy
from crm_platform.kernel.errors import NotAllowed, TooMany

ABILITY = "billing.manage"
IDLE = dt.timedelta(days=30)
COUPON_TRIES = 10
"""Codes a company may try within a minute."""


def may_pay(user: Any) -> bool:
    """Whether somebody sees and changes what the company pays: owners, and whom they let."""
    return is_owner(user) or has_ability(user, ABILITY)


def demand_payer(actor: User) -> tenancy.Scope:
    """The company, for somebody who decides what it pays.

    Raises:
        NotAllowed: an owner would have to allow it first.
    """
    if not may_pay(actor):
        raise NotAllowed(_("Only an owner, or whose role may manage billing, can do this."))
    return tenancy.current_company()


def _note(
    scope: tenancy.Scope, verb: str, *, actor: User, at: dt.datetime, channel: str = "",
    **changes: Any,
) -> None:  # fmt: skip
    with tenancy.unit_of_work(scope):
        if channel:
            audit.use_channel(channel)
        audit.record(actor=actor, verb=verb, at=at, on_type="billing", changes=changes)


def check(
    *, price_id: int, count: int, buyer: Buyer, coupon: str, actor: User, at: dt.datetime,
    provider: str = MANUAL,
) -> Preview:  # fmt: skip
    """What `start` would bill; refuses now what it would refuse of what somebody wrote.

    Raises:
        NotAllowed, NotFound, Invalid, TooMany: as `start`.
    """
    scope = demand_payer(actor)
    with tenancy.unit_of_work(scope):
        seats.demand_enough(count=count, at=at)
    subscribing.demand_sound(buyer)
    renting.demand_no_coupon(provider, coupon)
    _demand_patience(coupon, at=at)
    return previews.of_start(
        company_id=scope.id, price_id=price_id, seats=count, country=buyer.country, coupon=coupon,
        at=at,
    )  # fmt: skip


def _demand_patience(coupon: str, *, at: dt.datetime) -> None:
    """Refuse to try one code after the other.

    Raises:
        TooMany: this company tried many within a minute.
    """
    counted = counting.within([("coupon", COUPON_TRIES)], at=at) if coupon.strip() else []
    if any(each.is_over for each in counted):
        raise TooMany(_("Too many codes were tried. Wait a minute, then try again."))


def redeem(*, code: str, actor: User, at: dt.datetime) -> None:
    """Have a coupon come off the next bills.

    Raises:
        NotAllowed, NotFound, Invalid, Conflict: as `demand_payer` and `coupons.redeem`.
        TooMany: many codes were tried within a minute.
    """
    scope = demand_payer(actor)
    _demand_patience(code, at=at)
    made = coupons.redeem(company_id=scope.id, code=code, by=name_of(actor), at=at)
    _note(scope, "billing.coupon", actor=actor, at=at, coupon=[None, made.coupon.code])


def start(
    *, price_id: int, count: int, buyer: Buyer, provider: str, back: str, actor: User,
    at: dt.datetime, coupon: str = "", shown: int | None = None,
) -> str:  # fmt: skip
    """Begin to rent; the address where a card is given first, "" when nothing more is needed.

    `shown` is the total that was agreed to.

    Raises:
        NotAllowed: the actor does not decide this.
        Conflict, Invalid, NotFound: as `renting.start`; Invalid also for too few seats.
        TooMany: many codes of coupons were tried within a minute.
    """
    scope = demand_payer(actor)
    with tenancy.unit_of_work(scope):
        seats.demand_enough(count=count, at=at)
    _demand_patience(coupon, at=at)
    address = renting.start(
        company_id=scope.id, price_id=price_id, seats=count, buyer=buyer, by=name_of(actor), at=at,
        provider=provider, back=back, coupon=coupon, shown=shown,
    )  # fmt: skip
    verb = "billing.started" if provider == MANUAL else "billing.card_asked"
    _note(scope, verb, actor=actor, at=at, seats=[None, count])
    return address


def quote_seats(*, count: int, actor: User, at: dt.datetime) -> tuple[Quote, str]:
    """What more seats cost from now on.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `renting.quote_seats`.
    """
    return renting.quote_seats(company_id=demand_payer(actor).id, seats=count, at=at)


def quote_price(*, price_id: int, actor: User, at: dt.datetime) -> tuple[Quote, str]:
    """What another price costs from now on.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `renting.quote_price`.
    """
    return renting.quote_price(company_id=demand_payer(actor).id, price_id=price_id, at=at)


def accept(*, quote: str, actor: User, at: dt.datetime, channel: str = "") -> Accepted:
    """Make the change that was quoted; `channel` is by what it came, where not by a page.

    Raises:
        NotAllowed, NotFound, Invalid, Conflict: as `demand_payer` and `renting.accept`.
    """
    scope = demand_payer(actor)
    found = renting.accept(company_id=scope.id, quote=quote, by=name_of(actor), at=at)
    number = found.invoice.number if found.invoice else ""
    _note(scope, "billing.changed", actor=actor, at=at, channel=channel, invoice=[None, number])
    return found


def reduce_seats(*, count: int, actor: User, at: dt.datetime) -> None:
    """Have fewer seats from the next period on.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `renting.reduce_seats`.
    """
    scope = demand_payer(actor)
    with tenancy.unit_of_work(scope):
        used = seats.standing(at=at).used
    renting.reduce_seats(company_id=scope.id, seats=count, used=used, by=name_of(actor), at=at)
    _note(scope, "billing.seats_planned", actor=actor, at=at, seats=[None, count])


def plan_price(*, price_id: int, actor: User, at: dt.datetime) -> None:
    """Have another price from the next period on.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `renting.plan_price`.
    """
    scope = demand_payer(actor)
    renting.plan_price(company_id=scope.id, price_id=price_id, by=name_of(actor), at=at)
    _note(scope, "billing.price_planned", actor=actor, at=at)


def take_back(*, change_id: int, actor: User, at: dt.datetime) -> None:
    """Leave things as they are.

    Raises:
        NotAllowed, NotFound: as `demand_payer` and `renting.take_back`.
    """
    scope = demand_payer(actor)
    renting.take_back(company_id=scope.id, change_id=change_id, by=name_of(actor), at=at)
    _note(scope, "billing.taken_back", actor=actor, at=at)


def change_buyer(*, buyer: Buyer, actor: User, at: dt.datetime) -> None:
    """Change what stands on the next invoices.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `renting.change_buyer`.
    """
    scope = demand_payer(actor)
    renting.change_buyer(company_id=scope.id, buyer=buyer, by=name_of(actor), at=at)
    _note(scope, "billing.buyer_changed", actor=actor, at=at)


def cancel(*, reason: str, actor: User, at: dt.datetime) -> None:
    """Stop renting at the end of what is paid for.

    Raises:
        NotAllowed, NotFound, Conflict: as `demand_payer` and `renting.cancel`.
    """
    scope = demand_payer(actor)
    renting.cancel(company_id=scope.id, reason=reason, by=name_of(actor), at=at)
    _note(scope, "billing.cancelled", actor=actor, at=at)


def resume(*, actor: User, at: dt.datetime) -> None:
    """Go on renting after all.

    Raises:
        NotAllowed, NotFound, Conflict: as `demand_payer` and `renting.resume`.
    """
    scope = demand_payer(actor)
    renting.resume(company_id=scope.id, by=name_of(actor), at=at)
    _note(scope, "billing.resumed", actor=actor, at=at)


# -- pages of the payment service ----------------------------------------------------------------


def card_address(*, back: str, actor: User, at: dt.datetime) -> str:
    """Where the company's card is changed.

    Raises:
        NotAllowed, NotFound, Conflict: as `demand_payer` and `remote.card_address`.
    """
    scope = demand_payer(actor)
    found = remote.card_address(company_id=scope.id, back=back)
    _note(scope, "billing.card_asked", actor=actor, at=at)
    return found


def bill_address(*, invoice_id: int, is_pdf: bool, actor: User) -> str:
    """Where a bill of the payment service is paid, or had as PDF.

    Raises:
        NotAllowed, NotFound, Conflict: as `demand_payer` and `remote.bill_address`.
    """
    scope = demand_payer(actor)
    return remote.bill_address(company_id=scope.id, invoice_id=invoice_id, is_pdf=is_pdf)


def look_again(*, actor: User, at: dt.datetime) -> None:
    """Ask the payment service how the company stands.

    Raises:
        NotAllowed: as `demand_payer`.
    """
    remote.look_again(company_id=demand_payer(actor).id, at=at)
