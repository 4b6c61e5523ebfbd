"""The only code that makes and steers imports."""

import datetime as dt
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.exchange import guessing, limits, queries, reading, running, targets, undoing
from crm_core.exchange.choices import ColumnChoice, Options, columns_as_json, options_of
from crm_core.exchange.events import ImportWaits, UndoWaits
from crm_core.exchange.models import ImportJob, ImportRowIssue
from crm_core.exchange.topics import NAMED_BY
from crm_core.registry import RecordType
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Conflict, Invalid
from crm_platform.kernel.events import publish

if TYPE_CHECKING:
    from crm_core.exchange.samples import Totals

State = ImportJob.State
LAST_ENTRY = 2**62
"""Beyond every number of the history, from where taking back begins."""
run = running.run
undo = undoing.undo


@transaction.atomic
def start_import(
    *, kind_name: str, upload: File[Any], file_name: str, actor: User, at: dt.datetime
) -> ImportJob:
    """Take in a file, read it whole and guess what its columns mean.

    Raises:
        NotAllowed: the role does not import these.
        Invalid: the file is too large or cannot be read; the sentence says why.
    """
    kind = targets.demand_may_import(actor, kind_name)
    limits.demand_size(upload.size)
    job = ImportJob(
        kind=kind.name, file_name=Path(file_name).name[:200] or "file", actor=actor, created_at=at
    )
    job.file.save(job.file_name, upload, save=False)
    try:
        _read(job, kind, actor)
    except Invalid:
        job.file.delete(save=False)
        raise
    job.save()
    return job


@transaction.atomic
def read_again(
    *, job: ImportJob, actor: User, encoding: str = "", delimiter: str = "", sheet: str = ""
) -> ImportJob:
    """Read the file in another encoding, with another delimiter or from another sheet.

    Raises:
        Conflict: the import has begun.
        Invalid: it cannot be read that way.
    """
    job = _draft(job)
    kind = targets.demand_may_import(actor, job.kind)
    old = job.rows.name
    _read(job, kind, actor, encoding=encoding, delimiter=delimiter, sheet=sheet)
    job.save()
    transaction.on_commit(lambda: job.rows.storage.delete(str(old)))
    return job


def _read(job: ImportJob, kind: RecordType, actor: User, **how: str) -> None:
    with tempfile.TemporaryFile() as out:
        shape = reading.read_file(Path(job.file.path), out, **how)
        out.seek(0)
        job.rows.save("rows.jsonl", File(out), save=False)
    chosen = guessing.guess(shape, targets.fields_for(actor, kind))
    mapped = {choice.to for choice in chosen if choice.to}
    job.shape, job.total = shape.as_json(), shape.total
    job.columns = columns_as_json(chosen)
    job.options = Options(identify=targets.guessed_identifier(kind, mapped)).as_json()


def _draft(job: ImportJob) -> ImportJob:
    locked = ImportJob.objects.select_for_update().get(pk=job.pk)
    if locked.state != State.DRAFT:
        raise Conflict(_("This import has begun already."))
    return locked


@transaction.atomic
def choose(
    *, job: ImportJob, columns: list[ColumnChoice], options: Options, actor: User
) -> ImportJob:
    """Keep where the columns go and what to do in doubtful cases.

    Raises:
        Invalid: a fact is chosen twice or not open to the person, or one that every record needs
            has no column.
        Conflict: the import has begun.
    """
    job = _draft(job)
    kind = targets.demand_may_import(actor, job.kind)
    fields = targets.field_map(actor, kind)
    mapped = [choice.to for choice in columns if choice.to]
    for name in mapped:
        if name not in fields:
            raise Invalid(_("“%(name)s” cannot be imported.") % {"name": name})
        if mapped.count(name) > 1:
            raise Invalid(
                _("Two columns go to “%(label)s”. Choose one of them.")
                % {"label": fields[name].label}
            )
    named_by = NAMED_BY.get(kind.name, ())
    for field in fields.values():
        if field.required and field.name not in mapped and not set(named_by) & set(mapped):
            raise Invalid(_("Choose the column that holds “%(label)s”.") % {"label": field.label})
    if options.identify and options.identify not in targets.identifiers(kind, set(mapped)):
        raise Invalid(
            _("Rows can only be told apart by a column that is imported."), field="identify"
        )
    job.columns, job.options = columns_as_json(columns), options.as_json()
    job.save(update_fields=["columns", "options"])
    return job


