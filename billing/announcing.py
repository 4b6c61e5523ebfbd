"""Writing to owners that their company goes to another version of its plan, once each.

The letters are the platform's own mail, in each owner's language.
"""

import dataclasses
import datetime as dt
import logging
import zoneinfo

from django.conf import settings
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from billing.catalogue import name_of
from billing.currencies import shown
from billing.models import PlanMoveItem, Price
from billing.moving import BATCH, a_month
from billing.proration import YEAR
from crm_platform.identity.services import letters, people
from crm_platform.identity.services.people import Owner
from crm_platform.kernel import tenancy
from tenants import queries
from tenants.lifecycle import states, words
from tenants.models import Company

logger = logging.getLogger("rapport.billing")
State = PlanMoveItem.State
TOLD = (State.PLANNED, State.UNDONE, State.RETURNING)
PATH = "/settings/billing/"


def tell_waiting(*, at: dt.datetime) -> int:
    """Write about every change that was not told yet; how many companies. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = PlanMoveItem.objects.filter(state__in=TOLD, told_at=None)
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    told = 0
    for key in keys:
        try:
            told += tell(key, at=at)
        except DatabaseError:
            logger.exception("The owners could not be told of move %s", key)
    return told


def tell(item_id: int, *, at: dt.datetime) -> bool:
    """Write the letters about one company's change, unless another worker was faster."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.get(account__subscriptions__moves=item_id)
        host = queries.primary_host_of(company.pk)
    owners: list[Owner] = []
    if company.state in states.STANDING:
        scope = queries.scope_of(company, host)
        with tenancy.unit_of_work(dataclasses.replace(scope, writable=False)):
            owners = people.owners()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = PlanMoveItem.objects.select_for_update(of=("self",)).filter(
            pk=item_id, told_at=None, state__in=TOLD
        )
        item = rows.select_related(
            "subscription", "old_price__version__plan", "new_price__version__plan", "change"
        ).first()
        if item is None:
            return False
        for owner in owners:
            _write(item, company, owner, host, at=at)
        item.told_at = at
        item.save(update_fields=["told_at"])
    return True


def _write(
    item: PlanMoveItem, company: Company, owner: Owner, host: str, *, at: dt.datetime
) -> None:
    with translation.override(owner.language):
        subject, said = _said(item, company)
        letters.post(
            to=owner.email, subject=subject, at=at,
            paragraphs=[
                _("Hello %(name)s,") % {"name": owner.name}, *said,
                _("Everything about it stands here:"),
                f"{settings.ENVIRONMENT.address_of(host)}{PATH}",
            ],
        )  # fmt: skip


def _said(item: PlanMoveItem, company: Company) -> tuple[str, list[str]]:
    """Subject and paragraphs, in the active language."""
    assert item.new_price is not None  # only what can be moved is told
    house, zone = company.name, zoneinfo.ZoneInfo(company.time_zone)
    day = words.day(item.change.effective_at, zone) if item.change else ""
    if item.state == State.UNDONE:
        return (
            _("The price of %(house)s stays as it is") % {"house": house},
            [_("We wrote to you about another version of your plan. It does not come: plan and"
               " price stay as they are.")],
        )  # fmt: skip
    goes_back = item.state == State.RETURNING
    old, new = item.old_price, item.new_price
    if goes_back:
        old, new = new, old
    code, seats = new.currency, item.subscription.seats
    language = translation.get_language() or "en"
    facts = {
        "house": house, "day": day, "old": price_words(old), "new": price_words(new),
        "plan": name_of(new.version.plan.names), "number": new.version.number,
        "before": shown(a_month(old, seats), code, language),
        "after": shown(a_month(new, seats), code, language),
    }  # fmt: skip
    return (
        _("The plan of %(house)s changes on %(day)s") % facts,
        [
            _("From %(day)s on, %(house)s has version %(number)d of the plan “%(plan)s”: %(new)s"
              " instead of %(old)s.") % facts,
            _("With the seats you have now that is %(after)s a month, without tax; until then it"
              " is %(before)s.") % facts,
        ],
    )  # fmt: skip


def price_words(price: Price) -> str:
    """A price as people say it: NT$1,600 per user and month."""
    amount = shown(price.unit_amount, price.currency, translation.get_language() or "en")
    if price.interval == YEAR:
        return _("%(amount)s per user and year") % {"amount": amount}
    return _("%(amount)s per user and month") % {"amount": amount}
