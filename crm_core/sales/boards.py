"""The board of a pipeline, ready to render: columns, cards, sums and marks."""

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm_core.fields import catalogue
from crm_core.fields.lists import ListQuery, Row, matching
from crm_core.sales import queries
from crm_core.sales.features import LATE_ON_BOARD
from crm_core.sales.queries import PipelineFacts, StageFacts
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import features, tenancy
from crm_platform.kernel.paging import encode_cursor
from crm_platform.kernel.periods import local_date
from crm_platform.ui import render

CARDS_A_COLUMN = 40
STEP_ICONS = {"call": "phone", "meeting": "calendar", "task": "circle-check-big"}
ICONS = (*STEP_ICONS.values(), "triangle-alert", "arrow-right-left", "calendar-x")


@dataclass(frozen=True, slots=True)
class Sum:
    """Money of one currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """One stage with its first cards; `cards` is ready HTML."""

    stage: StageFacts
    count: int
    sums: list[Sum]
    cards: SafeString | str
    more_cursor: str


@dataclass(frozen=True, slots=True)
class Board:
    """A pipeline's open stages; `weighted` counts each deal by its stage's probability."""

    pipeline: PipelineFacts
    columns: list[BoardColumn]
    open_sums: list[Sum]
    weighted: list[Sum]
    count: int
    shows_amounts: bool


def deals_on_board(user: User, query: ListQuery, *, today: dt.date) -> QuerySet[Any]:
    return matching(user, query, today=today)


def board_of(user: User, pipeline: PipelineFacts, query: ListQuery, *, now: dt.datetime) -> Board:
    """The whole board. Two queries."""
    deals = deals_on_board(user, query, today=local_date(now))
    stages = pipeline.open_stages
    ids = [stage.id for stage in stages]
    totals = _totals_shown(user, deals, ids)
    rows = queries.cards(deals, ids, size=CARDS_A_COLUMN)
    by_stage: dict[int, list[Row]] = {stage_id: [] for stage_id in ids}
    for row in rows:
        by_stage[row["stage_id"]].append(row)
    draw = CardPainter(user, pipeline, now)
    columns = [_column(stage, by_stage[stage.id], totals, draw) for stage in stages]
    weights = {stage.id: stage.probability for stage in stages}
    return Board(
        pipeline=pipeline,
        columns=columns,
        open_sums=_sums([(t.currency, t.amount) for t in totals]),
        weighted=_sums([(t.currency, t.amount * weights[t.stage_id] / 100) for t in totals]),
        shows_amounts=not catalogue.hides(user, "deal", "amount"),
        count=sum(t.count for t in totals),
    )


def _totals_shown(
    user: User, deals: QuerySet[Any], stage_ids: list[int]
) -> list[queries.StageTotal]:
    """The totals of each stage; nothing is added up for those who may not see amounts."""
    totals = queries.stage_totals(deals, stage_ids)
    if catalogue.hides(user, "deal", "amount"):
        return [replace(total, amount=Decimal(0)) for total in totals]
    return totals


def _column(
    stage: StageFacts, rows: list[Row], totals: list[queries.StageTotal], draw: "CardPainter"
) -> BoardColumn:
    here = [total for total in totals if total.stage_id == stage.id]
    count = sum(total.count for total in here)
    more = cursor_after(rows[-1]) if rows and count > len(rows) else ""
    sums = _sums([(total.currency, total.amount) for total in here])
    return BoardColumn(stage, count, sums, draw.cards(rows), more)


def cursor_after(row: Row) -> str:
    return encode_cursor([row["rank"], row["pk"]])


def _sums(amounts: list[tuple[str, Decimal]]) -> list[Sum]:
    """One sum a currency, the company's own first."""
    found: dict[str, Decimal] = {}
    for currency, amount in amounts:
        found[currency] = found.get(currency, Decimal(0)) + amount
    home = tenancy.current().currency
    ordered = sorted(found, key=lambda code: (code != home, code))
    return [Sum(found[code], code) for code in ordered if found[code]]


def heads_of(
    user: User, pipeline: PipelineFacts, query: ListQuery, stage_ids: set[int], *, today: dt.date
) -> list[BoardColumn]:
    """The heads of some columns after a move, without cards. One query."""
    deals = deals_on_board(user, query, today=today)
    totals = _totals_shown(user, deals, [s.id for s in pipeline.open_stages])
    return [
        BoardColumn(
            stage,
            sum(t.count for t in totals if t.stage_id == stage.id),
            _sums([(t.currency, t.amount) for t in totals if t.stage_id == stage.id]),
            "",
            "",
        )
        for stage in pipeline.open_stages
        if stage.id in stage_ids
    ]


