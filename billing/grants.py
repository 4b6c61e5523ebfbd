"""Credit that operators give: who, why, until when; above a set amount two of them must agree."""

import datetime as dt

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from billing import commands
from billing.currencies import currency as known_currency
from billing.models import Account, BillingEntry, CreditGrant
from billing.providers import MANUAL
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound

WINDOW = dt.timedelta(days=30)
"""What one account was given alone within this time counts together: parts make no whole small."""
MOST = 10**13


def alone_up_to(code: str) -> int:
    """What one operator may give by themselves, in counted units; 0: nothing."""
    return int(settings.BILLING["credit_alone"].get(code, 0))


def needs_two(account: Account, amount: int, *, at: dt.datetime) -> bool:
    """Whether this much, with what was given lately, needs a second operator. One query."""
    lately = account.grants.filter(agreed_by="", agreed_at__gt=at - WINDOW)
    given = lately.aggregate(sum=Sum("amount"))["sum"] or 0
    return bool(given + amount > alone_up_to(account.currency))


def grant(
    *, account_id: int, amount: int, reason: str, by: str, at: dt.datetime,
    expires_at: dt.datetime | None = None, partner: str = "",
) -> CreditGrant:  # fmt: skip
    """Give an account credit, in counted units of its currency; the next bills use it up.

    Too much for one holds only once a second operator agreed (`agreed_at` is None until then).

    Raises:
        NotFound: there is no such account.
        Invalid: no amount, no reason, or an end that is past.
    """
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept."), field="reason")
    if expires_at is not None and expires_at <= at:
        raise Invalid(_("Choose a day in the future."), field="expires_on")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account = Account.objects.select_for_update().filter(pk=account_id).first()
        if account is None:
            raise NotFound(_("There is no such account."))
        if expires_at is not None and account.provider != MANUAL:
            raise Invalid(
                _("The payment service keeps credit without an end. Leave the day empty."),
                field="expires_on",
            )
        if not 0 < amount <= MOST or amount % known_currency(account.currency).step:
            raise Invalid(_("Give an amount above 0 in whole coins."), field="amount")
        waits = needs_two(account, amount, at=at)
        made = CreditGrant.objects.create(
            account=account, amount=amount, left=amount, currency=account.currency, by=by[:250],
            at=at, reason=reason.strip()[:300], partner=partner.strip()[:120],
            expires_at=expires_at, agreed_at=None if waits else at,
        )  # fmt: skip
        if not waits:
            _note(made, "credit_given", by=by, at=at)
            _hand_over(made, by=by, at=at)
        return made


def agree(*, grant_id: int, by: str, at: dt.datetime) -> CreditGrant:
    """Let a grant hold, as the second operator.

    Raises:
        NotFound, Conflict: there is none that waits.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = _locked(grant_id)
        if found.agreed_at is not None or found.ended_at is not None:
            raise Conflict(_("This credit does not wait for anybody any more."))
        if found.expires_at is not None and found.expires_at <= at:
            raise Conflict(_("This credit would have ended by now."))
        found.agreed_by, found.agreed_at = by[:250], at
        found.save(update_fields=["agreed_by", "agreed_at"])
        _note(found, "credit_given", by=by, at=at)
        _hand_over(found, by=by, at=at)
        return found


def _hand_over(found: CreditGrant, *, by: str, at: dt.datetime) -> None:
    """Where a provider makes the bills it is told, and uses the credit up."""
    account = found.account
    facts = {"amount": found.left, "currency": account.currency, "reason": found.reason}
    if commands.put(account, commands.Kind.GRANT, facts, by=by, at=at) is not None:
        found.left, found.ended_at = 0, at
        found.save(update_fields=["left", "ended_at"])


def drop(*, grant_id: int, at: dt.datetime) -> None:
    """End a grant that was refused, or that nobody agreed to. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        CreditGrant.objects.filter(pk=grant_id, agreed_at=None, ended_at=None).update(ended_at=at)


def withdraw(*, grant_id: int, reason: str, by: str, at: dt.datetime) -> CreditGrant:
    """Take back what is left of a grant; bills that used some stay as they are.

    Raises:
        NotFound: there is no such grant.
        Conflict: nothing is left of it.
        Invalid: no reason.
    """
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept."), field="reason")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = _locked(grant_id)
        if found.ended_at is not None:
            raise Conflict(_("Nothing is left of this credit."))
        found.ended_at = at
        found.save(update_fields=["ended_at"])
        _note(found, "credit_withdrawn", by=by, at=at, reason=reason.strip())
        return found


def _locked(grant_id: int) -> CreditGrant:
    rows = CreditGrant.objects.select_for_update(of=("self", "account"))
    found = rows.select_related("account__company").filter(pk=grant_id).first()
    if found is None:
        raise NotFound(_("There is no such credit."))
    return found


def _note(found: CreditGrant, verb: str, *, by: str, at: dt.datetime, reason: str = "") -> None:
    BillingEntry.objects.create(
        account=found.account, verb=verb, by=by[:250], at=at, reason=(reason or found.reason)[:300],
        facts={"amount": found.left},
    )  # fmt: skip