@transaction.atomic
def start(*, job: ImportJob, actor: User, at: dt.datetime, ring: bool = True) -> ImportJob:
    """Put the job in line; `ring` calls a worker (a command runs it itself).

    Raises:
        Conflict: it has begun already, or too many of the company's wait.
        PlanLimitReached: each row would be a new record, and the plan has no room for so many.
    """
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    targets.demand_may_import(actor, job.kind)
    if job.state not in (State.DRAFT, State.FAILED):
        raise Conflict(_("This import has begun already."))
    limits.demand_place(queries.open_jobs())
    if job.state == State.DRAFT and not options_of(job.options).identify:
        limits.demand_room(targets.kind_of(job.kind), job.total)
    job.state, job.error, job.started_at, job.finished_at = State.READY, "", at, None
    job.actor = actor
    job.save(update_fields=["state", "error", "started_at", "finished_at", "actor"])
    audit.record(
        actor=actor, verb="import.started", at=at, on_type="import", batch=job.batch,
        changes={"file": [None, job.file_name], "rows": [None, job.total]},
    )  # fmt: skip
    if ring:
        publish(ImportWaits(job.pk))
    return job


@transaction.atomic
def cancel(*, job: ImportJob, actor: User, at: dt.datetime) -> ImportJob:
    """Stop a job after the chunk it is at; what was brought in stays, and can be taken back."""
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    targets.demand_may_import(actor, job.kind)
    if job.state not in (State.READY, State.RUNNING):
        raise Conflict(_("This import is not running."))
    job.state, job.finished_at, job.lease, job.lease_until = State.CANCELLED, at, None, None
    job.save(update_fields=["state", "finished_at", "lease", "lease_until"])
    audit.record(actor=actor, verb="import.cancelled", at=at, on_type="import", batch=job.batch)
    for waiting in queries.next_job():
        publish(ImportWaits(waiting))
    return job


@transaction.atomic
def discard(*, job: ImportJob, actor: User) -> None:
    """Forget a file that was not imported."""
    job = _draft(job)
    targets.demand_may_import(actor, job.kind)
    storage = job.file.storage
    names = [str(job.file.name), str(job.rows.name)]
    ImportRowIssue.objects.filter(job=job).delete()
    job.delete()
    for name in names:
        transaction.on_commit(partial(storage.delete, name))


@transaction.atomic
def ask_undo(*, job: ImportJob, actor: User, at: dt.datetime) -> ImportJob:
    """Take a finished import back: what it made to the trash, what it changed as it was.

    What somebody changed since stays.

    Raises:
        Conflict: it is not finished, or was taken back already.
    """
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    targets.demand_may_import(actor, job.kind)
    if job.state not in (State.DONE, State.CANCELLED, State.FAILED):
        raise Conflict(_("Only a finished import can be taken back."))
    job.state, job.lease_until, job.offset = State.UNDOING, at, LAST_ENTRY
    job.save(update_fields=["state", "lease_until", "offset"])
    audit.record(actor=actor, verb="import.undone", at=at, on_type="import", batch=job.batch)
    publish(UndoWaits(job.pk))
    return job


def sweep(*, at: dt.datetime) -> int:
    """Call a worker for every job left by a dead one, and for the next in line. Idempotent."""
    waiting = queries.waiting_jobs(at)
    states = dict(ImportJob.objects.filter(pk__in=waiting).values_list("pk", "state"))
    for job_id in waiting:
        undoes = states[job_id] == State.UNDOING
        publish(UndoWaits(job_id) if undoes else ImportWaits(job_id))
    return len(waiting)


def import_sample_sales(*, folder: Path, actor: User, at: dt.datetime) -> "list[Totals]":
    """Bring in the four files of the sales data set; see `samples.import_sample_sales`."""
    from crm_core.exchange import samples

    return samples.import_sample_sales(folder=folder, actor=actor, at=at)
