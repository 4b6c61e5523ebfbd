"""A job that was started: how far it is, what came of it, and taking it back."""

from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm_core.exchange import exporting, queries, services, targets
from crm_core.exchange.models import ImportJob
from crm_core.exchange.reading import shape_of
from crm_core.fields.requests import StaffRequest
from crm_platform.identity.decorators import ability_required
from crm_platform.ui.answers import is_htmx, visit
from crm_platform.ui.toast import toast

ISSUES_SHOWN = 50
State = ImportJob.State
AT_WORK = (State.READY, State.RUNNING, State.UNDOING)


def report_page(request: StaffRequest, job: ImportJob) -> HttpResponse:
    """Progress while it runs, else the report."""
    kind = targets.kind_of(job.kind)
    from crm_core.exchange.views.imports import steps

    context: dict[str, Any] = {"job": job, "kind": kind, "steps": steps("report")}
    if job.state in AT_WORK:
        return render(request, "exchange/progress.html", {**context, "progress": progress_of(job)})
    issues = list(queries.issues_of(job)[: ISSUES_SHOWN + 1])
    context.update(
        issues=issues[:ISSUES_SHOWN], has_more=len(issues) > ISSUES_SHOWN,
        may_undo=job.state in (State.DONE, State.CANCELLED, State.FAILED)
        and job.kind != targets.PERSON and bool(job.created or job.updated),
        may_continue=job.state == State.FAILED and job.seen < job.total,
        left=job.total - job.seen,
        seconds=(job.finished_at - job.started_at).total_seconds()
        if job.finished_at and job.started_at else None,
    )  # fmt: skip
    return render(request, "exchange/report.html", context)


def progress_of(job: ImportJob) -> dict[str, Any]:
    """What `ui/_progress.html` needs."""
    if job.state == State.UNDOING:
        title, note = _("Taking the import back"), _("What it made goes to the trash.")
    elif job.state == State.READY:
        title, note = job.file_name, _("Waiting for its turn …")
    else:
        title, note = job.file_name, ""
    return {
        "id": job.pk, "title": title, "note": note, "done": job.seen, "total": job.total,
        "percent": 100 * job.seen / job.total if job.total else 0, "finished": False,
        "failed": False, "url": reverse("exchange:progress", args=[job.pk]),
    }  # fmt: skip


@require_safe
@ability_required("records.import")
def progress(request: StaffRequest, job_id: int) -> HttpResponse:
    """The bar; once the work has ended, the way to the report."""
    job = queries.get_job(request.user, job_id)
    page = reverse("exchange:job", args=[job.pk])
    if job.state not in AT_WORK:
        return visit(page) if is_htmx(request) else redirect(page)
    return render(request, "ui/_progress.html", {"job": progress_of(job)})


@require_POST
@ability_required("records.import")
def cancel(request: StaffRequest, job_id: int) -> HttpResponse:
    """Stop the job."""
    job = queries.get_job(request.user, job_id)
    services.cancel(job=job, actor=request.user, at=timezone.now())
    response = redirect("exchange:job", job.pk)
    return toast(response, _("Stopped. What was brought in so far is kept."))


@require_POST
@ability_required("records.import")
def undo(request: StaffRequest, job_id: int) -> HttpResponse:
    """Take the whole import back."""
    job = queries.get_job(request.user, job_id)
    services.ask_undo(job=job, actor=request.user, at=timezone.now())
    return redirect("exchange:job", job.pk)


@require_safe
@ability_required("records.import")
def failed_rows(request: StaffRequest, job_id: int) -> FileResponse:
    """The rows that failed, in their own columns, with the reasons."""
    job = queries.get_job(request.user, job_id)
    issues = queries.issues_of(job, "failed").values_list("row", "reason", "values")
    header = [column.header for column in shape_of(job.shape).columns]
    built = exporting.failed_rows_csv(header, issues.iterator(chunk_size=2000))
    name = f"{job.file_name.rpartition('.')[0] or job.file_name}-failed.csv"
    return FileResponse(
        built, as_attachment=True, filename=name, content_type=exporting.FORMATS["csv"]
    )
