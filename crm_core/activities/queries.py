"""Reading what happened and what is to do."""

import datetime as dt
from typing import Any

from django.db.models import Max, Min, Q, QuerySet

from crm_core.activities.models import Activity
from crm_core.registry.queries import visible_to
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel.periods import start_of_day
from crm_platform.kernel.prepared import Prepared, columns_of, instance_of

OPEN = Q(done_at=None) & ~Q(kind=Activity.Kind.NOTE)
DONE = Q(done_at__isnull=False) | Q(kind=Activity.Kind.NOTE)
MOST_OPEN = 50
PAST_PAGE = 31


def about(user: User, kind_name: str, record_id: int) -> QuerySet[Activity]:
    """What hangs on one record; on a company's page also what hangs on its people and deals."""
    here = Q(about_type=kind_name, about_id=record_id)
    if kind_name == "account":
        here |= Q(account_id=record_id)
    return visible_to(user, "activity").select_related(None).filter(here)


def upcoming(user: User, kind_name: str, record_id: int) -> QuerySet[Activity]:
    """Open tasks, calls and meetings of a record, the earliest first."""
    return about(user, kind_name, record_id).filter(OPEN).order_by("due_at", "pk")


def past(user: User, kind_name: str, record_id: int) -> QuerySet[Activity]:
    """What was said and done with a record, newest first."""
    return about(user, kind_name, record_id).filter(DONE).order_by("-moment", "-pk")


def story(
    user: User, kind_name: str, record_id: int, *, past_size: int, only: str = ""
) -> list[Activity]:
    """The first open and the newest past activities of a record, mixed. One query."""
    if not only and past_size and rules.level(user, "activity", "view") == "all":
        find = _find_of_account if kind_name == "account" else _find_story
        rows = find(about_type=kind_name, about_id=record_id)
        return [instance_of(Activity, row) for row in rows]
    earlier = past(user, kind_name, record_id)
    if only:
        earlier = earlier.filter(kind=only)
    return list(
        upcoming(user, kind_name, record_id)[:MOST_OPEN].union(earlier[:past_size], all=True)
    )


def _mixed(here: Q) -> QuerySet[Activity, Any]:
    rows = Activity.objects.filter(here, deleted_at=None)
    columns = columns_of(Activity)
    upcoming_rows = rows.filter(OPEN).order_by("due_at", "pk").values_list(*columns)[:MOST_OPEN]
    past_rows = rows.filter(DONE).order_by("-moment", "-pk").values_list(*columns)[:PAST_PAGE]
    return upcoming_rows.union(past_rows, all=True)


def _of_record(*, about_type: str, about_id: int) -> QuerySet[Activity, Any]:
    return _mixed(Q(about_type=about_type, about_id=about_id))


def _of_account(*, about_type: str, about_id: int) -> QuerySet[Activity, Any]:
    return _mixed(Q(about_type=about_type, about_id=about_id) | Q(account_id=about_id))


_find_story = Prepared(_of_record, about_type=str, about_id=int)
_find_of_account = Prepared(_of_account, about_type=str, about_id=int)


def open_of(user: User, assignee_id: int | None = None) -> QuerySet[Activity]:
    """What somebody (the person itself, unless named) has to do, as far as `user` may see it.

    The earliest first; undated last.
    """
    who = assignee_id or user.pk
    rows = visible_to(user, "activity").select_related(None).filter(OPEN, assignee_id=who)
    return rows.order_by("due_at", "pk")


def due_count(user: User, today: dt.date) -> int:
    """How many of the person's open activities are due today or late."""
    end = start_of_day(today + dt.timedelta(days=1))
    return Activity.objects.filter(OPEN, assignee=user, deleted_at=None, due_at__lt=end).count()


def touch_of(kind_name: str, record_id: int) -> dict[str, Any]:
    """The newest past moment and the earliest open one of a record. Two queries."""
    here = Activity.objects.filter(deleted_at=None)
    if kind_name == "account":
        here = here.filter(Q(about_type=kind_name, about_id=record_id) | Q(account_id=record_id))
    else:
        here = here.filter(about_type=kind_name, about_id=record_id)
    facts = here.aggregate(last=Max("moment", filter=DONE), next=Min("due_at", filter=OPEN))
    kind = ""
    if facts["next"]:
        first = here.filter(OPEN, due_at=facts["next"]).values_list("kind", flat=True).first()
        kind = first or ""
    return {
        "last_touch_at": facts["last"],
        "next_step_at": facts["next"],
        "next_step_kind": kind,
    }
