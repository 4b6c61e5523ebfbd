"""The company's own word about what it rents: the platform's rows first, then its history.

Every function opens units of work of its own, one after the other: call it from `afterwards`.
"""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from billing import subscribing
from billing.models import Invoice
from billing.quotes import Quote
from billing.seats import services as seats
from billing.subscribing import Buyer
from crm_core.audit import services as audit
from crm_core.leaving.rules import is_owner
from crm_core.web.acting import name_of
from crm_platform.identity.models import User
from crm_platform.identity.rules import has_ability
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NotAllowed

ABILITY = "billing.manage"
IDLE = dt.timedelta(days=30)


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


def check(*, count: int, buyer: Buyer, actor: User, at: dt.datetime) -> None:
    """Refuse now what `start` would refuse of what somebody wrote.

    Raises:
        NotAllowed, Invalid: as `start`.
    """
    with tenancy.unit_of_work(demand_payer(actor)):
        seats.demand_enough(count=count, at=at)
    subscribing.demand_sound(buyer)


def start(*, price_id: int, count: int, buyer: Buyer, actor: User, at: dt.datetime) -> None:
    """Begin to rent.

    Raises:
        NotAllowed: the actor does not decide this.
        Conflict, Invalid, NotFound: as `subscribing.start`; Invalid also for too few seats.
    """
    scope = demand_payer(actor)
    with tenancy.unit_of_work(scope):
        seats.demand_enough(count=count, at=at)
    subscribing.start(
        company_id=scope.id, price_id=price_id, seats=count, buyer=buyer, by=name_of(actor), at=at
    )
    _note(scope, "billing.started", actor=actor, at=at, seats=[None, count])


def quote_seats(*, count: int, actor: User, at: dt.datetime) -> tuple[Quote, str]:
    """What more seats cost from now on.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `subscribing.quote_seats`.
    """
    return subscribing.quote_seats(company_id=demand_payer(actor).id, seats=count, at=at)


def quote_price(*, price_id: int, actor: User, at: dt.datetime) -> tuple[Quote, str]:
    """What another price costs from now on.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `subscribing.quote_price`.
    """
    return subscribing.quote_price(company_id=demand_payer(actor).id, price_id=price_id, at=at)


def accept(*, quote: str, actor: User, at: dt.datetime, channel: str = "") -> Invoice:
    """Make the change that was quoted; `channel` is by what it came, where not by a page.

    Raises:
        NotAllowed, NotFound, Invalid, Conflict: as `demand_payer` and `subscribing.accept`.
    """
    scope = demand_payer(actor)
    invoice = subscribing.accept(company_id=scope.id, quote=quote, by=name_of(actor), at=at)
    _note(
        scope, "billing.changed", actor=actor, at=at, channel=channel,
        invoice=[None, invoice.number],
    )  # fmt: skip
    return invoice


def reduce_seats(*, count: int, actor: User, at: dt.datetime) -> None:
    """Have fewer seats from the next period on.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `subscribing.reduce_seats`.
    """
    scope = demand_payer(actor)
    with tenancy.unit_of_work(scope):
        used = seats.standing(at=at).used
    subscribing.reduce_seats(company_id=scope.id, seats=count, used=used, by=name_of(actor), at=at)
    _note(scope, "billing.seats_planned", actor=actor, at=at, seats=[None, count])


def plan_price(*, price_id: int, actor: User, at: dt.datetime) -> None:
    """Have another price from the next period on.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `subscribing.plan_price`.
    """
    scope = demand_payer(actor)
    subscribing.plan_price(company_id=scope.id, price_id=price_id, by=name_of(actor), at=at)
    _note(scope, "billing.price_planned", actor=actor, at=at)


def take_back(*, change_id: int, actor: User, at: dt.datetime) -> None:
    """Leave things as they are.

    Raises:
        NotAllowed, NotFound: as `demand_payer` and `subscribing.take_back`.
    """
    scope = demand_payer(actor)
    subscribing.take_back(company_id=scope.id, change_id=change_id, by=name_of(actor), at=at)
    _note(scope, "billing.taken_back", actor=actor, at=at)


def change_buyer(*, buyer: Buyer, actor: User, at: dt.datetime) -> None:
    """Change what stands on the next invoices.

    Raises:
        NotAllowed, NotFound, Invalid: as `demand_payer` and `subscribing.change_buyer`.
    """
    scope = demand_payer(actor)
    subscribing.change_buyer(company_id=scope.id, buyer=buyer, by=name_of(actor), at=at)
    _note(scope, "billing.buyer_changed", actor=actor, at=at)


def cancel(*, reason: str, actor: User, at: dt.datetime) -> None:
    """Stop renting at the end of what is paid for.

    Raises:
        NotAllowed, NotFound, Conflict: as `demand_payer` and `subscribing.cancel`.
    """
    scope = demand_payer(actor)
    subscribing.cancel(company_id=scope.id, reason=reason, by=name_of(actor), at=at)
    _note(scope, "billing.cancelled", actor=actor, at=at)


def resume(*, actor: User, at: dt.datetime) -> None:
    """Go on renting after all.

    Raises:
        NotAllowed, NotFound, Conflict: as `demand_payer` and `subscribing.resume`.
    """
    scope = demand_payer(actor)
    subscribing.resume(company_id=scope.id, by=name_of(actor), at=at)
    _note(scope, "billing.resumed", actor=actor, at=at)
