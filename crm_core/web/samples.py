"""Sample data for a first look: labelled, about nobody real, removed in one act."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm_core.activities.models import Activity
from crm_core.activities.services import create_activity
from crm_core.audit import services as audit
from crm_core.fields.models import Tag
from crm_core.records.models import Account, Contact
from crm_core.records.services import create_account, create_contact
from crm_core.registry import record_type
from crm_core.registry.events import RecordsSaved
from crm_core.sales import queries as sales
from crm_core.sales.models import Deal, StageStay
from crm_core.sales.services import create_deal
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import snapshot
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.events import publish

SOURCE = "sample"
_ACCOUNTS = (
    ("Harbour Freight Lines", "Logistics", "Hong Kong", "+852 2123 4567"),
    ("台北科技股份有限公司", "Electronics", "台北", "+886 2 2712 3456"),
    ("Kestrel Analytics", "Software", "London", "+44 20 7946 0123"),
    ("上海云图科技有限公司", "Software", "上海", "+86 21 5080 1234"),
    ("Maple & Moss Foods", "Food", "Toronto", "+1 416 555 0142"),
    ("日昇電子股份有限公司", "Electronics", "新竹", "+886 3 5780 555"),
    ("Northwind Hospital Group", "Healthcare", "Manchester", "+44 161 496 0321"),
    ("Solano Energy", "Energy", "Lisbon", "+351 21 555 0198"),
)
_PEOPLE = (
    ("Priya Raman", "Head of purchasing"),
    ("陳美玲", "採購經理"),
    ("Tomás Silva", "Operations director"),
    ("王志明", "总经理"),
    ("Chloe Martin", "Buyer"),
    ("林怡君", "研發主管"),
    ("Noah Fraser", "IT lead"),
    ("Grace Lau", "Finance director"),
)


@transaction.atomic
def load_samples(*, actor: User, at: dt.datetime) -> int:
    """Fill an empty company with a handful of customers, deals and tasks; returns how many.

    Raises:
        Invalid: samples are there already.
    """
    rules.demand_ability(actor, "company.settings")
    if Account.objects.filter(source=SOURCE).exists():
        raise Invalid(_("The sample data is loaded already."))
    batch, count = uuid4(), 0
    tag = _sample_tag()
    stages = sales.get_pipeline().open_stages
    for place, (name, industry, city, phone) in enumerate(_ACCOUNTS):
        common = {"tags": [tag.pk], "source": SOURCE}
        account = create_account(
            values={"name": name, "industry": industry, "city": city, "phone": phone, **common},
            actor=actor,
            at=at,
        )
        person, title = _PEOPLE[place]
        contact = create_contact(
            values={
                "name": person,
                "title": title,
                "account": account.pk,
                "email": f"person{place + 1}@example.com",
                "phone": phone,
                **common,
            },
            actor=actor,
            at=at,
        )
        count += 2 + _sample_deals(actor, at, account, contact, place, stages, common)
    for model in (Account, Contact, Deal, Activity):
        model.objects.filter(source=SOURCE).update(batch=batch)
    return count


def _sample_tag() -> Tag:
    tag, made = Tag.objects.get_or_create(name=pgettext("tag", "Sample"), defaults={"hue": 7})
    if made:
        snapshot.bump()
    return tag


def _sample_deals(
    actor: User,
    at: dt.datetime,
    account: Account,
    contact: Contact,
    place: int,
    stages: list[sales.StageFacts],
    common: dict[str, Any],
) -> int:
    """Two deals in different stages and a task on the first."""
    for turn in range(2):
        stage = stages[(place + turn * 2) % len(stages)]
        deal = create_deal(
            values={
                "name": f"{account.name} {2026 + turn}",
                "account": account.pk,
                "contact": contact.pk,
                "stage": stage.id,
                "amount": Decimal(4000 + 3500 * place + 9000 * turn),
                "close_date": (at + dt.timedelta(days=7 + 5 * place)).date(),
                **common,
            },
            actor=actor,
            at=at,
        )
        moment = at - dt.timedelta(days=(place * 5 + turn * 9) % 33)
        Deal.objects.filter(pk=deal.pk).update(
            stage_since=moment, updated_at=moment, created_at=moment
        )
        if turn == 0 and place % 3 != 2:
            kinds = ("call", "task", "meeting")
            create_activity(
                values={
                    "kind": kinds[place % 3],
                    "name": _("Talk about the next step"),
                    "due_at": at + dt.timedelta(days=place - 2),
                    "source": SOURCE,
                },
                actor=actor,
                at=at,
                about=("deal", deal.pk),
            )
    return 3


@transaction.atomic
def remove_samples(*, actor: User, at: dt.datetime) -> int:
    """Remove every sample for good, in one act; what people added themselves stays.

    Activities hanging on a sample go with it. Returns how many records went.
    """
    rules.demand_ability(actor, "company.settings")
    removed = 0
    deals = list(Deal.objects.filter(source=SOURCE).values_list("pk", flat=True))
    Activity.objects.filter(about_type="deal", about_id__in=deals).update(source=SOURCE)
    StageStay.objects.filter(deal_id__in=deals).delete()
    for name in ("activity", "deal", "contact", "account"):
        kind = record_type(name)
        rows = kind.model._default_manager.filter(source=SOURCE)
        keys = tuple(rows.values_list("pk", flat=True))
        rows.update(deleted_at=at)
        publish(RecordsSaved(name, keys))
        removed += len(keys)
        kind.model._default_manager.filter(pk__in=keys).delete()
    audit.record(
        actor=actor,
        verb="samples.removed",
        at=at,
        on_type="company",
        changes={"records": [removed, 0]},
    )
    return removed


def sample_batch() -> UUID | None:
    """The batch of the loaded samples, if there are any."""
    found: UUID | None = (
        Account.objects.filter(source=SOURCE).values_list("batch", flat=True).first()
    )
    return found
