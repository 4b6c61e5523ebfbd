"""What the home page and the record pages read."""

import datetime as dt
import functools
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from crm_core.fields import catalogue
from crm_core.fields.lists import Row
from crm_core.registry import RecordType, record_type
from crm_core.registry.queries import live, visible_to
from crm_core.sales import queries as sales
from crm_core.sales.boards import Sum as Money
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.periods import start_of_day
from crm_platform.kernel.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Figures:
    """The head figures of the home page, in the company's currency.

    Every amount is 0 where `shows_amounts` is false: the role hides them.
    """

    currency: str
    open_amount: Decimal
    open_count: int
    weighted: Decimal
    won_amount: Decimal
    won_count: int
    win_percent: int | None
    stages: list[tuple[sales.StageFacts, int, Decimal]]
    shows_amounts: bool


def figures(user: User, today: dt.date) -> Figures:
    """Open pipeline, forecast, won this month, win rate of 90 days. Two queries."""
    currency = tenancy.current().currency
    deals = visible_to(user, "deal").select_related(None).filter(currency=currency)
    shows_amounts = not catalogue.hides(user, "deal", "amount")
    known = sales.stages_by_id()
    totals = {
        t.stage_id: t
        for t in sales.stage_totals(deals, [s.id for s in known.values() if s.kind == "open"])
    }
    stages = [
        (stage, totals[stage.id].count, totals[stage.id].amount if shows_amounts else Decimal(0))
        for pipeline in sales.pipelines()
        for stage in pipeline.open_stages
        if stage.id in totals
    ]
    month, quarter = start_of_day(today.replace(day=1)), start_of_day(today - dt.timedelta(days=90))
    won, lost = Q(stage__kind="won"), Q(stage__kind="lost")
    closed = deals.filter(closed_at__gte=min(month, quarter)).aggregate(
        amount=Sum("amount", filter=won & Q(closed_at__gte=month)),
        count=Count("pk", filter=won & Q(closed_at__gte=month)),
        won=Count("pk", filter=won & Q(closed_at__gte=quarter)),
        lost=Count("pk", filter=lost & Q(closed_at__gte=quarter)),
    )
    ended = closed["won"] + closed["lost"]
    return Figures(
        currency=currency,
        open_amount=sum((amount for _s, _c, amount in stages), Decimal(0)),
        open_count=sum(count for _s, count, _a in stages),
        weighted=sum(
            (amount * stage.probability / 100 for stage, _c, amount in stages), Decimal(0)
        ),
        won_amount=(closed["amount"] if shows_amounts else None) or Decimal(0),
        won_count=closed["count"],
        win_percent=round(100 * closed["won"] / ended) if ended else None,
        stages=stages,
        shows_amounts=shows_amounts,
    )


@dataclass(frozen=True, slots=True)
class Related:
    """Records of one kind that hang on the shown one."""

    kind: RecordType
    link: str
    rows: list[Row]
    count: int
    sums: list[Money]


SHOWN = 8


def related(user: User, kind: RecordType, record_id: int) -> list[Related]:
    """Contacts and deals of an account, deals of a contact, subsidiaries. One query each."""
    found = []
    for other in (record_type("contact"), record_type("deal"), record_type("account")):
        for link in other.parents:
            field = other.field(link)
            if field is None or field.target != kind.name:
                continue
            found.append(_related(user, other, link, record_id))
    return found


PATHS = {
    "contact": ("pk", "name", "owner_id", "title", "email", "phone"),
    "deal": ("pk", "name", "owner_id", "amount", "currency", "stage_id"),
    "account": ("pk", "name", "owner_id", "industry"),
}


def _related(user: User, kind: RecordType, link: str, record_id: int) -> Related:
    paths = ("pk", "name") if catalogue.hides(user, kind.name) else PATHS[kind.name]
    if rules.reach(user, kind.name, "view") is None:
        values = _newest(kind.name, link, paths)(record_id=record_id)
    else:
        values = list(_by_newest(_hanging(user, kind, link, record_id), paths))
    read = [Row(zip(paths, row, strict=True)) for row in values]
    count = len(read)
    if count > SHOWN:
        count = _hanging(user, kind, link, record_id).count()
    return Related(kind, link, read[:SHOWN], count, [])


def _hanging(user: User, kind: RecordType, link: str, record_id: int) -> QuerySet[Any]:
    return visible_to(user, kind).select_related(None).filter(**{f"{link}_id": record_id})


def _by_newest(rows: QuerySet[Any], paths: tuple[str, ...]) -> QuerySet[Any, Any]:
    return rows.order_by("-updated_at", "-pk").values_list(*paths)[: SHOWN + 1]


@functools.cache
def _newest(kind_name: str, link: str, paths: tuple[str, ...]) -> Prepared:
    """What hangs on a record, for those who may see all of that kind: compiled once."""

    def build(*, record_id: int) -> QuerySet[Any, Any]:
        return _by_newest(live(record_type(kind_name)).filter(**{f"{link}_id": record_id}), paths)

    return Prepared(build, record_id=int)
