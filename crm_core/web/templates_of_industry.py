"""What a company starts with, by its trade: pipelines, stages, lost reasons, fields, tags.

Data only; `services.apply_template` writes it. Names are English here and translated into the
company's language when they are written: from then on they are the company's own words.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A stage: name, probability in percent, colour."""

    name: str | Promise
    probability: int
    hue: int
    kind: str = "open"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A custom field."""

    record_type: str
    key: str
    label: str | Promise
    kind: str
    options: tuple[str | Promise, ...] = ()


@dataclass(frozen=True, slots=True)
class Industry:
    """One starting point."""

    key: str
    name: str | Promise
    text: str | Promise
    icon: str
    pipeline: str | Promise
    stages: tuple[StageSpec, ...]
    lost_reasons: tuple[str | Promise, ...]
    fields: tuple[FieldSpec, ...] = ()
    tags: tuple[tuple[str | Promise, int], ...] = ()
    stale_days: int = 14


WON, LOST = StageSpec(_("Won"), 100, 5, "won"), StageSpec(_("Lost"), 0, 8, "lost")
_REASONS = (_("Price"), _("Competitor"), _("No budget"), _("No decision"), _("No answer"))

INDUSTRIES = (
    Industry(
        key="b2b",
        name=_("B2B sales"),
        icon="handshake",
        text=_("Few, larger deals with several people to convince: software, equipment, services."),
        pipeline=_("Sales"),
        stages=(
            StageSpec(_("Qualify"), 10, 1),
            StageSpec(_("Discovery"), 25, 2),
            StageSpec(_("Proposal"), 50, 6),
            StageSpec(_("Negotiation"), 70, 3),
            StageSpec(_("Verbal commit"), 90, 7),
            WON,
            LOST,
        ),
        lost_reasons=_REASONS,
        fields=(
            FieldSpec("deal", "competitor", _("Competitor"), "text"),
            FieldSpec(
                "contact",
                "role_in_deal",
                _("Role in buying"),
                "choice",
                (_("Decides"), _("Advises"), _("Uses"), _("Buys")),
            ),
        ),
        tags=((_("Key account"), 6), (_("At risk"), 8), (_("Reference"), 5)),
    ),
    Industry(
        key="manufacturing",
        name=_("Manufacturing"),
        icon="factory",
        text=_("Enquiries, samples, quotes and repeat orders for what you make."),
        pipeline=_("Enquiry to order"),
        stages=(
            StageSpec(_("Enquiry"), 10, 1),
            StageSpec(_("Drawing review"), 20, 2),
            StageSpec(_("Sample"), 40, 6),
            StageSpec(_("Quoted"), 60, 3),
            StageSpec(_("Trial order"), 85, 7),
            WON,
            LOST,
        ),
        lost_reasons=(
            _("Price"),
            _("Delivery time"),
            _("Quality of sample"),
            _("Competitor"),
            _("Project stopped"),
        ),
        fields=(
            FieldSpec("deal", "drawing_number", _("Drawing number"), "text"),
            FieldSpec("deal", "annual_quantity", _("Quantity a year"), "integer"),
            FieldSpec(
                "account",
                "payment_terms",
                _("Payment terms"),
                "choice",
                (_("Prepaid"), _("30 days"), _("60 days"), _("90 days")),
            ),
        ),
        tags=((_("OEM"), 2), (_("Repeat buyer"), 5), (_("Quality issue"), 8)),
        stale_days=21,
    ),
    Industry(
        key="agency",
        name=_("Agency and services"),
        icon="palette",
        text=_("Briefs, pitches and projects for clients who come back."),
        pipeline=_("New business"),
        stages=(
            StageSpec(_("Brief"), 15, 1),
            StageSpec(_("Pitch"), 35, 6),
            StageSpec(_("Estimate"), 60, 3),
            StageSpec(_("Contract"), 85, 7),
            WON,
            LOST,
        ),
        lost_reasons=(
            _("Price"),
            _("Went in-house"),
            _("Another agency"),
            _("Project stopped"),
            _("No answer"),
        ),
        fields=(
            FieldSpec(
                "deal",
                "service_line",
                _("Service"),
                "choice",
                (_("Strategy"), _("Design"), _("Campaign"), _("Development")),
            ),
            FieldSpec("deal", "start_date", _("Project start"), "date"),
        ),
        tags=((_("Retainer"), 5), (_("Pitch"), 6), (_("Referral"), 3)),
    ),
    Industry(
        key="trade",
        name=_("Trade and distribution"),
        icon="truck",
        text=_("Many customers, many orders, prices that change: wholesale, import and export."),
        pipeline=_("Orders"),
        stages=(
            StageSpec(_("Request"), 20, 1),
            StageSpec(_("Quoted"), 45, 3),
            StageSpec(_("Price agreed"), 75, 6),
            StageSpec(_("Order expected"), 90, 7),
            WON,
            LOST,
        ),
        lost_reasons=(
            _("Price"),
            _("Not in stock"),
            _("Delivery time"),
            _("Competitor"),
            _("No answer"),
        ),
        fields=(
            FieldSpec(
                "account",
                "channel",
                _("Channel"),
                "choice",
                (_("Distributor"), _("Retailer"), _("Online shop"), _("End user")),
            ),
            FieldSpec("account", "credit_limit", _("Credit limit"), "decimal"),
            FieldSpec("deal", "incoterm", _("Delivery terms"), "text"),
        ),
        tags=((_("Wholesale"), 2), (_("Slow payer"), 8), (pgettext_lazy("tag", "Export"), 7)),
        stale_days=7,
    ),
)


def get_industry(key: str) -> Industry | None:
    return next((industry for industry in INDUSTRIES if industry.key == key), None)
