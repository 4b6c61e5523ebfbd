"""Running an import: chunk after chunk, each one transaction with its own checkpoint.

A worker holds the job by a lease that every chunk renews, for one turn; the next turn is for
whoever brings its ticket, behind what other companies asked for meanwhile. The checkpoint, the
counters and the records of a chunk are kept together or not at all, so whoever goes on after a
crash begins exactly behind the last row that was kept.
"""

import datetime as dt
from typing import BinaryIO, Protocol
from uuid import UUID, uuid4

import psycopg
from django.db import DataError, IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.exchange import bulk, people, queries, reading, targets
from crm_core.exchange.choices import columns_of, options_of
from crm_core.exchange.columns import Draft, Readers
from crm_core.exchange.events import ImportWaits
from crm_core.exchange.models import ImportJob, ImportRowIssue
from crm_core.exchange.pacing import Came, Clock, Pacer, Rest, no_rest
from crm_core.exchange.topics import TOPICS, Topic
from crm_core.exchange.writing import Writer
from crm_core.notify import services as notify
from crm_core.registry import Kind
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from crm_platform.kernel.events import publish

State = ImportJob.State
CHUNK, SLOW_CHUNK = 2000, 200
"""Rows a transaction; the smaller where known records may need their topic's `edit`, one by one."""
LEASE = dt.timedelta(seconds=30)
TICKET = dt.timedelta(minutes=5)
"""How long a ticket keeps others off; then the sweep goes on without it."""
REFUSED = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError, DomainError)
"""What one bad row can cause; anything else is a fault of ours."""


class Stopped(Exception):
    """The job is not ours any more: cancelled, or taken over by another worker."""


class RowWriter(Protocol):
    """Plans and stores drafts of one kind."""

    def plan(self, drafts: list[Draft]) -> None: ...

    def store(self, drafts: list[Draft], *, at: dt.datetime) -> None: ...

    def absent_links(self) -> set[tuple[str, str]]: ...


class Pass:
    """All that is made once for a run (or a preview): readers and writer."""

    def __init__(self, job: ImportJob, actor: User, *, is_trial: bool = False) -> None:
        self.kind = targets.demand_may_import(actor, job.kind)
        self.actor, self.job = actor, job
        self.options = options_of(job.options)
        fields = targets.field_map(actor, self.kind)
        self.readers = Readers(
            kind_name=job.kind, fields=fields, chosen=columns_of(job.columns),
            options=self.options, actor=actor,
        )  # fmt: skip
        places = self.readers.places
        topic = TOPICS.get(job.kind, Topic)
        self.topic = topic(options=self.options, actor=actor, places=places, is_trial=is_trial)
        self.writer: RowWriter
        if job.kind == targets.PERSON:
            self.writer = people.PeopleWriter(
                options=self.options, actor=actor, batch=job.batch, places=places
            )
        else:
            self.writer = Writer(
                kind=self.kind, fields=fields, options=self.options, topic=self.topic,
                actor=actor, batch=job.batch, places=places,
            )  # fmt: skip

    def prepare(self, *, at: dt.datetime) -> None:
        """Make what the whole file needs; doing it again changes nothing."""
        shape = reading.shape_of(self.job.shape)
        facts = {name: shape.columns[place] for name, place in self.readers.places.items()}
        if self.options.owners == "create" and rules.has_ability(self.actor, "users.manage"):
            names = [
                text
                for column in self.readers.columns
                if column.field.kind is Kind.USER
                for text in facts[column.field.name].distinct
            ]
            people.add_strangers(names=names, actor=self.actor, at=at)
        self.topic.prepare(facts, at=at)

    def drafts(self, rows: list[tuple[int, list[str]]]) -> list[Draft]:
        return [self.readers.draft(number, cells) for number, cells in rows]

    def write(self, rows: list[tuple[int, list[str]]], *, at: dt.datetime) -> list[Draft]:
        """Bring rows in. A row the database refuses is found by halving and fails alone."""
        drafts = self.drafts(rows)
        try:
            with transaction.atomic():
                self.writer.plan(drafts)
                self.writer.store(drafts, at=at)
        except REFUSED as refusal:
            if len(rows) > 1:
                middle = len(rows) // 2
                return self.write(rows[:middle], at=at) + self.write(rows[middle:], at=at)
            is_told = isinstance(refusal, DomainError)
            drafts[0].fail(str(refusal) if is_told else _("A value here cannot be stored."))
        return drafts


def run(
    *, job_id: int, clock: Clock, chunk: int = CHUNK, rest: Rest = no_rest,
    turn: dt.timedelta | None = None, ticket: UUID | None = None,
) -> Came:  # fmt: skip
    """Run a job to its end, or for a `turn` (then `ticket` says where the last one ended).

    Called outside a transaction, with the company chosen. `rest` waits the seconds it is told.
    """
    scope, lease = tenancy.current_company(), uuid4()
    with tenancy.unit_of_work(scope):
        began = clock()
        job, wait = _claim(job_id, lease, began, ticket)
        if job is None:
            return Came(wait)
        actor = _actor(job)
    until = None if turn is None else began + turn
    try:
        with translation.override(actor.language):
            if not _run_all(scope, job, actor, lease, Pacer(clock, rest, until), chunk):
                return Came(ticket=_give_turn(scope, job_id, lease, clock()))
    except Stopped:
        return Came()
    except Exception as error:
        with tenancy.unit_of_work(scope):
            _fail(job_id, lease, error, clock())
        if not isinstance(error, DomainError):
            raise
    return Came()


