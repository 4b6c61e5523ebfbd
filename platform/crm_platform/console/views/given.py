"""What an account was given, for its page: coupon and credit."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import Account, Coupon, CreditGrant
from crm_platform.console.amounts import said
from crm_platform.console.queries import offers as queries


def off_word(coupon: Coupon) -> str:
    """How much comes off, of which bills, how often."""
    off = f"{coupon.percent} %" if coupon.percent else said(coupon.amount or 0, coupon.currency)
    if coupon.periods is None:
        return _("%(off)s off every bill") % {"off": off}
    return ngettext(
        "%(off)s off one bill", "%(off)s off %(count)d bills", coupon.periods
    ) % {"off": off, "count": coupon.periods}  # fmt: skip


def given(account: Account) -> dict[str, Any]:
    """What the page of an account says of coupon and credit."""
    at = timezone.now()
    redemption = queries.redemption_of(account)
    return {
        "coupon": redemption,
        "coupon_off": off_word(redemption.coupon) if redemption else "",
        "grants": [_grant(each, at) for each in queries.grants_of(account)],
    }


def _grant(each: CreditGrant, at: dt.datetime) -> dict[str, Any]:
    over = each.expires_at is not None and each.expires_at <= at
    if each.agreed_at is None and each.ended_at is not None:
        word, kind = _("Refused"), ""
    elif each.agreed_at is None:
        word, kind = _("Waits for a second person"), "warn"
    elif each.left == 0:
        word, kind = _("Used up"), ""
    elif each.ended_at is not None:
        word, kind = _("Withdrawn"), ""
    else:
        word, kind = (_("Ended"), "") if over else (_("At hand"), "ok")
    return {
        "row": each, "amount": said(each.amount, each.currency), "word": word, "kind": kind,
        "left": said(each.left, each.currency), "may_withdraw": each.ended_at is None,
    }  # fmt: skip
