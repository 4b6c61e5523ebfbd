"""Taking a whole import back: what it made goes to the trash, what it changed becomes as before."""

import datetime as dt
from typing import Any

from crm_core.audit import services as audit
from crm_core.audit.models import Entry
from crm_core.exchange import targets
from crm_core.exchange.models import ImportJob
from crm_core.exchange.running import LEASE, Clock
from crm_core.fields import catalogue
from crm_core.registry import RecordType, record_type, record_types
from crm_core.registry.events import RecordsSaved
from crm_core.registry.queries import live
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from crm_platform.kernel.events import publish
from crm_platform.kernel.models import plain_value

State = ImportJob.State
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
            job.lease_until = at + LEASE
            if not _step(job, at):
                job.state, job.lease_until = State.UNDONE, None
            job.save(update_fields=["state", "lease_until"])


def _step(job: ImportJob, at: dt.datetime) -> bool:
    """The next chunk; False when nothing is left."""
    actor = User.objects.select_related("role").get(pk=job.actor_id or 0)
    for kind in record_types():
        if _trash(kind, job, actor, at):
            return True
    _put_back(job, actor, at)
    return False


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


def _put_back(job: ImportJob, actor: User, at: dt.datetime) -> None:
    """Undo changes of records that were there before; facts changed again since stay."""
    if job.kind == targets.PERSON:
        return
    kind = record_type(job.kind)
    entries = Entry.objects.filter(batch=job.batch, record_type=kind.name)
    for entry in entries.exclude(changes={}).order_by("-id").iterator(chunk_size=CHUNK):
        row = live(kind).filter(pk=entry.record_id).exclude(batch=job.batch).first()
        back = _old_values(kind, row, entry.changes) if row else {}
        if back:
            try:
                kind.edit(record=row, values=back, actor=actor, at=at)
            except DomainError:
                continue  # what cannot be put back any more stays as it is


def _old_values(kind: RecordType, row: Any, changes: dict[str, Any]) -> dict[str, Any]:
    known = {field.name: field for field in catalogue.fields_of(kind)}
    back = {}
    for name, (old, new) in changes.items():
        field = known.get(name)
        if field is None or not field.is_editable:
            continue
        path = field.value_path
        now = row.custom.get(field.custom_key) if field.custom_key else getattr(row, path)
        if plain_value(now) == new:
            back[name] = old
    return back
