"""A record's story: what was said and done, and what changed, in one line of time."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crm_core.activities import queries
from crm_core.activities.models import Activity
from crm_core.activities.notes import as_html
from crm_core.audit.models import Entry
from crm_core.audit.queries import history_of, newest_of
from crm_core.fields import catalogue, cells
from crm_core.registry import RecordType, record_type
from crm_platform.identity.models import User
from crm_platform.kernel.periods import local_date

PAGE = 30
ICONS = {"note": "notebook-pen", "task": "circle-check-big", "call": "phone", "meeting": "calendar"}
_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)
QUIET = {"created_at", "updated_at", "moment", "rank", "team"}


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that changed."""

    label: str
    old: SafeString | str
    new: SafeString | str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a timeline, or one open task."""

    id: int
    source: str
    kind: str
    icon: str
    who: str
    hue: int
    verb: str
    at: dt.datetime
    title: str = ""
    body: SafeString | str = ""
    changes: list[Change] = field(default_factory=list)
    due_at: dt.datetime | None = None
    due_days: int | None = None
    is_done: bool = False
    is_open: bool = False
    assignee: str = ""
    about: str = ""
    about_url: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Timeline:
    """Open activities first, then the story; `before` is where the next page begins."""

    upcoming: list[Item]
    past: list[Item]
    only: str
    before: str


def kinds() -> list[tuple[str, str]]:
    """What a timeline may be narrowed to: code and label."""
    return [
        ("", _("All")),
        ("note", _("Notes")),
        ("call", _("Calls")),
        ("meeting", _("Meetings")),
        ("task", _("Tasks")),
        ("changes", _("Changes")),
    ]


def _names(user_id: int | None) -> tuple[str, int]:
    person = catalogue.people().get(user_id or 0)
    return (person.name, person.hue) if person else ("Rapport", 1)


def _verb(activity: Activity) -> str:
    if activity.kind == Activity.Kind.NOTE:
        return _("wrote a note")
    if activity.kind == Activity.Kind.CALL:
        return _("logged a call")
    if activity.kind == Activity.Kind.MEETING:
        return _("logged a meeting")
    return _("finished a task")


def item_of(activity: Activity, *, about: str = "", user: User | None = None) -> Item:
    """An activity as a line; without its text where the role of `user` hides that."""
    is_open = activity.done_at is None and activity.kind != Activity.Kind.NOTE
    who, hue = _names(activity.assignee_id if is_open else activity.owner_id)
    days = None
    if activity.due_at is not None:
        days = (local_date(activity.due_at) - local_date(_now())).days
    verb = _verb(activity)
    return Item(
        id=activity.pk,
        source="activity",
        kind=activity.kind,
        icon=ICONS[activity.kind],
        who=who,
        hue=hue,
        verb=verb,
        at=activity.moment,
        title=activity.name,
        body="" if user and catalogue.hides(user, "activity", "body") else as_html(activity.body),
        due_at=activity.due_at,
        due_days=days,
        is_done=activity.done_at is not None,
        is_open=is_open,
        assignee=_names(activity.assignee_id)[0] if activity.assignee_id else "",
        about=about,
        about_url=_about_url(activity),
        version=activity.version,
    )


def _now() -> dt.datetime:
    from django.utils import timezone

    return timezone.now()


def _about_url(activity: Activity) -> str:
    if not activity.about_type:
        return ""
    return f"/{record_type(activity.about_type).slug}/{activity.about_id}/"


def verb_words(act: str) -> str:
    """The last part of a history entry's verb, in words."""
    return {
        "created": _("created this"),
        "edited": _("changed"),
        "changed": _("changed"),
        "moved": _("moved this"),
        "deleted": _("deleted this"),
        "restored": _("brought this back"),
        "imported": _("imported this"),
        "done": _("finished this"),
        "reopened": _("reopened this"),
        "added": _("added this"),
        "removed": _("removed this"),
        "archived": _("took this out of use"),
        "ordered": _("changed the order"),
        "shared": _("shared this"),
        "exported": _("exported this"),
        "closed": _("closed this"),
        "asked": _("asked for access"),
        "granted": _("agreed to the visit"),
        "refused": _("refused the visit"),
        "entered": _("came in"),
        "ended": _("ended the visit"),
        "viewed": _("looked at"),
        "hurried": _("asked for the update at once"),
        "switched_on": _("switched this on"),
        "switched_off": _("switched this off"),
        "promoted": _("brought this over from the rehearsal"),
        "unpromoted": _("took back what came from the rehearsal"),
    }.get(act, act.replace("_", " "))


