"""The few numbers the shell shows on every page, in one statement."""

import datetime as dt
from typing import Any, NamedTuple

from django.db.models import Count, Exists, IntegerField, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from crm_core.activities.models import Activity
from crm_core.activities.queries import OPEN
from crm_core.notify.models import Notification
from crm_core.records.models import Contact
from crm_core.sales.models import Deal, Pipeline, StageStay
from crm_platform.identity import rules
from crm_platform.identity.models import Invitation, User
from crm_platform.kernel.periods import start_of_day
from crm_platform.kernel.prepared import Prepared


class Counts(NamedTuple):
    """Unread messages, due activities, and which first steps are done (None: not shown)."""

    unread: int
    due: int
    setup: tuple[bool, ...] | None


def _count(rows: QuerySet[Notification] | QuerySet[Activity]) -> Combinable:
    """`rows` counted as a subquery; the constant group makes it one row."""
    counted = (
        rows.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    )
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _plain(*, user_id: int, end: dt.datetime) -> QuerySet[User, Any]:
    return User.objects.filter(pk=user_id).values_list(*_numbers(user_id, end))


def _with_setup(*, user_id: int, end: dt.datetime) -> QuerySet[User, Any]:
    steps = (
        Exists(Contact.objects.all()),
        Exists(Deal.objects.all()),
        Exists(StageStay.objects.filter(left_at__isnull=False)),
        Exists(Pipeline.objects.filter(is_shaped=True)),
        Exists(Invitation.objects.all()),
    )
    return User.objects.filter(pk=user_id).values_list(*_numbers(user_id, end), *steps)


def _numbers(user_id: int, end: dt.datetime) -> tuple[Combinable, Combinable]:
    due = Activity.objects.filter(OPEN, assignee_id=user_id, deleted_at=None, due_at__lt=end)
    return _count(Notification.objects.filter(user_id=user_id, read_at=None)), _count(due)


_find_plain = Prepared(_plain, user_id=int, end=dt.datetime)
_find_with_setup = Prepared(_with_setup, user_id=int, end=dt.datetime)


def of(user: User, today: dt.date) -> Counts:
    """The shell's numbers for one person. One query."""
    end = start_of_day(today + dt.timedelta(days=1))
    shows_setup = not user.preferences.get("setup_done") and rules.has_ability(
        user, "company.settings"
    )
    find = _find_with_setup if shows_setup else _find_plain
    rows = find(user_id=user.pk, end=end)
    unread, due, *steps = rows[0] if rows else (0, 0, *[False] * 5)
    return Counts(unread, due, tuple(map(bool, steps)) if shows_setup else None)
