"""What every view of records begins with: the signed-in person, the kind, the company's day."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from crm_core.fields.addresses import read_address
from crm_core.fields.lists import ListQuery, matching
from crm_core.registry import RecordType, record_type
from crm_core.registry.queries import visible_to
from crm_platform.identity.decorators import sign_in_required
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.periods import local_date

MOST_AT_ONCE = 5000


class StaffRequest(HttpRequest):
    """A request of a signed-in person; for types only."""

    user: User


RecordView = Callable[..., HttpResponse]


def record_view(view: RecordView) -> RecordView:
    """A view of one kind of record: signed in, `kind` given by the address."""

    @wraps(view)
    def checked(request: HttpRequest, kind: str, **kwargs: Any) -> HttpResponse:
        return view(request, kind=record_type(kind), **kwargs)

    return cast(RecordView, sign_in_required(checked))


def today() -> dt.date:
    """The company's day now."""
    return local_date(timezone.now())


def chosen_ids(request: HttpRequest, kind: RecordType, verb: str) -> list[int]:
    """The records a bulk act is for: ticked ones, or everything the list's filter finds.

    Raises:
        Invalid: nothing was chosen, or more than one act takes.
    """
    user = cast(User, request.user)
    given = request.POST or request.GET
    if given.get("all") == "1":
        query = _query_of(user, kind, given.get("filter", ""))
        found = matching(user, query, today=today(), verb=verb)
    else:
        ids = [int(each) for each in given.getlist("id") if each.isdigit() and len(each) < 19]
        found = visible_to(user, kind).select_related(None).filter(pk__in=ids)
    keys = list(found.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if not keys:
        raise Invalid("Choose at least one record first.")
    if len(keys) > MOST_AT_ONCE:
        raise Invalid(f"One act takes at most {MOST_AT_ONCE:,} records. Narrow the filter first.")
    return keys


def _query_of(user: User, kind: RecordType, text: str) -> ListQuery:
    given = QueryDict(mutable=True)
    for name, values in parse_qs(text.lstrip("?")).items():
        given.setlist(name, values)
    given.pop("after", None)
    return read_address(user, kind, given).query.first_page()
