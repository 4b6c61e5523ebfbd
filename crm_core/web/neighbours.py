"""Previous and next record in the list a person came from."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, QueryDict

from crm_core.fields.addresses import read_address
from crm_core.fields.lists import ListQuery, neighbours_of
from crm_core.fields.requests import today
from crm_core.registry import RecordType
from crm_platform.identity.models import User
from crm_platform.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Ids beside a record, and the list's address to keep walking; None where the list ends."""

    previous: int | None
    next: int | None
    tail: str


def neighbours(request: HttpRequest, user: User, kind: RecordType, record: Any) -> Neighbours:
    """Beside `record` in the list named by `?list=`, else in the kind's own order. One query."""
    text = request.GET.get("list", "")
    query = ListQuery(kind=kind)
    if text:
        try:
            query = replace(read_address(user, kind, QueryDict(text)).query, cursor="")
        except DomainError:
            text = ""
    before, after = neighbours_of(user, query, record, today=today())
    return Neighbours(before, after, text)
