"""The wizard: choose a file, say what its columns mean, look at the first rows, run."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.exchange import encodings, forms, guessing, preview, queries, services, targets
from crm_core.exchange.choices import columns_of
from crm_core.exchange.models import ImportJob
from crm_core.exchange.reading import Shape, shape_of
from crm_core.exchange.views.reports import report_page
from crm_core.fields.requests import StaffRequest
from crm_core.registry import Kind, RecordType
from crm_core.sales.pipeline_services import ABILITY as PIPELINES
from crm_platform.identity import rules
from crm_platform.identity.decorators import ability_required
from crm_platform.kernel.errors import Invalid
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast

JOBS_SHOWN = 50
State = ImportJob.State
STEPS = ("file", "columns", "check", "report")


def steps(now: str) -> list[dict[str, Any]]:
    """The wizard's steps with the current one marked."""
    labels = {
        "file": _("File"), "columns": _("Columns"), "check": _("Check"), "report": _("Report"),
    }  # fmt: skip
    place = STEPS.index(now)
    return [
        {"label": labels[name], "state": "done" if i < place else "now" if i == place else ""}
        for i, name in enumerate(STEPS)
    ]


@require_safe
@ability_required("records.import")
def jobs(request: StaffRequest) -> HttpResponse:
    """What can be imported, and the imports so far."""
    found = list(queries.jobs_visible_to(request.user)[:JOBS_SHOWN])
    rows = [{"job": job, "kind": targets.kind_of(job.kind)} for job in found]
    context = {"kinds": targets.kinds_for(request.user), "rows": rows}
    return render(request, "exchange/jobs.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@ability_required("records.import")
def start(request: StaffRequest, kind: str) -> HttpResponse:
    """Choose a file; a file that can be read becomes a draft."""
    record_kind = targets.demand_may_import(request.user, kind)
    form = forms.UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        with refusals_on(form):
            job = services.start_import(
                kind_name=kind, upload=upload, file_name=upload.name, actor=request.user,
                at=timezone.now(),
            )  # fmt: skip
            return redirect("exchange:job", job.pk)
    context = {"kind": record_kind, "form": form, "steps": steps("file")}
    return render(request, "exchange/start.html", context, status=422 if form.errors else 200)


@require_safe
@ability_required("records.import")
def job_page(request: StaffRequest, job_id: int) -> HttpResponse:
    """Where the job stands: columns or check while it is a draft, then progress, then report."""
    job = queries.get_job(request.user, job_id)
    if job.state != State.DRAFT:
        return report_page(request, job)
    kind = targets.demand_may_import(request.user, job.kind)
    if request.GET.get("step") == "check":
        context = {
            "job": job, "kind": kind, "steps": steps("check"),
            "preview": preview.preview_of(job, request.user),
        }  # fmt: skip
        return render(request, "exchange/check.html", context)
    return _columns_page(request, job, kind)


def _columns_page(
    request: StaffRequest, job: ImportJob, kind: RecordType, form: Any = None,
    given: list[Any] | None = None,
) -> HttpResponse:  # fmt: skip
    shape = shape_of(job.shape)
    fields = targets.fields_for(request.user, kind)
    chosen = given or columns_of(job.columns)
    form = form or _options_form(request, job, kind)
    context = {
        "job": job, "kind": kind, "steps": steps("columns"), "form": form, "shape": shape,
        "read_form": _read_form(shape), "encoding": encodings.ENCODINGS.get(shape.encoding, ""),
        "columns": [
            {
                "place": place, "facts": facts, "choice": choice,
                "is_date": facts.first_most > 0,
                "is_open": guessing.is_order_open(facts),
                "example": " · ".join(facts.samples[:3]),
            }
            for place, (facts, choice) in enumerate(zip(shape.columns, chosen, strict=True))
        ],
        "targets": fields,
    }  # fmt: skip
    return render(request, "exchange/columns.html", context, status=422 if form.errors else 200)


def _read_form(shape: Shape) -> forms.ReadForm:
    return forms.ReadForm(
        initial={
            "encoding": shape.encoding, "delimiter": shape.delimiter, "sheet": shape.sheet,
        },
        sheets=shape.sheets, prefix="read",
    )  # fmt: skip


def _options_form(request: StaffRequest, job: ImportJob, kind: RecordType) -> forms.OptionsForm:
    """The options that matter for this kind and this person."""
    fields = targets.fields_for(request.user, kind)
    kinds = {field.kind for field in fields}
    names = targets.identifiers(kind, {field.name for field in fields})
    labels = {field.name: str(field.label) for field in fields}
    without = {
        *(() if Kind.LINK in kinds else ("links",)), *(() if Kind.USER in kinds else ("owners",)),
        *(() if kind.name == "deal" else ("stages", "lost_reason")),
    }  # fmt: skip
    posted = request.POST if request.method == "POST" else None
    form = forms.OptionsForm(
        posted, initial=job.options, without=without,
        identifiers=[(name, labels[name]) for name in names],
    )  # fmt: skip
    if not rules.has_ability(request.user, "users.manage"):
        form.refuse_choice("owners", "create")
    if not rules.has_ability(request.user, PIPELINES):
        form.refuse_choice("stages", "create")
    return form


@require_POST
@ability_required("records.import")
def read_again(request: StaffRequest, job_id: int) -> HttpResponse:
    """Read the file in another encoding, with another delimiter or from another sheet."""
    job = queries.get_job(request.user, job_id)
    form = forms.ReadForm(request.POST, sheets=shape_of(job.shape).sheets, prefix="read")
    response = redirect("exchange:job", job.pk)
    if form.is_valid():
        try:
            services.read_again(job=job, actor=request.user, **form.cleaned_data)
        except Invalid as refusal:
            return toast(response, str(refusal), kind="bad")
    return response


@require_POST
@ability_required("records.import")
def columns(request: StaffRequest, job_id: int) -> HttpResponse:
    """Keep the columns and options, and go on to the check."""
    job = queries.get_job(request.user, job_id)
    kind = targets.demand_may_import(request.user, job.kind)
    chosen = forms.columns_from(request.POST, len(job.columns))
    form = _options_form(request, job, kind)
    if form.is_valid():
        with refusals_on(form):
            services.choose(job=job, columns=chosen, options=form.options, actor=request.user)
            return redirect(f"{reverse('exchange:job', args=[job.pk])}?step=check")
    return _columns_page(request, job, kind, form, chosen)


@require_POST
@ability_required("records.import")
def start_job(request: StaffRequest, job_id: int) -> HttpResponse:
    """Put the job in line."""
    job = queries.get_job(request.user, job_id)
    services.start(job=job, actor=request.user, at=timezone.now())
    return redirect("exchange:job", job.pk)


@require_POST
@ability_required("records.import")
def discard(request: StaffRequest, job_id: int) -> HttpResponse:
    """Forget a file that was not imported."""
    job = queries.get_job(request.user, job_id)
    services.discard(job=job, actor=request.user)
    return toast(redirect("exchange:jobs"), _("The file was not imported and is gone."))
