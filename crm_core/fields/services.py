"""The only code that writes records of any kind; topics add their rules before and after it."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.audit.models import Entry
from crm_core.fields import catalogue, values
from crm_core.registry import Field, Kind, RecordType, record_type, room
from crm_core.registry.events import RecordsSaved
from crm_core.registry.queries import live, visible_to
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid, NotFound
from crm_platform.kernel.events import publish
from crm_platform.kernel.models import apply_changes, expect_version, plain_value

Values = dict[str, Any]


def read_values(
    *, kind: RecordType, given: Values, actor: User, is_new: bool
) -> tuple[Values, Values]:
    """`(columns, custom)` ready to store, from values keyed by field name.

    Raises:
        Invalid: a name is unknown or read-only for this person, a value cannot be read, or a
            new record lacks a required fact.
    """
    known = {field.name: field for field in catalogue.fields_for(actor, kind)}
    columns: Values = {}
    custom: Values = {}
    for name, value in given.items():
        field = known.get(name)
        if field is None or not catalogue.may_write(actor, kind, field):
            raise Invalid(_("“%(name)s” cannot be changed here.") % {"name": name}, field=name)
        kept = values.coerce(field, value, actor=actor)
        if field.custom_key:
            custom[field.custom_key] = kept
        else:
            columns[_column_of(field)] = kept
    if is_new:
        _demand_required(known.values(), given, kind, actor)
    return columns, custom


def _column_of(field: Field) -> str:
    if field.is_key or field.kind in (Kind.LINK, Kind.USER, Kind.TEAM):
        return f"{field.column}_id"
    return field.column


def _demand_required(fields: Any, given: Values, kind: RecordType, actor: User) -> None:
    for field in fields:
        absent = field.name not in given
        if field.required and absent and catalogue.may_write(actor, kind, field):
            raise Invalid(_("“%(label)s” is needed.") % {"label": field.label}, field=field.name)


@transaction.atomic
def create_record(
    *,
    kind: RecordType,
    values: Values,
    actor: User,
    at: dt.datetime,
    facts: Values | None = None,
) -> Any:
    """Make a record; `facts` are columns the topic decided itself.

    The maker becomes the owner unless `values` names one; the team is the owner's.

    Raises:
        NotAllowed: the role creates no such record.
        PlanLimitReached: the plan holds no more of them.
        Invalid: see `read_values`.
    """
    rules.demand(actor, "create", kind.name)
    room.demand(kind)
    columns, custom = read_values(kind=kind, given=values, actor=actor, is_new=True)
    columns.setdefault("owner_id", actor.pk)
    columns.setdefault("team_id", _team_of(columns["owner_id"]))
    record = kind.model._default_manager.create(
        **{**columns, **(facts or {})},
        custom={key: value for key, value in custom.items() if value is not None},
        created_at=at,
        created_by=actor,
        updated_at=at,
        updated_by=actor,
    )
    audit.record(actor=actor, verb=f"{kind.name}.created", on=record, on_type=kind.name, at=at)
    publish(RecordsSaved(kind.name, (record.pk,), created=True))
    return record


def _team_of(user_id: int | None) -> int | None:
    person = catalogue.people().get(user_id or 0)
    return person.team_id if person else None


@transaction.atomic
def edit_record(
    *,
    kind: RecordType,
    record: Any,
    values: Values,
    actor: User,
    at: dt.datetime,
    version: int | None = None,
    facts: Values | None = None,
    verb: str = "",
    batch: UUID | None = None,
) -> Any:
    """Change facts of one record; returns it as it is now. Nothing different: nothing written.

    Raises:
        NotFound: it is gone or in the trash.
        NotAllowed: the role does not let this person change it.
        Conflict: `version` is given and somebody was faster.
        Invalid: see `read_values`.
    """
    row = live(kind).select_for_update().filter(pk=record.pk).first()
    if row is None:
        raise NotFound(_("This record was deleted meanwhile."))
    rules.demand(actor, "edit", kind.name, row)
    expect_version(row, version)
    columns, custom = read_values(kind=kind, given=values, actor=actor, is_new=False)
    changes = {**columns, **(facts or {})}
    if "owner_id" in changes and "team_id" not in changes and changes["owner_id"] != row.owner_id:
        changes["team_id"] = _team_of(changes["owner_id"])
    if custom:
        merged = {**row.custom, **custom}
        changes["custom"] = {key: value for key, value in merged.items() if value is not None}
    diff = change_columns(kind, row, changes, actor=actor, at=at)
    if diff:
        audit.record(
            actor=actor,
            verb=verb or f"{kind.name}.edited",
            on=row,
            on_type=kind.name,
            changes=diff,
            at=at,
            batch=batch,
        )
        publish(RecordsSaved(kind.name, (row.pk,)))
    return row


def change_columns(
    kind: RecordType, row: Any, changes: Values, *, actor: User, at: dt.datetime
) -> Values:
    """Save what differs; the diff is keyed by field name, custom values one by one (`x_<key>`)."""
    old_custom = dict(row.custom)
    diff = apply_changes(row, changes, at=at, actor=actor)
    names = {_column_of(field): field.name for field in kind.fields}
    named = {names.get(name, name): pair for name, pair in diff.items() if name != "custom"}
    if "custom" in diff:
        for key in {*old_custom, *row.custom}:
            if old_custom.get(key) != row.custom.get(key):
                named[f"x_{key}"] = [old_custom.get(key), row.custom.get(key)]
    return named


@transaction.atomic
def delete_records(
    *, kind: RecordType, ids: list[int], actor: User, at: dt.datetime
) -> tuple[UUID, int]:
    """Move records to the trash; returns the batch that undoes it, and how many went.

    Records the person may not delete refuse the whole act, so that nothing is half done.

    Raises:
        NotAllowed: one of them is not theirs to delete.
    """
    seen = visible_to(actor, kind).select_related(None).filter(pk__in=ids)
    rows = list(live(kind).select_for_update().filter(pk__in=seen.values("pk")))
    for row in rows:
        rules.demand(actor, "delete", kind.name, row)
    batch = uuid4()
    keys = [row.pk for row in rows]
    kind.model._default_manager.filter(pk__in=keys).update(deleted_at=at, deleted_by=actor)
    audit.record_many(
        actor=actor,
        verb=f"{kind.name}.deleted",
        at=at,
        on_type=kind.name,
        batch=batch,
        entries=[(row, {}) for row in rows],
    )
    publish(RecordsSaved(kind.name, tuple(keys)))
    return batch, len(rows)


@transaction.atomic
def restore_records(*, kind: RecordType, ids: list[int], actor: User, at: dt.datetime) -> int:
    """Bring records back from the trash; returns how many came.

    Raises:
        NotAllowed: one of them is not theirs to restore.
    """
    trash = kind.model._default_manager.filter(deleted_at__isnull=False, pk__in=ids)
    rows = list(trash.select_for_update())
    for row in rows:
        rules.demand(actor, "delete", kind.name, row)
    keys = [row.pk for row in rows]
    kind.model._default_manager.filter(pk__in=keys).update(deleted_at=None, deleted_by=None)
    audit.record_many(
        actor=actor,
        verb=f"{kind.name}.restored",
        at=at,
        on_type=kind.name,
        entries=[(row, {}) for row in rows],
    )
    publish(RecordsSaved(kind.name, tuple(keys)))
    return len(rows)


@transaction.atomic
def edit_many(
    *, kind: RecordType, ids: list[int], values: Values, actor: User, at: dt.datetime
) -> tuple[UUID, int]:
    """Give many records the same facts, each through the kind's own `edit`; all or nothing.

    Returns the batch that undoes it, and how many records changed.
    """
    rules.demand_ability(actor, "records.bulk")
    batch = uuid4()
    changed = 0
    for row in visible_to(actor, kind).filter(pk__in=ids).order_by("pk"):
        before = row.version
        after = kind.edit(record=row, values=dict(values), actor=actor, at=at, batch=batch)
        changed += after.version != before
    return batch, changed


@transaction.atomic
def tag_many(
    *,
    kind: RecordType,
    ids: list[int],
    add: list[int],
    remove: list[int],
    actor: User,
    at: dt.datetime,
) -> tuple[UUID, int]:
    """Put tags on many records and take others off; returns the batch and how many changed."""
    rules.demand_ability(actor, "records.bulk")
    batch = uuid4()
    changed = 0
    for row in visible_to(actor, kind).filter(pk__in=ids).order_by("pk"):
        wanted = sorted((set(row.tag_ids) | set(add)) - set(remove))
        if wanted != row.tag_ids:
            kind.edit(record=row, values={"tags": wanted}, actor=actor, at=at, batch=batch)
            changed += 1
    return batch, changed


@transaction.atomic
def undo_batch(*, batch: UUID, actor: User, at: dt.datetime) -> tuple[int, int]:
    """Take back one act on records; returns how many were put back and how many were not.

    A fact that somebody changed again since is left as it is now.
    """
    done = left = 0
    for entry in Entry.objects.filter(batch=batch, actor_id=actor.pk).order_by("id"):
        kind = record_type(entry.record_type)
        if entry.verb.endswith(".deleted"):
            done += restore_records(kind=kind, ids=[entry.record_id or 0], actor=actor, at=at)
            continue
        row = live(kind).filter(pk=entry.record_id).first()
        back = _still_as_left(kind, row, entry.changes) if row else {}
        if back:
            kind.edit(record=row, values=back, actor=actor, at=at)
            done += 1
        else:
            left += 1
    return done, left


def _still_as_left(kind: RecordType, row: Any, changes: Values) -> Values:
    """The old values of the facts that nobody touched since."""
    back: Values = {}
    for name, (old, new) in changes.items():
        field = next((f for f in catalogue.fields_of(kind) if f.name == name), None)
        if field is None or not field.is_editable:
            continue
        now = (
            row.custom.get(field.custom_key)
            if field.custom_key
            else getattr(row, _column_of(field))
        )
        if plain_value(now) == new:
            back[name] = old
    return back
