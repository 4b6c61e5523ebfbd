"""What stands on an invoice: amounts in whole units, each line rounded once, half away from zero.

Source: Stripe, "Prorations" (by the second; a line for the unused, one for the remaining time).
"""

import datetime as dt
from fractions import Fraction

from tests.stripe_peer.world import World


def rounded(amount: Fraction) -> int:
    """To the nearest whole unit, half away from zero."""
    size = (2 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator)
    return size if amount >= 0 else -size


def day(at: int) -> str:
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    return f"{moment.day} {moment:%b %Y}"


def _line(world: World, subscription: dict, item: dict, amount: int, period, text: str, **facts):
    price = item["price"]
    details = world.part(
        "line_item", "Parent.SubscriptionItemDetails", subscription=subscription["id"],
        subscription_item=item["id"], proration=facts.pop("proration", False),
        proration_details=world.part(
            "line_item", "Parent.SubscriptionItemDetails.ProrationDetails"
        ),
    )  # fmt: skip
    return world.draft(
        "line_item", "il", amount=amount, subtotal=amount, currency=price["currency"],
        description=text, metadata=dict(subscription["metadata"]), quantity=item["quantity"],
        quantity_decimal=str(item["quantity"]), subscription=subscription["id"],
        period={"start": period[0], "end": period[1]}, discount_amounts=[], taxes=[],
        pretax_credit_amounts=[],
        parent=world.part("line_item", "Parent", type="subscription_item_details",
                          subscription_item_details=details),
        pricing=world.part(
            "line_item", "Pricing", type="price_details",
            unit_amount_decimal=price["unit_amount_decimal"],
            price_details={"price": price["id"], "product": price["product"]},
        ),
        **facts,
    )  # fmt: skip


def _name(world: World, item: dict) -> str:
    product = world.store.kinds["product"].get(item["price"]["product"])
    return f"{item['quantity']} × {product['name'] if product else item['price']['product']}"


def full(world: World, subscription: dict, item: dict, period: tuple[int, int], *,
         free: bool = False, share: Fraction = Fraction(1)) -> dict:  # fmt: skip
    """A whole period of an item, or the `share` of one; `free` while on trial."""
    amount = rounded(Fraction(item["price"]["unit_amount"] * item["quantity"]) * share)
    name = _name(world, item)
    every = (item["price"]["recurring"] or {}).get("interval")
    text = f"Trial period for {name}" if free else f"{name} (per {every})"
    return _line(world, subscription, item, 0 if free else amount, period, text, discountable=True)


def prorated(world: World, subscription: dict, item: dict, at: int, *, unused: bool) -> dict:
    """The time from `at` to the end of the item's period: given back if `unused`, else charged.

    A percentage taken off the subscription is taken off here too, so the line itself is not
    discounted again.
    """
    start, end = item["current_period_start"], item["current_period_end"]
    amount = Fraction(item["price"]["unit_amount"] * item["quantity"] * (end - at), end - start)
    amount *= percent_left(world, subscription["discounts"])
    said = "Unused" if unused else "Remaining"
    return _line(
        world, subscription, item, rounded(-amount if unused else amount), (at, end),
        f"{said} time on {_name(world, item)} after {day(at)}", proration=True,
        discountable=False,
    )  # fmt: skip


# -- discounts -----------------------------------------------------------------------------------


def coupons(world: World, discounts: list[str]) -> list[tuple[str, dict]]:
    """Each discount's id with its coupon."""
    return [(ident, world.store.hidden[ident]["coupon"]) for ident in discounts]


def percent_left(world: World, discounts: list[str]) -> Fraction:
    left = Fraction(1)
    for _, coupon in coupons(world, discounts):
        if coupon["percent_off"] is not None:
            left *= 1 - Fraction(str(coupon["percent_off"])) / 100
    return left


def percent_of(amount: int, coupon: dict) -> int:
    """What the coupon's percentage of an amount is."""
    return rounded(amount * Fraction(str(coupon["percent_off"])) / 100)


def discount(world: World, rows: list[dict], discounts: list[str]) -> list[dict]:
    """Write on each line what the discounts take off; returns the totals by discount."""
    totals = []
    for row in rows:
        row["discount_amounts"] = []
    for ident, coupon in coupons(world, discounts):
        whole = 0
        left = coupon["amount_off"] or 0
        for row in rows:
            if not row["discountable"] or row["amount"] <= 0:
                continue
            rest = row["amount"] - sum(each["amount"] for each in row["discount_amounts"])
            if coupon["percent_off"] is not None:
                off = percent_of(rest, coupon)
            else:
                off = min(left, rest)
                left -= off
            row["discount_amounts"].append({"amount": off, "discount": ident})
            whole += off
        totals.append({"amount": whole, "discount": ident})
    return totals


def total_up(world: World, invoice: dict, rows: list[dict], discounts: list[str]) -> None:
    """Write lines and sums on an invoice that is not final."""
    totals = discount(world, rows, discounts)
    subtotal = sum(each["amount"] for each in rows)
    total = subtotal - sum(each["amount"] for each in totals)
    balance = invoice["starting_balance"]
    due = max(total + balance, 0) if total > 0 else 0
    for each in rows:
        each["invoice"] = invoice["id"]
    world.store.hidden[invoice["id"]]["lines"] = rows
    invoice.update(
        subtotal=subtotal, total=total, subtotal_excluding_tax=subtotal,
        total_excluding_tax=total, total_discount_amounts=totals, total_taxes=[],
        total_pretax_credit_amounts=[], discounts=list(discounts), amount_due=due,
        amount_remaining=due,
        lines={"object": "list", "data": rows[:10], "has_more": len(rows) > 10,
               "url": f"/v1/invoices/{invoice['id']}/lines"},
    )  # fmt: skip
