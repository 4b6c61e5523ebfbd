"""What several pages read from an address."""

import datetime as dt
from typing import cast
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from crm_platform.console.acts import get_act
from crm_platform.console.models import OperatorEntry
from crm_platform.console.words import fact_word, value_word
from crm_platform.identity.models import User
from tenants.models import Company


def me(request: HttpRequest) -> User:
    """The operator who asks; views are guarded, so it is one."""
    return cast(User, request.user)


def page_number(request: HttpRequest) -> int:
    """`?page=`, or 1."""
    said = request.GET.get("page", "1")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 1


def word(request: HttpRequest, name: str, longest: int = 80) -> str:
    """`?name=`, cut."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:longest]


def day(request: HttpRequest, name: str) -> dt.date | None:
    """`?name=2026-11-20`; None for anything else."""
    try:
        return dt.date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return None


def the_company(company_id: UUID) -> Company:
    return get_object_or_404(Company, pk=company_id)


def facts_of(entry: OperatorEntry) -> list[tuple[str, object]]:
    """An entry's facts, flat: name and value, or old and new value."""
    return [
        (fact_word(name), value_word(value))
        for name, value in entry.facts.items()
        if value not in ("", None)
    ]


def title_of(entry: OperatorEntry) -> str:
    """What an entry is on; of what two persons do, the act in words."""
    act = get_act(entry.title) if entry.object_type == "approval" else None
    return str(act.label) if act else entry.title
