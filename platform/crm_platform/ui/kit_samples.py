"""Made-up figures for the component page. Test bench only: its words are not translated."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from django import forms
from django.utils import timezone

from crm_platform.ui import charts, widgets
from crm_platform.ui.money import short_money

PEOPLE = ["Ana Ribeiro", "林怡君", "Wai Chan", "Omar Haddad", "陳美玲", "Priya Raman"]
COMPANIES = [
    "Harbour Freight Lines",
    "日昇電子股份有限公司",
    "Kestrel Analytics",
    "上海云图科技",
    "Cobalt Robotics",
    "台北海景文創",
]
DEALS = [
    "Fleet tracking roll-out",
    "倉儲管理系統",
    "Analytics seats, 120",
    "会员系统对接",
    "Robotics service plan",
    "內容授權平台",
    "Cold-chain pilot",
    "API add-on",
]
STAGES = [
    (1, "Qualify", 2, "open"),
    (2, "Discovery", 1, "open"),
    (3, "Proposal", 6, "open"),
    (4, "Negotiation", 3, "open"),
    (5, "Verbal commit", 5, "open"),
]
ICONS = ["phone", "mail", "calendar", "circle-check-big", "triangle-alert"]
TAGS = [("VIP", 6), ("Partner", 3), ("At risk", 8), ("Newsletter", 2)]
STARTED: dict[str, float] = {}


class KitForm(forms.Form):
    """One field of every kind."""

    name = forms.CharField(max_length=80, help_text="As it stands on the contract.")
    amount = forms.DecimalField(widget=widgets.MoneyInput, required=False)
    currency = forms.ChoiceField(choices=[("USD", "US$"), ("TWD", "NT$"), ("HKD", "HK$")])
    close_date = forms.DateField(required=False)
    call_at = forms.DateTimeField(widget=widgets.DateTimeInput, required=False)
    account = forms.CharField(
        required=False,
        widget=widgets.Combo("/kit/combo/", lambda v: COMPANIES[int(v)], create=True),
    )
    people = forms.CharField(
        required=False, widget=widgets.MultiCombo("/kit/people/", lambda v: PEOPLE[int(v)])
    )
    note = forms.CharField(widget=forms.Textarea, required=False)
    kind = forms.ChoiceField(
        choices=[("new", "New business"), ("renewal", "Renewal")], widget=forms.RadioSelect
    )
    colour = forms.IntegerField(widget=widgets.HuePicker, initial=3)
    agree = forms.BooleanField(label="The customer agreed to be called")
    weekly = forms.BooleanField(widget=widgets.Switch, required=False, label="Weekly digest")
    file = forms.FileField(required=False, widget=widgets.FileDrop(".csv", "CSV up to 20 MB"))


def _cards() -> list[dict[str, Any]]:
    due = [0, -1, 5, None, 1, -3, 9, 2]
    cards = []
    for n in range(22):
        days = due[n % 8]
        cards.append(
            {
                "id": n + 1,
                "version": 1,
                "name": DEALS[n % 8],
                "company": COMPANIES[n % 6],
                "hue": n % 8 + 1,
                "amount": 6000 * (n % 7 + 1) * (12 if n % 5 == 0 else 1),
                "due": days,
                "icon": ICONS[4 if days is None else n % 4],
                "age": (n * 7) % 36,
                "stale": (n * 7) % 36 > 20,
                "owner": PEOPLE[n % 6],
                "tags": TAGS[n % 4 : n % 4 + (n % 3)],
                "stage": n % 4 + 1,
            }
        )
    return cards


def columns() -> list[dict[str, Any]]:
    cards = _cards()
    columns = []
    for pk, name, hue, kind in STAGES:
        mine = [card for card in cards if card["stage"] == pk]
        columns.append(
            {
                "id": pk,
                "name": name,
                "hue": hue,
                "kind": kind,
                "cards": mine,
                "count": len(mine),
                "total": sum(card["amount"] for card in mine),
            }
        )
    return columns


def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": n,
            "name": PEOPLE[n % 6],
            "company": COMPANIES[n % 6],
            "hue": n % 8 + 1,
            "title": "Procurement lead" if n % 2 else "採購經理",
            "email": f"person{n}@example.com",
            "phone": "+852 2123 4567",
            "tags": TAGS[n % 4 : n % 4 + n % 3],
            "owner": PEOPLE[(n + 2) % 6],
            "amount": 18000 * (n + 1),
            "last": n,
        }
        for n in range(24)
    ]


def _charts() -> dict[str, charts.Chart]:
    months = ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    won = charts.Series("Won", [72, 108, 97, 131, 142, 118], area=True)
    target = charts.Series("Target", [90, 100, 110, 120, 130, 140])
    points = [
        charts.Point(name, 288 - 40 * i, hue, "/kit/board/")
        for i, (_pk, name, hue, _kind) in enumerate(STAGES)
    ]
    parts = [
        charts.Series("New", [4, 6, 5, 8, 9, 7], 1),
        charts.Series("Renewal", [2, 3, 3, 4, 2, 5], 3),
    ]
    return {
        "line": charts.line("Won against target", months, [won, target], what="Month"),
        "bars": charts.bars(
            "Pipeline by stage", points, axis=short_money, what="Stage", figure="US$"
        ),
        "stacked": charts.stacked("Deals won", months, parts, what="Month"),
        "funnel": charts.funnel("From lead to order", points, what="Step", figure="Deals"),
        "none": charts.bars("Nothing", []),
    }


def _shell(part: str) -> dict[str, Any]:
    def item(key: str, label: str, icon: str, badge: str = "") -> dict[str, Any]:
        return {
            "key": key,
            "label": label,
            "icon": icon,
            "href": f"/kit/{key}/",
            "current": key == part,
            "badge": badge,
        }

    return {
        "company_name": "Harbour Trading",
        "nav": [
            {
                "label": "",
                "items": [
                    item("home", "Home", "house"),
                    item("all", "Components", "shapes"),
                    item("inbox", "Inbox", "inbox", "4"),
                ],
            },
            {
                "label": "Sales",
                "items": [
                    item("board", "Deals", "kanban"),
                    item("grid", "Contacts", "users"),
                    item("record", "Record", "file-user"),
                ],
            },
            {
                "label": "More",
                "items": [
                    item("forms", "Forms", "text-cursor-input"),
                    item("settings", "Settings", "settings"),
                    item("import", "Import", "upload"),
                ],
            },
        ],
        "pinned": [{"label": "Closing this month", "href": "/kit/grid/?v=1", "icon": ""}],
        "user": {"name": "Wai Chan", "hue": 1, "email": "wai@example.com"},
        "setup": {
            "done": 2,
            "total": 4,
            "dismiss_url": "/kit/setup/",
            "steps": [
                {"label": "Add your first contact", "href": "/kit/grid/", "done": True},
                {"label": "Name your stages", "href": "/kit/settings/", "done": True},
                {"label": "Invite a colleague", "href": "/kit/forms/", "done": False},
                {"label": "Import a file", "href": "/kit/import/", "done": False},
            ],
        },
        "tabs": [
            item("home", "Home", "house"),
            item("board", "Deals", "kanban"),
            item("grid", "Contacts", "users"),
            item("all", "Parts", "shapes"),
        ],
        "create": [
            {"label": "Deal", "icon": "kanban", "href": "/kit/form/", "key": "d"},
            {"label": "Contact", "icon": "users", "href": "/kit/form/", "key": "p"},
        ],
        "palette_url": "/kit/palette/",
        "me_links": [{"label": "My profile", "icon": "user-round", "href": "/kit/forms/"}],
        "go": {"h": "/kit/home/", "d": "/kit/board/", "c": "/kit/grid/"},
        "banners": [
            {
                "text": "Read-only: the invoice of March is unpaid.",
                "kind": "warn",
                "href": "/kit/settings/",
                "label": "See the invoice",
            }
        ]
        if part == "all"
        else [],
        "logout_url": "/kit/out/",
        "prefs_url": "/prefs/",
    }


def job() -> dict[str, Any]:
    percent = min(100, int((time.monotonic() - STARTED.setdefault("job", time.monotonic())) * 25))
    return {
        "id": 1,
        "title": "Importing contacts",
        "done": 24 * percent,
        "total": 2400,
        "percent": percent,
        "finished": percent >= 100,
        "url": "/kit/job/",
    }


def kit_context(part: str) -> dict[str, Any]:
    """All that the kit pages show."""
    bound = KitForm({"bad-name": "", "bad-kind": "x", "bad-currency": "USD"}, prefix="bad")
    bound.add_error(None, "This company already has a deal with that name.")
    now = timezone.now()
    nav = [
        {
            "label": "Company",
            "items": [
                {
                    "label": "General",
                    "icon": "building-2",
                    "href": "/kit/settings/",
                    "current": True,
                },
                {"label": "Roles", "icon": "shield", "href": "/kit/settings/?r=1"},
            ],
        },
        {
            "label": "Sales",
            "items": [{"label": "Pipelines", "icon": "kanban", "href": "/kit/settings/?p=1"}],
        },
    ]
    fields = [
        {
            "key": "name",
            "label": "Name",
            "type": "text",
            "ops": [["has", "contains", 1], ["none", "is empty", 0]],
        },
        {
            "key": "owner",
            "label": "Owner",
            "type": "record",
            "src": "/kit/people/",
            "names": {"0": PEOPLE[0]},
            "ops": [["is", "is", 1], ["any", "is any of", "many"]],
        },
        {
            "key": "tag",
            "label": "Tag",
            "type": "choice",
            "choices": [["vip", "VIP"], ["risk", "At risk"]],
            "ops": [["any", "is any of", "many"], ["is", "is", 1]],
        },
        {
            "key": "amount",
            "label": "Amount",
            "type": "money",
            "ops": [["gt", "is more than", 1], ["in", "is between", 2]],
        },
        {
            "key": "close",
            "label": "Close date",
            "type": "date",
            "ops": [["before", "is before", 1]],
        },
    ]
    return {
        "part": part,
        "shell": _shell(part),
        "columns": columns(),
        "rows": rows(),
        "charts": _charts(),
        "form": KitForm(initial={"account": "2", "people": ["0", "3"], "name": "Cold-chain pilot"}),
        "bad_form": bound,
        "icons": ICONS,
        "settings_nav": nav,
        "people": PEOPLE,
        "tags": TAGS,
        "job": {**job(), "percent": 42, "finished": False, "url": "/kit/still/"},
        "done_job": {
            "id": 2,
            "title": "Export",
            "finished": True,
            "note": "18,204 rows",
            "result_url": "/kit/",
            "result_label": "Download",
        },
        "filters": {
            "fields": fields,
            "clear_href": "/kit/grid/",
            "chips": [
                {
                    "raw": "owner.is.0",
                    "label": "Owner",
                    "op": "is",
                    "value": PEOPLE[0],
                    "remove_href": "/kit/grid/",
                },
                {
                    "raw": "close.before.2026-12-31",
                    "label": "Close date",
                    "op": "is before",
                    "value": "31 Dec",
                    "remove_href": "/kit/grid/",
                },
            ],
        },
        "pager": {"more_url": "/kit/more/", "target": "#rows", "shown": 24, "total": 2400},
        "tabs": [
            {"label": "Open", "href": "/kit/", "current": True, "count": 4},
            {"label": "Done", "href": "/kit/?d=1", "count": 12},
        ],
        "now": now,
        "earlier": now - dt.timedelta(minutes=42),
        "hues": range(1, 9),
        "spark": charts.spark("Deals won a week, rising", [3, 4, 3, 6, 5, 8, 9]),
        "console": {
            "name": "Rapport",
            "nav": nav,
            "user": {"name": "Op One", "email": "op@example.com"},
            "logout_url": "/kit/out/",
        },
        "sign_in_url": "/kit/plain/",
        "sign_up_url": "/kit/plain/",
        "public_nav": [{"label": "Product", "href": "/kit/public/", "current": True}],
    }