def _entry_item(kind: RecordType, entry: Entry, user: User) -> Item:
    who, hue = _names(entry.actor_id)
    act = entry.verb.rpartition(".")[2]
    icons = {
        "created": "sparkles",
        "moved": "arrow-right",
        "deleted": "trash-2",
        "restored": "undo-2",
        "imported": "upload",
    }
    return Item(
        id=entry.pk,
        source="audit",
        kind=act,
        icon=icons.get(act, "pencil"),
        who=who,
        hue=hue,
        verb=verb_words(act),
        at=entry.at,
        changes=changes_of(kind, entry.changes, user),
    )


def changes_of(kind: RecordType, changes: dict[str, Any], user: User | None = None) -> list[Change]:
    """A history entry's changes, in words; without what the role of `user` hides."""
    known = {f.name: f for f in catalogue.fields_of(kind)}
    found = []
    for name, pair in changes.items():
        if name in QUIET or not isinstance(pair, list) or len(pair) != 2:
            continue
        if user is not None and catalogue.hides(user, kind.name, name):
            continue
        of = known.get(name)
        label = str(of.label) if of else name
        found.append(
            Change(label, cells.history_text(of, pair[0]), cells.history_text(of, pair[1]))
        )
    return found


def timeline_of(
    user: User, kind: RecordType, record_id: int, *, only: str = "", before: str = ""
) -> Timeline:
    """A page of a record's story. Two queries; one when `only` names a kind of activity."""
    until = parse_datetime(before.replace(" ", "+")) if before else None
    kind_only = only if only in ICONS else ""
    if until is None:
        size = 0 if only == "changes" else PAGE + 1
        rows = queries.story(user, kind.name, record_id, past_size=size, only=kind_only)
    elif only == "changes":
        rows = []
    else:
        earlier = queries.past(user, kind.name, record_id).filter(moment__lt=until)
        rows = list((earlier.filter(kind=kind_only) if kind_only else earlier)[: PAGE + 1])
    lines = [item_of(row, user=user) for row in rows]
    upcoming = sorted((i for i in lines if i.is_open), key=lambda i: (i.due_at or _LATEST, i.id))
    items = [item for item in lines if not item.is_open]
    if only in ("", "changes"):
        if until is None:
            entries = newest_of(kind.name, record_id)
        else:
            entries = list(history_of(kind.name, record_id).filter(at__lt=until)[: PAGE + 1])
        items += [_entry_item(kind, entry, user) for entry in entries]
    items.sort(key=lambda item: (item.at, item.source, item.id), reverse=True)
    more = items[PAGE - 1].at.isoformat() if len(items) > PAGE else ""
    return Timeline(upcoming, items[:PAGE], only, more)


def by_day(rows: list[Activity]) -> list[dict[str, Any]]:
    """Open activities in groups people plan by; empty groups are left out."""
    groups: dict[str, list[Item]] = {
        name: [] for name in ("late", "today", "week", "later", "none")
    }
    names = _about_names(rows)
    for row in rows:
        item = item_of(row, about=names.get((row.about_type, row.about_id or 0), ""))
        groups[_group_of(item.due_days)].append(item)
    labels = {
        "late": _("Late"),
        "today": _("Today"),
        "week": _("Next seven days"),
        "later": _("Later"),
        "none": _("Without a day"),
    }
    return [{"key": k, "label": labels[k], "items": v} for k, v in groups.items() if v]


def _group_of(days: int | None) -> str:
    if days is None:
        return "none"
    if days < 0:
        return "late"
    if days == 0:
        return "today"
    return "week" if days <= 7 else "later"


def _about_names(rows: list[Activity]) -> dict[tuple[str, int], str]:
    """The titles of the records these hang on. One query a kind."""
    wanted: dict[str, set[int]] = {}
    for row in rows:
        if row.about_type and row.about_id:
            wanted.setdefault(row.about_type, set()).add(row.about_id)
    names: dict[tuple[str, int], str] = {}
    for kind_name, ids in wanted.items():
        kind = record_type(kind_name)
        pairs = kind.model._default_manager.filter(pk__in=ids).values_list("pk", kind.title_field)
        names.update({(kind_name, pk): name for pk, name in pairs})
    return names