def _run_all(
    scope: tenancy.Scope, job: ImportJob, actor: User, lease: UUID, pacer: Pacer, chunk: int
) -> bool:
    """Whether the job is done; False: its turn is over."""
    if not job.offset:
        with tenancy.unit_of_work(scope):
            audit.use_channel("import")
            Pass(job, actor).prepare(at=pacer.clock())
    with tenancy.unit_of_work(scope):
        made = Pass(job, actor)
        path = job.rows.path
    if made.options.identify and made.topic.slow & made.readers.places.keys():
        chunk = min(chunk, SLOW_CHUNK)
    with open(path, "rb") as stream:  # noqa: PTH123  read by offset
        while True:
            at = pacer.clock()
            with tenancy.unit_of_work(scope):
                bulk.commit_lazily()
                audit.use_channel("import")
                rows = _step(made, stream, lease, at, chunk)
            if not rows:
                return True
            if not pacer.after_chunk(rows=rows, began=at):
                return False


def _give_turn(scope: tenancy.Scope, job_id: int, lease: UUID, at: dt.datetime) -> UUID | None:
    """Let the job go, for whoever brings the ticket; None where it was stopped meanwhile."""
    ticket = uuid4()
    with tenancy.unit_of_work(scope):
        held = ImportJob.objects.filter(pk=job_id, state=State.RUNNING, lease=lease)
        kept = held.update(lease=ticket, lease_until=at + TICKET)
    return ticket if kept else None


def _claim(
    job_id: int, lease: UUID, at: dt.datetime, ticket: UUID | None
) -> tuple[ImportJob | None, int]:
    """The job, now ours; or None and the seconds its present holder's lease still lasts."""
    job = ImportJob.objects.select_for_update().filter(pk=job_id).first()
    if job is None or job.state not in (State.READY, State.RUNNING):
        return None, 0
    is_held = job.state == State.RUNNING and job.lease_until and job.lease_until > at
    if is_held and not (ticket and job.lease == ticket):
        assert job.lease_until is not None
        return None, int((job.lease_until - at).total_seconds())
    if job.state == State.READY and not queries.next_job():
        return None, 0
    try:
        with transaction.atomic():
            job.state, job.lease, job.lease_until = State.RUNNING, lease, at + LEASE
            job.started_at = job.started_at or at
            job.save(update_fields=["state", "lease", "lease_until", "started_at"])
    except IntegrityError:
        return None, 0  # another job began this very moment; its end calls us
    return job, 0


def _actor(job: ImportJob) -> User:
    return User.objects.select_related("role", "team").get(pk=job.actor_id or 0)


def _step(made: Pass, stream: BinaryIO, lease: UUID, at: dt.datetime, chunk: int) -> int:
    """Bring in the next chunk and say how many rows it had; 0: there was none, the job is done."""
    job = ImportJob.objects.select_for_update().get(pk=made.job.pk)
    if job.state != State.RUNNING or job.lease != lease:
        raise Stopped
    read = list(reading.rows_from(stream, job.offset, chunk))
    if not read:
        _finish(job, made.actor, at)
        return 0
    drafts = made.write([(number, cells) for number, cells, _end in read], at=at)
    for draft in drafts:
        setattr(job, draft.outcome, getattr(job, draft.outcome) + 1)
    _keep_issues(job, drafts)
    job.row, job.offset = read[-1][0], read[-1][2]
    job.lease_until = at + LEASE
    job.save(
        update_fields=["created", "updated", "skipped", "failed", "row", "offset", "lease_until"]
    )
    return len(read)


def _keep_issues(job: ImportJob, drafts: list[Draft]) -> None:
    outcome = ImportRowIssue.Outcome
    found = [
        ImportRowIssue(
            job=job, row=draft.number, reason=draft.reason,
            outcome=draft.outcome if draft.outcome in ("failed", "skipped") else outcome.NOTE,
            values=draft.cells if draft.outcome == "failed" else [],
        )
        for draft in drafts
        if draft.notes or draft.problems
    ]  # fmt: skip
    if found:
        ImportRowIssue.objects.bulk_create(found)


def _finish(job: ImportJob, actor: User, at: dt.datetime) -> None:
    job.state, job.finished_at, job.lease, job.lease_until = State.DONE, at, None, None
    job.save(update_fields=["state", "finished_at", "lease", "lease_until"])
    counts = {
        name: getattr(job, name) for name in ("total", "created", "updated", "skipped", "failed")
    }
    audit.record(
        actor=actor, verb="import.finished", at=at, on_type="import", batch=job.batch,
        changes={name: [None, count] for name, count in counts.items()},
    )  # fmt: skip
    notify.tell(
        user_id=actor.pk, kind="import.finished", at=at, actor=actor,
        facts={"job": job.pk, "title": job.file_name, "kind": job.kind, **counts},
    )  # fmt: skip
    _ring_next()


def _fail(job_id: int, lease: UUID, error: Exception, at: dt.datetime) -> None:
    """Stop the job where it is; what was kept stays, and it can be continued."""
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    if job.lease != lease:
        return
    told = str(error) if isinstance(error, DomainError) else ""
    job.state, job.finished_at, job.lease, job.lease_until = State.FAILED, at, None, None
    job.error = told[:300] or _("Something went wrong on our side. We have been told.")
    job.save(update_fields=["state", "finished_at", "lease", "lease_until", "error"])
    if job.actor_id:
        notify.tell(
            user_id=job.actor_id, kind="import.failed", at=at,
            facts={"job": job.pk, "title": job.file_name, "error": job.error},
        )  # fmt: skip
    _ring_next()


def _ring_next() -> None:
    for waiting in queries.next_job():
        publish(ImportWaits(waiting))
