"""A company full of deterministic customers, written by COPY: what the page benchmark reads."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from crm_core.registry import SearchTexts
from crm_core.sales.models import Stage
from crm_core.search import tokens
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
FIRST = [
    "James",
    "Mary",
    "Robert",
    "Patricia",
    "John",
    "Jennifer",
    "Michael",
    "Linda",
    "David",
    "Elizabeth",
    "William",
    "Barbara",
    "Richard",
    "Susan",
    "Joseph",
    "Jessica",
    "Thomas",
    "Karen",
    "Charles",
    "Sarah",
    "Wei",
    "Mei",
    "Aiko",
    "Omar",
    "Fatima",
    "Lucas",
    "Chloe",
]
LAST = [
    "Smith",
    "Johnson",
    "Brown",
    "Garcia",
    "Miller",
    "Davis",
    "Rodriguez",
    "Martinez",
    "Lopez",
    "Wilson",
    "Anderson",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Perez",
    "Thompson",
    "White",
    "Harris",
    "Clark",
    "Lewis",
    "Walker",
    "Hall",
    "Young",
    "King",
    "Wright",
    "Scott",
]
WORDS = [
    "Harbour",
    "Kestrel",
    "Northwind",
    "Maple",
    "Solano",
    "Cobalt",
    "Juniper",
    "Peak",
    "Granite",
    "Willow",
    "Falcon",
    "Orchid",
    "Summit",
    "Delta",
    "Aurora",
    "Cedar",
    "Vertex",
    "Nimbus",
    "Lotus",
    "Ember",
]
TRADES = [
    "Logistics",
    "Software",
    "Foods",
    "Energy",
    "Robotics",
    "Textiles",
    "Machinery",
    "Trading",
    "Clinics",
    "Media",
]
FAMILY, GIVEN = "陳林黃張李王吳劉蔡楊", "志明美玲怡君俊傑雅婷家豪淑芬建宏"
PLACES = ["台北", "台中", "高雄", "新竹", "上海", "深圳", "香港", "蘇州"]
CJK_TRADES = ["科技", "電子", "貿易", "食品", "物流", "機械", "生技", "資訊"]
TITLES = ["Buyer", "Head of purchasing", "Engineer", "Director", "採購經理", "Operations lead"]


@dataclass(frozen=True, slots=True)
class Size:
    """How many records of each kind."""

    accounts: int
    contacts: int
    deals: int
    activities: int


PEER = Size(5_000, 20_000, 10_000, 50_000)
LARGE = Size(20_000, 100_000, 50_000, 1_000_000)


def _person(dice: random.Random) -> str:
    if dice.random() < 0.05:
        return dice.choice(FAMILY) + "".join(dice.sample(GIVEN, 2))
    return f"{dice.choice(FIRST)} {dice.choice(LAST)}"


def _company(dice: random.Random, number: int) -> str:
    if dice.random() < 0.05:
        return f"{dice.choice(PLACES)}{dice.choice(GIVEN)}{dice.choice(CJK_TRADES)}股份有限公司"
    return f"{dice.choice(WORDS)} {dice.choice(TRADES)} {number}"


class Filler:
    """Fills one company. `fill` runs inside its unit of work."""

    def __init__(self, size: Size, seed: int = 7) -> None:
        self.size, self.dice = size, random.Random(seed)  # noqa: S311  repeatable, not secret
        self.users = list(User.objects.order_by("pk").values_list("pk", flat=True))
        self.stages = list(Stage.objects.filter(kind="open").order_by("position"))
        self.closed = list(Stage.objects.exclude(kind="open").order_by("position"))
        self.accounts: list[str] = []
        self.documents: list[tuple[Any, ...]] = []

    def fill(self) -> None:
        self._copy("records_account", self._accounts())
        self._copy("records_contact", self._contacts())
        self._copy("sales_deal", self._deals())
        self._copy("activities_activity", self._activities())
        self._copy("search_document", self._documents())
        with connection.cursor() as cursor:
            for table in (
                "records_account",
                "records_contact",
                "sales_deal",
                "activities_activity",
                "search_document",
            ):
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )

    def _copy(self, table: str, rows: Iterator[dict[str, Any]]) -> None:
        first = next(rows)
        columns = list(first)
        with (
            connection.cursor() as cursor,
            cursor.cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            copy.write_row(list(first.values()))
            for row in rows:
                copy.write_row(list(row.values()))

    def _common(self, pk: int, moment: dt.datetime) -> dict[str, Any]:
        owner = self.dice.choice(self.users)
        return {
            "id": pk,
            "owner_id": owner,
            "team_id": None,
            "tag_ids": "{}",
            "custom": "{}",
            "source": "",
            "source_id": "",
            "batch": None,
            "created_at": moment,
            "created_by_id": owner,
            "updated_at": moment,
            "updated_by_id": owner,
            "deleted_at": None,
            "deleted_by_id": None,
            "version": 1,
            "last_touch_at": moment,
            "next_step_at": None,
            "next_step_kind": "",
        }

    def _moment(self) -> dt.datetime:
        return NOW - dt.timedelta(minutes=self.dice.randrange(2 * 365 * 24 * 60))

    def _document(self, kind: str, pk: int, texts: SearchTexts, moment: dt.datetime) -> None:
        self.documents.append(
            (kind, pk, texts.title[:200], texts.subtitle[:200], tokens.document(texts), moment)
        )

    def _accounts(self) -> Iterator[dict[str, Any]]:
        for pk in range(1, self.size.accounts + 1):
            name, moment = _company(self.dice, pk), self._moment()
            self.accounts.append(name)
            phone = f"+886 2 {self.dice.randrange(10**7, 10**8)}"
            industry, city = self.dice.choice(TRADES), self.dice.choice(PLACES)
            self._document(
                "account", pk, SearchTexts(title=name, subtitle=industry, phones=(phone,)), moment
            )
            yield {
                **self._common(pk, moment),
                "name": name,
                "website": "",
                "phone": phone,
                "email": "",
                "industry": industry,
                "employees": None,
                "annual_revenue": None,
                "founded_year": None,
                "street": "",
                "city": city,
                "region": "",
                "postcode": "",
                "country": "",
                "tax_number": "",
                "description": "",
                "parent_id": None,
            }

    def _contacts(self) -> Iterator[dict[str, Any]]:
        for pk in range(1, self.size.contacts + 1):
            name, moment = _person(self.dice), self._moment()
            account = self.dice.randrange(1, self.size.accounts + 1)
            email, phone = f"person{pk}@example.com", f"+886 9{self.dice.randrange(10**7, 10**8)}"
            title = self.dice.choice(TITLES)
            self._document(
                "contact",
                pk,
                SearchTexts(
                    title=name,
                    subtitle=f"{title} · {self.accounts[account - 1]}",
                    phones=(phone,),
                    emails=(email,),
                    weak=(self.accounts[account - 1], title),
                ),
                moment,
            )
            yield {
                **self._common(pk, moment),
                "name": name,
                "first_name": "",
                "last_name": "",
                "account_id": account,
                "title": title,
                "department": "",
                "email": email,
                "phone": phone,
                "mobile": "",
                "im": "",
                "city": "",
                "country": "",
                "birthday": None,
                "prefers": "",
                "may_contact": True,
                "description": "",
            }

    def _deals(self) -> Iterator[dict[str, Any]]:
        for pk in range(1, self.size.deals + 1):
            moment = self._moment()
            stage = self.stages[pk % len(self.stages)]
            account = self.dice.randrange(1, self.size.accounts + 1)
            name = f"{self.accounts[account - 1]} {self.dice.choice(TRADES).lower()} {pk}"
            self._document(
                "deal",
                pk,
                SearchTexts(
                    title=name,
                    subtitle=self.accounts[account - 1],
                    weak=(self.accounts[account - 1],),
                ),
                moment,
            )
            yield {
                **self._common(pk, moment),
                "name": name,
                "account_id": account,
                "contact_id": self.dice.randrange(1, self.size.contacts + 1),
                "pipeline_id": stage.pipeline_id,
                "stage_id": stage.pk,
                "amount": self.dice.randrange(5, 900) * 100,
                "currency": "USD",
                "product": "",
                "close_date": (NOW + dt.timedelta(days=self.dice.randrange(120))).date(),
                "opened_date": moment.date(),
                "stage_since": moment,
                "closed_at": None,
                "lost_reason_id": None,
                "lost_note": "",
                "next_step": "",
                "description": "",
                "rank": -moment.timestamp(),
            }

    def _activities(self) -> Iterator[dict[str, Any]]:
        kinds = ("note", "call", "meeting", "task")
        for pk in range(1, self.size.activities + 1):
            moment, kind = self._moment(), kinds[pk % 4]
            contact = self.dice.randrange(1, self.size.contacts + 1)
            is_open = kind == "task" and pk % 40 == 3
            yield {
                **self._common(pk, moment),
                "kind": kind,
                "name": f"{kind} {pk}",
                "body": "Spoke about the offer.",
                "about_type": "contact",
                "about_id": contact,
                "account_id": self.dice.randrange(1, self.size.accounts + 1),
                "assignee_id": self.dice.choice(self.users),
                "priority": 0,
                "due_at": NOW + dt.timedelta(days=pk % 30) if is_open else None,
                "is_all_day": True,
                "done_at": None if is_open or kind == "note" else moment,
                "minutes": None,
                "outcome": "",
                "moment": moment,
            }

    def _documents(self) -> Iterator[dict[str, Any]]:
        for kind, pk, title, subtitle, words, moment in self.documents:
            yield {
                "record_type": kind,
                "record_id": pk,
                "title": title,
                "subtitle": subtitle,
                "words": words,
                "changed_at": moment,
            }


def analyze(scope: tenancy.Scope) -> None:
    """Vacuum the tables, as autovacuum would have by then."""
    from crm_platform.kernel.db.owner.base import owner_connection

    owner = owner_connection()
    owner.ensure_connection()
    for table in (
        "records_account",
        "records_contact",
        "sales_deal",
        "activities_activity",
        "search_document",
    ):
        owner.connection.execute(f'VACUUM ANALYZE "{scope.schema}".{table}')
