"""Reading imports."""

import datetime as dt

from django.db.models import Q, QuerySet

from crm_core.exchange.models import ImportJob, ImportRowIssue
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotFound

State = ImportJob.State


def jobs_visible_to(user: User) -> QuerySet[ImportJob]:
    """A person's own imports, newest first; everybody's for those who may see the history."""
    rows = ImportJob.objects.select_related("actor").order_by("-created_at", "-pk")
    return rows if rules.has_ability(user, "audit.view") else rows.filter(actor=user)


def get_job(user: User, job_id: int) -> ImportJob:
    """One import the person may see.

    Raises:
        NotFound: there is none.
    """
    job = jobs_visible_to(user).filter(pk=job_id).first()
    if job is None:
        raise NotFound("This import does not exist, or is not open to you.")
    return job


def issues_of(job: ImportJob, outcome: str = "") -> QuerySet[ImportRowIssue]:
    """What is to be said of single rows, in the order of the file."""
    rows = ImportRowIssue.objects.filter(job=job).order_by("row")
    return rows.filter(outcome=outcome) if outcome else rows


def waiting_jobs(at: dt.datetime) -> list[int]:
    """Jobs a worker should be called for: those whose worker died, else the next in line."""
    found = list(
        ImportJob.objects.filter(
            Q(state=State.RUNNING, lease_until__lt=at) | Q(state=State.UNDOING, lease_until__lt=at)
        ).values_list("pk", flat=True)
    )
    return found or next_job()


def open_jobs() -> int:
    """How many imports of the company wait or run."""
    return ImportJob.objects.filter(state__in=(State.READY, State.RUNNING)).count()


def next_job() -> list[int]:
    """The job that waited longest, unless one is running."""
    if ImportJob.objects.filter(state=State.RUNNING).exists():
        return []
    ready = ImportJob.objects.filter(state=State.READY).order_by("started_at", "pk")
    return list(ready.values_list("pk", flat=True)[:1])
