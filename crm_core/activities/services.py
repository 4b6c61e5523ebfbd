"""The only code that writes activities."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm_core.activities import queries
from crm_core.activities.models import Activity
from crm_core.fields import services as fields
from crm_core.fields.values import coerce
from crm_core.notify import services as notify
from crm_core.registry import record_type
from crm_core.registry.queries import get_visible
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid

Values = dict[str, Any]


@transaction.atomic
def create_activity(
    *, values: Values, actor: User, at: dt.datetime, about: tuple[str, int] | None = None
) -> Activity:
    """Keep a note, or plan or log a task, call or meeting, on the record `about` names.

    A note is done when written; the others are open unless `done_at` says when they were done.
    A task without an assignee is its maker's.

    Raises:
        NotFound: the record is absent or hidden.
        Invalid: nothing was written, or see `fields.services.create_record`.
    """
    values = dict(values)
    kind = str(values.get("kind") or Activity.Kind.NOTE)
    values["kind"] = kind
    body = str(values.get("body") or "").strip()
    values["name"] = str(values.get("name") or "").strip() or _first_line(body)
    if not values["name"]:
        raise Invalid(_("Write something first."), field="body" if kind == "note" else "name")
    facts: Values = {"moment": _moment_of(values, actor) or at}
    if about is not None:
        facts.update(_place(about, actor))
    if kind == Activity.Kind.NOTE:
        facts["done_at"] = at
        values.pop("done_at", None)
    else:
        values.setdefault("assignee", actor.pk)
    activity: Activity = fields.create_record(
        kind=record_type("activity"), values=values, actor=actor, at=at, facts=facts
    )
    _after(activity)
    if activity.assignee_id and activity.assignee_id != actor.pk:
        notify.tell(
            user_id=activity.assignee_id,
            kind="task.assigned",
            actor=actor,
            at=at,
            record_type="activity",
            record_id=activity.pk,
            facts={"title": activity.name},
        )
    return activity


def _moment_of(values: Values, actor: User) -> Any:
    """When it happened, if it did: the read value, not the text that was sent."""
    field = record_type("activity").field("done_at")
    given = values.get("done_at")
    return coerce(field, given, actor=actor) if given and field else None


def _first_line(body: str) -> str:
    return body.splitlines()[0][:120] if body else ""


def _place(about: tuple[str, int], actor: User) -> Values:
    """Where an activity hangs, with the account it rolls up to."""
    kind_name, record_id = about
    record = get_visible(actor, kind_name, record_id)
    account_id = record.pk if kind_name == "account" else getattr(record, "account_id", None)
    return {"about_type": kind_name, "about_id": record.pk, "account_id": account_id}


@transaction.atomic
def edit_activity(
    *,
    record: Activity,
    values: Values,
    actor: User,
    at: dt.datetime,
    version: int | None = None,
    batch: UUID | None = None,
) -> Activity:
    """Change facts of an activity."""
    before = record.assignee_id
    edited: Activity = fields.edit_record(
        kind=record_type("activity"),
        record=record,
        values=values,
        actor=actor,
        at=at,
        version=version,
        batch=batch,
    )
    _after(edited)
    if edited.assignee_id not in (None, before, actor.pk):
        notify.tell(
            user_id=edited.assignee_id or 0,
            kind="task.assigned",
            actor=actor,
            at=at,
            record_type="activity",
            record_id=edited.pk,
            facts={"title": edited.name},
        )
    return edited


@transaction.atomic
def finish_activity(
    *, activity: Activity, actor: User, at: dt.datetime, outcome: str = "", reopen: bool = False
) -> Activity:
    """Mark it done at `at` (or open again); doing it twice changes nothing."""
    row = Activity.objects.select_for_update().get(pk=activity.pk)
    if reopen == (row.done_at is None):
        return row
    values: Values = {"outcome": outcome} if outcome else {}
    done: Activity = fields.edit_record(
        kind=record_type("activity"),
        record=activity,
        values=values,
        actor=actor,
        at=at,
        facts={"done_at": None if reopen else at, "moment": at},
        verb="activity.reopened" if reopen else "activity.done",
    )
    _after(done)
    return done


def _after(activity: Activity) -> None:
    """Keep "last touch" and "next activity" of the record it hangs on, and of its account, true."""
    places = {(activity.about_type, activity.about_id), ("account", activity.account_id)}
    for kind_name, record_id in places:
        if kind_name and record_id:
            refresh_touch(kind_name, record_id)


def refresh_touch(kind_name: str, record_id: int) -> None:
    """Write last touch and next activity anew; the version stays, for nobody edited the record."""
    model = record_type(kind_name).model
    model._default_manager.filter(pk=record_id).update(**queries.touch_of(kind_name, record_id))
