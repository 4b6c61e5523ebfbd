"""The only code that writes saved views and stars."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.fields.lists import ListQuery
from crm_core.fields.models import SavedView, Star
from crm_core.registry import RecordType
from crm_core.registry.queries import get_visible
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import snapshot
from crm_platform.kernel.errors import Invalid, NotAllowed
from crm_platform.kernel.models import apply_changes

MOST_VIEWS = 60


@transaction.atomic
def save_view(
    *,
    kind: RecordType,
    name: str,
    query: ListQuery,
    actor: User,
    at: dt.datetime,
    is_shared: bool = False,
    is_pinned: bool = False,
    layout: str = "list",
) -> SavedView:
    """Keep a list's address under a name.

    Raises:
        NotAllowed: it is to be shared and the role shares no views.
        Invalid: too many views, or the person has one of that name already.
    """
    if is_shared:
        rules.demand_ability(actor, "views.share")
    own = SavedView.objects.filter(owner=actor, record_type=kind.name)
    if own.count() >= MOST_VIEWS:
        raise Invalid(_("You have %(count)d views here; remove one first.") % {"count": MOST_VIEWS})
    if own.filter(name__iexact=name).exists():
        raise Invalid(_("You have a view of this name already."), field="name")
    last = SavedView.objects.aggregate(last=Max("position"))["last"] or 0
    view = SavedView.objects.create(
        record_type=kind.name,
        name=name,
        owner=actor,
        is_shared=is_shared,
        is_pinned=is_pinned,
        layout=layout if layout == "board" else "list",
        position=last + 1,
        **_shape(query),
    )
    if is_shared:
        audit.record(actor=actor, verb="view.shared", on=view, on_type="view", at=at)
    snapshot.bump()
    return view


def _shape(query: ListQuery) -> dict[str, Any]:
    return {
        "filters": [each.code for each in query.filters],
        "sort": query.sort,
        "columns": list(query.columns),
    }


@transaction.atomic
def change_view(
    *,
    view: SavedView,
    actor: User,
    at: dt.datetime,
    query: ListQuery | None = None,
    name: str = "",
    is_shared: bool | None = None,
    is_pinned: bool | None = None,
) -> SavedView:
    """Change what a view shows, its name or its reach.

    Raises:
        NotAllowed: it is somebody else's and the role does not manage shared views.
    """
    _demand_change(view, actor)
    row = SavedView.objects.select_for_update().get(pk=view.pk)
    changes: dict[str, Any] = _shape(query) if query else {}
    if name:
        changes["name"] = name
    if is_pinned is not None:
        changes["is_pinned"] = is_pinned
    if is_shared is not None and is_shared != row.is_shared:
        rules.demand_ability(actor, "views.share")
        changes["is_shared"] = is_shared
    diff = apply_changes(row, changes)
    if diff and row.is_shared:
        audit.record(actor=actor, verb="view.changed", on=row, on_type="view", changes=diff, at=at)
    snapshot.bump()
    return row


@transaction.atomic
def remove_view(*, view: SavedView, actor: User, at: dt.datetime) -> None:
    """Forget a view; the records it showed stay.

    Raises:
        NotAllowed: it is somebody else's and the role does not manage shared views.
    """
    _demand_change(view, actor)
    if view.is_shared:
        audit.record(actor=actor, verb="view.removed", on=view, on_type="view", at=at)
    SavedView.objects.filter(pk=view.pk).delete()
    snapshot.bump()


def _demand_change(view: SavedView, actor: User) -> None:
    theirs = view.owner_id == actor.pk
    if not theirs and not (view.is_shared and rules.has_ability(actor, "views.share")):
        raise NotAllowed(_("This view belongs to somebody else. Save it as a new one."))


@transaction.atomic
def star(*, kind: RecordType, record_id: int, actor: User, on: bool) -> bool:
    """Mark a record to find it again, or take the mark off; doing it twice changes nothing."""
    record = get_visible(actor, kind, record_id)
    if on:
        Star.objects.get_or_create(user=actor, record_type=kind.name, record_id=record.pk)
    else:
        Star.objects.filter(user=actor, record_type=kind.name, record_id=record.pk).delete()
    return on