class CardPainter:
    """Writes cards as HTML in Python: a board has hundreds, a template would take ten times longer.

    Everything a person typed goes through `escape`.
    """

    def __init__(self, user: User, pipeline: PipelineFacts, now: dt.datetime) -> None:
        self._now, self._today = now, local_date(now)
        self._stale = dt.timedelta(days=pipeline.stale_days)
        self._people, self._tags = catalogue.people(), catalogue.tags()
        self._may_all = rules.level(user, "deal", "edit") == "all"
        self._user = user
        self._hides = {
            name
            for name in (
                "account", "amount", "owner", "tags", "next_step_at", "stage_since", "close_date"
            )
            if catalogue.hides(user, "deal", name)
        }  # fmt: skip
        self._marks_late = features.is_on(LATE_ON_BOARD.key, at=now) and (
            "close_date" not in self._hides
        )
        self._move = escape(_("Move %(name)s"))
        self._in_stage = escape(_("Days in this stage"))
        self._icons = {name: render.icon_use(name, 13) for name in ICONS}
        # A board repeats few days, owners and steps: each is written once.
        self._written: dict[tuple[Any, ...], str] = {}

    def cards(self, rows: list[Row]) -> SafeString:
        return mark_safe("".join(self._card(row) for row in rows))  # noqa: S308  parts escaped

    def _card(self, row: Row) -> str:
        pk, name = row["pk"], escape(row["name"])
        stale = " stale" if self._now - row["updated_at"] > self._stale else ""
        may = self._may_all or rules.may(self._user, "edit", "deal", row)
        button = (
            '<button type="button" class="btn ghost icon xs card-menu" data-move aria-label="'
            f'{self._move.replace("%(name)s", name)}">{self._icons["arrow-right-left"]}</button>'
            if may
            else ""
        )
        fixed = "" if may else " data-fixed"
        return (
            f'<li class="card{stale}" id="card-{pk}" data-id="{pk}"'
            f' data-version="{row["version"]}"{fixed}>'
            f'<a class="card-t" href="/deals/{pk}/" draggable="false">{name}</a>'
            f"{self._account(row)}{self._money(row)}{self._late(row)}"
            f'<p class="card-f">{self._due(row)}<span class="grow"></span>{self._age(row)}'
            f"{self._owner(row)}</p>{button}</li>"
        )

    def _account(self, row: Row) -> str:
        name = row["account__name"]
        if not name or "account" in self._hides:
            return ""
        face = render.avatar(name, row["account_id"] % 8 + 1, "xs", square=True)
        return f'<p class="card-co">{face}<span>{escape(name)}</span></p>'

    def _money(self, row: Row) -> str:
        amount = None if "amount" in self._hides else row["amount"]
        money = (
            "" if amount is None else f'<b class="num">{render.money(amount, row["currency"])}</b>'
        )
        tags = "".join(
            render.tag_chip(self._tags[pk].label, self._tags[pk].hue)
            for pk in row["tag_ids"]
            if pk in self._tags and "tags" not in self._hides
        )
        return f'<p class="card-m">{money}{tags}</p>' if money or tags else ""

    def _late(self, row: Row) -> str:
        day = row["close_date"]
        if not self._marks_late or day is None or day >= self._today:
            return ""
        key = ("late", (self._today - day).days)
        if key not in self._written:
            self._written[key] = self._late_html(key[1])
        return self._written[key]

    def _late_html(self, days: int) -> str:
        text = ngettext(
            "Should have closed %(n)d day ago", "Should have closed %(n)d days ago", days
        ) % {"n": days}  # fmt: skip
        return f'<p class="card-late">{self._icons["calendar-x"]}{escape(text)}</p>'

    def _due(self, row: Row) -> str:
        if "next_step_at" in self._hides:
            return ""
        at = row["next_step_at"]
        days = None if at is None else (local_date(at) - self._today).days
        key = ("due", days, row["next_step_kind"])
        if key not in self._written:
            self._written[key] = self._due_html(days, row["next_step_kind"])
        return self._written[key]

    def _due_html(self, days: int | None, kind: str) -> str:
        icon = self._icons[STEP_ICONS.get(kind, "circle-check-big")]
        if days is None:
            icon = self._icons["triangle-alert"]
        text = f"{icon}{render.due_text(days)}"
        return f'<span class="due" data-due="{render.due_state(days)}">{text}</span>'

    def _age(self, row: Row) -> str:
        if "stage_since" in self._hides:
            return ""
        days = max((self._now - row["stage_since"]).days, 0)
        key = ("age", days)
        if key not in self._written:
            self._written[key] = self._age_html(days)
        return self._written[key]

    def _age_html(self, days: int) -> str:
        return f'<span class="age num" title="{self._in_stage}">{render.days_short(days)}</span>'

    def _owner(self, row: Row) -> str:
        key = ("owner", row["owner_id"])
        if key not in self._written:
            self._written[key] = self._owner_html(row["owner_id"])
        return self._written[key]

    def _owner_html(self, owner_id: int | None) -> str:
        person = self._people.get(owner_id or 0)
        if person is None or "owner" in self._hides:
            return ""
        face = render.avatar(person.name, person.hue, "xs")
        return f'{face}<span class="vh">{escape(person.name)}</span>'
