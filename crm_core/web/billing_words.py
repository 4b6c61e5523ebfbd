"""The words of what a company rents: planned changes, coupons, bills and their lines."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.announcing import price_words
from billing.currencies import shown
from billing.invoicing import Line
from billing.models import CouponRedemption, PendingChange, Price


def change_words(change: PendingChange, planned: Price | None) -> str:
    """What comes with the next period."""
    if change.kind == PendingChange.Kind.SEATS:
        return ngettext("%(count)d seat", "%(count)d seats", change.target) % {
            "count": change.target
        }
    return price_words(planned) if planned else ""


def coupon_words(redemption: CouponRedemption, language: str) -> str:
    """What a coupon at work takes off, and how long yet."""
    coupon = redemption.coupon
    off = (
        f"{coupon.percent} %" if coupon.percent
        else shown(coupon.amount or 0, coupon.currency, language)
    )  # fmt: skip
    facts = {"code": coupon.code, "off": off}
    if coupon.periods is None:
        return _("%(code)s: %(off)s off every bill") % facts
    left = coupon.periods - redemption.used
    return ngettext(
        "%(code)s: %(off)s off the next bill", "%(code)s: %(off)s off the next %(left)d bills", left
    ) % {**facts, "left": left}  # fmt: skip


def bill_words(state: str) -> str:
    """How an invoice stands."""
    return {"open": _("To be paid"), "paid": _("Paid"), "void": _("Void")}[state]


def line_words(lines: Sequence[Line]) -> list[tuple[str, int]]:
    """What is billed, line by line, and how much of it."""
    is_exchange = any(line.kind == "credit" for line in lines)  # all seats anew, the old given back
    words = {
        "added": lambda line: _rest_words(line.quantity, is_exchange=is_exchange),
        "seats": lambda line: seats_words(line.quantity),
        "credit": lambda line: _("Time not used, given back"),
        "coupon": lambda line: _("Coupon %(label)s") % {"label": line.label},
        "grant": lambda line: _("Credit used"),
    }  # fmt: skip
    return [(words[line.kind](line), line.amount) for line in lines]


def _rest_words(count: int, *, is_exchange: bool) -> str:
    text = (
        ngettext("%(count)d seat until the period ends", "%(count)d seats until the period ends",
                 count)
        if is_exchange else
        ngettext("%(count)d more seat until the period ends",
                 "%(count)d more seats until the period ends", count)
    )  # fmt: skip
    return text % {"count": count}


def seats_words(count: int) -> str:
    return ngettext(
        "%(count)d seat for the whole period", "%(count)d seats for the whole period", count
    ) % {"count": count}
