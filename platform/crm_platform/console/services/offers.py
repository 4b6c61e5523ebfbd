"""What operators give: coupons and credit; each act is billing's own service and one entry."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import coupons, grants, operating
from billing.models import Coupon, CouponRedemption, CreditGrant
from crm_platform.console import acts, rules
from crm_platform.console.amounts import said
from crm_platform.console.services import approvals, audit
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotFound

ACT = "give_credit"


def offer_act() -> None:
    """Called once, when the apps are loaded."""
    acts.offer(
        acts.Act(
            ACT, gettext_lazy("Give credit"),
            gettext_lazy("The next invoices of the company use it up."), _agree, is_whole=True,
            drop=_drop,
        )
    )  # fmt: skip


def _end_of(day: dt.date | None) -> dt.datetime | None:
    return dt.datetime.combine(day, dt.time.max, dt.UTC) if day else None


# -- coupons -------------------------------------------------------------------------------------


@transaction.atomic
def add_coupon(
    *, code: str, percent: int | None, amount: int | None, currency: str, interval: str,
    plans: Sequence[int], periods: int | None, most: int | None, valid_until: dt.date | None,
    partner: str, actor: User, at: dt.datetime,
) -> Coupon:  # fmt: skip
    """Make a coupon that can be redeemed to the end of the day `valid_until` (UTC).

    Raises:
        NotAllowed: the actor's role does not allow it.
        Invalid: as `billing.coupons.add`.
    """
    rules.demand(actor, "billing.act")
    coupon = coupons.add(
        code=code, percent=percent, amount=amount, currency=currency, interval=interval,
        plans=plans, periods=periods, most=most, valid_until=_end_of(valid_until), partner=partner,
        by=actor.name, at=at,
    )  # fmt: skip
    off = f"{percent} %" if percent else said(amount or 0, currency)
    _note_coupon("coupon.added", coupon, actor=actor, at=at, off=off)
    return coupon


@transaction.atomic
def end_coupon(*, coupon_id: int, actor: User, at: dt.datetime) -> Coupon:
    """Let nobody redeem a coupon any more.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound, Conflict: as `billing.coupons.end`.
    """
    rules.demand(actor, "billing.act")
    coupon = coupons.end(coupon_id=coupon_id, at=at)
    _note_coupon("coupon.ended", coupon, actor=actor, at=at)
    return coupon


def _note_coupon(
    verb: str, coupon: Coupon, *, actor: User, at: dt.datetime, **facts: object
) -> None:
    audit.record(
        actor=actor, verb=verb, at=at, object_type="coupon", object_id=coupon.pk,
        title=coupon.code, facts=facts,
    )  # fmt: skip


@transaction.atomic
def give_coupon(*, company_id: UUID, code: str, actor: User, at: dt.datetime) -> CouponRedemption:
    """Redeem a coupon for a company.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound, Invalid, Conflict: as `billing.coupons.redeem`.
    """
    rules.demand(actor, "billing.act")
    made = coupons.redeem(company_id=company_id, code=code, by=actor.name, at=at)
    company = made.account.company
    audit.record(
        actor=actor, verb="billing.coupon_given", at=at, object_type="account",
        object_id=made.account_id, title=company.name, company_id=company_id,
        facts={"coupon": made.coupon.code},
    )  # fmt: skip
    return made


# -- credit --------------------------------------------------------------------------------------


@transaction.atomic
def give_credit(
    *, company_id: UUID, amount: int, reason: str, expires_on: dt.date | None, partner: str,
    actor: User, at: dt.datetime,
) -> CreditGrant:  # fmt: skip
    """Give credit, in counted units; above the set amount it waits for a second operator.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound: the company has no account.
        Invalid: as `billing.grants.grant`.
    """
    rules.demand(actor, "billing.act")
    account = operating.get_account(company_id)
    if account is None:
        raise NotFound(_("This company has no account: it never rented anything."))
    made = grants.grant(
        account_id=account.pk, amount=amount, reason=reason, expires_at=_end_of(expires_on),
        partner=partner, by=actor.name, at=at,
    )  # fmt: skip
    if made.agreed_at is None:
        approvals.ask_whole(
            act_key=ACT, subject=made.pk, title=said(amount, account.currency),
            company_ids=[company_id], reason=reason, actor=actor, at=at,
        )  # fmt: skip
    else:
        _note_credit("billing.credit_given", made, actor=actor, at=at, reason=reason)
    return made


def _agree(*, subject: int, actor: User, at: dt.datetime) -> None:
    made = grants.agree(grant_id=subject, by=actor.name, at=at)
    _note_credit("billing.credit_given", made, actor=actor, at=at, reason=made.reason)


def _drop(*, subject: int, at: dt.datetime) -> None:
    grants.drop(grant_id=subject, at=at)


@transaction.atomic
def withdraw_credit(*, grant_id: int, reason: str, actor: User, at: dt.datetime) -> CreditGrant:
    """Take back what is left of a grant.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound, Conflict, Invalid: as `billing.grants.withdraw`.
    """
    rules.demand(actor, "billing.act")
    found = grants.withdraw(grant_id=grant_id, reason=reason, by=actor.name, at=at)
    _note_credit("billing.credit_withdrawn", found, actor=actor, at=at, reason=reason)
    return found


def _note_credit(
    verb: str, found: CreditGrant, *, actor: User, at: dt.datetime, reason: str
) -> None:
    account = found.account
    audit.record(
        actor=actor, verb=verb, at=at, object_type="account", object_id=account.pk,
        title=account.company.name, company_id=account.company_id, reason=reason.strip(),
        facts={"amount": said(found.left, found.currency)},
    )  # fmt: skip
