"""Taking a whole import back: what it made goes to the trash, what it changed becomes as before."""

import datetime as dt
from typing import Any

from crm_core.audit import services as audit
from crm_core.audit.models import Entry
from crm_core.exchange import bulk, targets
from crm_core.exchange.models import ImportJob
from crm_core.exchange.pacing import Clock
from crm_core.exchange.running import LEASE
from crm_core.exchange.topics import TOPICS, Topic
from crm_core.exchange.writing import column_of
from crm_core.fields import catalogue
from crm_core.registry import Field, RecordType, record_type, record_types
from crm_core.registry.events import RecordsSaved
from crm_core.registry.queries import live
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from crm_platform.kernel.events import publish
from crm_platform.kernel.models import plain_value
from crm_platform.kernel.tasks import keep_place

State = ImportJob.State
Values = dict[str, Any]
Fields = dict[str, Field]
CHUNK = 1000


def undo(*, job_id: int, clock: Clock) -> None:
    """Take back a job in state UNDOING, chunk by chunk; going on after a crash loses nothing."""
    scope = tenancy.current_company()
    while True:
        with tenancy.unit_of_work(scope):
            audit.use_channel("import")
            job = ImportJob.objects.select_for_update().filter(pk=job_id).first()
            if job is None or job.state != State.UNDOING:
                return
            at = clock()
            keep_place(at=at)
            job.lease_until = at + LEASE
            if not _step(job, at):
                job.state, job.lease_until = State.UNDONE, None
            job.save(update_fields=["state", "lease_until", "offset"])


def _step(job: ImportJob, at: dt.datetime) -> bool:
    """The next chunk; False when nothing is left."""
    actor = User.objects.select_related("role").get(pk=job.actor_id or 0)
    for kind in record_types():
        if _trash(kind, job, actor, at):
            return True
    if job.kind == targets.PERSON:
        return False
    return bool(_put_back(record_type(job.kind), job, actor, at))


def _trash(kind: RecordType, job: ImportJob, actor: User, at: dt.datetime) -> int:
    """Move some of what the import made to the trash, except what was changed since."""
    rows = live(kind).filter(batch=job.batch, updated_at__lte=job.finished_at or at)
    gone = list(rows.select_for_update().order_by("pk")[:CHUNK])
    if not gone:
        return 0
    keys = [row.pk for row in gone]
    kind.model._default_manager.filter(pk__in=keys).update(deleted_at=at, deleted_by=actor)
    audit.record_many(
        actor=actor, verb=f"{kind.name}.deleted", at=at, on_type=kind.name, batch=job.batch,
        entries=[(row, {}) for row in gone],
    )  # fmt: skip
    publish(RecordsSaved(kind.name, tuple(keys)))
    return len(gone)


def _put_back(kind: RecordType, job: ImportJob, actor: User, at: dt.datetime) -> int:
    """Undo some changes of records that were there before; facts changed again since stay.

    `job.offset` remembers the history entry reached, the newest come first.
    """
    entries = list(
        Entry.objects.filter(batch=job.batch, record_type=kind.name, id__lt=job.offset)
        .exclude(changes={})
        .order_by("-id")[:CHUNK]
    )
    if not entries:
        return 0
    ids = {entry.record_id for entry in entries}
    rows = live(kind).select_for_update().filter(pk__in=ids)
    known = {row.pk: row for row in rows}
    slow = TOPICS.get(kind.name, Topic).slow
    fields = {field.name: field for field in catalogue.fields_of(kind) if field.is_editable}
    diffs: dict[int, Values] = {}
    for entry in entries:
        row = known.get(entry.record_id)
        if row is None or row.batch == job.batch:
            continue
        back = _old_values(fields, row, entry.changes)
        asked = {name: back.pop(name)[1] for name in slow & back.keys()}
        if asked:
            known[row.pk] = _edited(kind, row, asked, actor, at)
        for name, pair in back.items():
            _set(fields[name], known[row.pk], pair[1])
            diffs.setdefault(row.pk, {})[name] = pair
    _write(kind, fields, {pk: known[pk] for pk in diffs}, diffs, actor=actor, at=at)
    job.offset = entries[-1].pk
    return len(entries)


def _edited(kind: RecordType, row: Any, values: Values, actor: User, at: dt.datetime) -> Any:
    """The record after its topic took facts back; what cannot be taken back stays as it is."""
    try:
        return kind.edit(record=row, values=values, actor=actor, at=at)
    except DomainError:
        return row


def _old_values(fields: Fields, row: Any, changes: Values) -> dict[str, list[Any]]:
    """`[now, before]` of each fact nobody touched since."""
    back = {}
    for name, (old, new) in changes.items():
        field = fields.get(name)
        if field is None:
            continue
        path = column_of(field)
        now = row.custom.get(field.custom_key) if field.custom_key else getattr(row, path)
        if plain_value(now) == new:
            back[name] = [new, old]
    return back


def _set(field: Field, row: Any, value: Any) -> None:
    if not field.custom_key:
        setattr(row, column_of(field), value)
        return
    row.custom = {**row.custom, field.custom_key: value}
    if value is None:
        del row.custom[field.custom_key]


def _write(
    kind: RecordType,
    fields: Fields,
    rows: dict[int, Any],
    diffs: dict[int, Values],
    *,
    actor: User,
    at: dt.datetime,
) -> None:
    if not rows:
        return
    names = {name for diff in diffs.values() for name in diff}
    columns = ["custom", *{column_of(fields[n]) for n in names if not fields[n].custom_key}]
    stamped = [
        {
            "id": pk,
            "updated_at": at,
            "updated_by_id": actor.pk,
            **{name: getattr(row, name) for name in columns},
        }
        for pk, row in rows.items()
    ]
    bulk.update_rows(kind.model, stamped, [*columns, "updated_at", "updated_by_id"])
    bulk.copy_entries(
        at=at, actor_id=actor.pk, verb=f"{kind.name}.edited", kind=kind.name, batch=None,
        entries=[(pk, str(row.name), diffs[pk]) for pk, row in rows.items()],
    )  # fmt: skip
    publish(RecordsSaved(kind.name, tuple(rows)))
