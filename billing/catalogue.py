"""Plans and prices. A published version never changes: its next edition is drafted beside it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.currencies import currency as known_currency
from billing.models import Plan, PlanVersion, Price, Subscription
from billing.proration import MONTHS
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from crm_platform.kernel.limits import Limit

State = PlanVersion.State
STANDARD = "standard"
LANGUAGES = ("en", "zh-hant", "zh-hans")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFacts:
    """A price as it is drafted."""

    currency: str
    interval: str
    unit_amount: int
    least_seats: int = 1
    most_seats: int | None = None


def name_of(names: Mapping[str, str], language: str | None = None) -> str:
    """A plan's name in the reader's language, else in English."""
    return names.get(language or get_language() or "en") or names.get("en", "")


# -- reading; in the platform's open unit of work ------------------------------------------------


def prices_to_be_had(plan_key: str = "") -> list[Price]:
    """Prices of published public plans, or of the default plan when `plan_key` is "default"."""
    rows = Price.objects.select_related("version__plan").filter(version__state=State.PUBLISHED)
    rows = rows.filter(
        version__plan__is_default=True) if plan_key == "default" else rows.filter(
        version__plan__is_public=True)  # fmt: skip
    return list(rows.order_by("version__plan__position", "currency", "interval"))


def price_to_be_had(price_id: int) -> Price:
    """A price that somebody may choose now.

    Raises:
        NotFound: there is none such, or its version is not published.
    """
    found = (
        Price.objects.select_related("version__plan")
        .filter(pk=price_id, version__state=State.PUBLISHED).first()
    )  # fmt: skip
    if found is None:
        raise NotFound(_("This price is not offered any more. Choose another one."))
    return found


def plans() -> list[Plan]:
    """Every plan with `rented`, how many companies rent it now."""
    live = Count("versions__prices__subscriptions",
                 filter=Q(versions__prices__subscriptions__ended_at=None))  # fmt: skip
    return list(Plan.objects.annotate(rented=live).prefetch_related("versions__prices"))


def difference(old: PlanVersion | None, new: PlanVersion) -> list[tuple[str, Any, Any]]:
    """What a version changes: what, the old value, the new one."""
    before, after = _flat(old), _flat(new)
    keys = sorted({*before, *after})
    return [(k, before.get(k), after.get(k)) for k in keys if before.get(k) != after.get(k)]


def _flat(version: PlanVersion | None) -> dict[str, Any]:
    if version is None:
        return {}
    found: dict[str, Any] = {f"limit:{k}": v for k, v in version.entitlements.items()}
    for price in version.prices.all():
        found[f"price:{price.currency}:{price.interval}"] = price.unit_amount
        if price.least_seats > 1:
            found[f"least:{price.currency}:{price.interval}"] = price.least_seats
        if price.most_seats is not None:
            found[f"most:{price.currency}:{price.interval}"] = price.most_seats
    return found


# -- changing; each opens its own unit of work ---------------------------------------------------


def add_plan(*, key: str, names: Mapping[str, str], is_public: bool) -> Plan:
    """A plan with an empty draft.

    Raises:
        Invalid: no name in English, or the key is taken.
    """
    if not names.get("en", "").strip():
        raise Invalid(_("Give the plan a name in English."), field="name_en")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        if Plan.objects.filter(key=key).exists():
            raise Invalid(_("Another plan has this key."), field="key")
        plan = Plan.objects.create(
            key=key, names={lang: names[lang].strip() for lang in LANGUAGES if names.get(lang)},
            is_public=is_public, position=Plan.objects.count(),
        )  # fmt: skip
        PlanVersion.objects.create(plan=plan, number=1)
        return plan


def draft(*, plan_id: int) -> PlanVersion:
    """The plan's draft; a new one begins as a copy of what is published.

    Raises:
        NotFound: there is no such plan.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        plan = Plan.objects.select_for_update().filter(pk=plan_id).first()
        if plan is None:
            raise NotFound(_("There is no such plan."))
        found = plan.versions.filter(state=State.DRAFT).first()
        if found is not None:
            return found
        newest = plan.versions.order_by("-number").first()
        made = PlanVersion.objects.create(
            plan=plan, number=(newest.number if newest else 0) + 1,
            entitlements=newest.entitlements if newest else {},
        )  # fmt: skip
        for price in newest.prices.all() if newest else ():
            Price.objects.create(
                version=made, currency=price.currency, interval=price.interval,
                unit_amount=price.unit_amount, least_seats=price.least_seats,
                most_seats=price.most_seats,
            )  # fmt: skip
        return made


def change_draft(
    *, version_id: int, prices: Sequence[PriceFacts], limits: Mapping[str, int]
) -> PlanVersion:
    """Write a draft's prices and limits anew.

    Raises:
        NotFound: there is no such version.
        Conflict: it is published: a published version never changes.
        Invalid: a price or a limit cannot be.
    """
    _demand_sound(prices, limits)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        version = _locked_draft(version_id)
        version.prices.all().delete()
        for each in prices:
            Price.objects.create(
                version=version, currency=each.currency, interval=each.interval,
                unit_amount=each.unit_amount, least_seats=each.least_seats,
                most_seats=each.most_seats,
            )  # fmt: skip
        version.entitlements = dict(limits)
        version.save(update_fields=["entitlements"])
        return version


def _demand_sound(prices: Sequence[PriceFacts], limits: Mapping[str, int]) -> None:
    seen = set()
    for each in prices:
        code = known_currency(each.currency)
        place = (each.currency, each.interval)
        if each.interval not in MONTHS or place in seen:
            raise Invalid(
                _("Give one price for each currency, by the month and by the year."),
                field="prices",
            )
        if each.unit_amount < 0 or each.unit_amount % code.step:
            raise Invalid(
                _("%(code)s is charged in whole units of its smallest coin in use.")
                % {"code": code.code},
                field="prices",
            )
        if each.least_seats < 1 or (each.most_seats or each.least_seats) < each.least_seats:
            raise Invalid(_("The fewest seats are more than the most."), field="prices")
        seen.add(place)
    if set(limits) - {limit.value for limit in Limit} or any(v < 0 for v in limits.values()):
        raise Invalid(_("Choose limits from the list, with numbers from 0."), field="limits")


def _locked_draft(version_id: int) -> PlanVersion:
    version = (
        PlanVersion.objects.select_for_update(of=("self",)).select_related("plan")
        .filter(pk=version_id).first()
    )  # fmt: skip
    if version is None:
        raise NotFound(_("There is no such version of a plan."))
    if version.state != State.DRAFT:
        raise Conflict(_("This version is published and never changes. Draft the next one."))
    return version


def publish(*, version_id: int, at: dt.datetime) -> PlanVersion:
    """Offer a draft from now on; who rents keeps the version they have.

    Raises:
        NotFound, Conflict: as `change_draft`.
        Invalid: it has no price.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        version = _locked_draft(version_id)
        if not version.prices.exists():
            raise Invalid(_("Give the plan a price before you publish it."), field="prices")
        version.plan.versions.filter(state=State.PUBLISHED).update(state=State.RETIRED)
        version.state, version.published_at = State.PUBLISHED, at
        version.save(update_fields=["state", "published_at"])
        return version


def rented_on(version: PlanVersion) -> int:
    """How many companies rent this version now. One query; the platform's unit of work."""
    return Subscription.objects.filter(price__version=version, ended_at=None).count()
