"""What is rented at which price, by whom, and what was billed; in the platform's schema.

Amounts are whole numbers in the unit of `currencies`. Published versions, finalized invoices and
payments are never changed: a new version, a credit note or a counter-entry follows them.
"""

from billing.models.accounts import Account, BillingEntry, PendingChange, Subscription
from billing.models.books import CreditNote, Invoice, InvoiceLine, NumberSeries, Payment
from billing.models.catalogue import INTERVALS, Plan, PlanVersion, Price
from billing.models.figures import MetricDay, MetricSnapshot
from billing.models.letters import Letter
from billing.models.offers import Coupon, CouponRedemption, CreditGrant, PlanMove, PlanMoveItem
from billing.models.traffic import Command, Comparison, Difference, ProviderEvent

__all__ = [
    "INTERVALS",
    "Account",
    "BillingEntry",
    "Command",
    "Comparison",
    "Coupon",
    "CouponRedemption",
    "CreditGrant",
    "CreditNote",
    "Difference",
    "Invoice",
    "InvoiceLine",
    "Letter",
    "MetricDay",
    "MetricSnapshot",
    "NumberSeries",
    "Payment",
    "PendingChange",
    "Plan",
    "PlanMove",
    "PlanMoveItem",
    "PlanVersion",
    "Price",
    "ProviderEvent",
    "Subscription",
]
