"""Settings of pipelines, stages and lost reasons."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.fields.requests import StaffRequest
from crm_core.sales import forms, pipeline_services
from crm_core.sales.models import Deal, LostReason, Pipeline, Stage
from crm_platform.identity.decorators import ability_required
from crm_platform.identity.nav import settings_nav
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.answers import answer_form, is_htmx, refusals_on
from crm_platform.ui.toast import toast

may_manage = ability_required("pipelines.manage")


@require_safe
@may_manage
def pipelines(request: StaffRequest) -> HttpResponse:
    """Every pipeline with its stages, and the lost reasons."""
    rows = Pipeline.objects.filter(archived_at=None).prefetch_related("stages")
    context = {
        "pipelines": rows,
        "reasons": LostReason.objects.filter(archived_at=None),
        "settings_nav": settings_nav(request, "pipelines"),
    }
    return render(request, "sales/pipelines.html", context)


def _form_page(
    request: StaffRequest, form: Any, *, title: str, action: str, verb: str
) -> HttpResponse:
    context = {
        "form": form,
        "title": title,
        "action": action,
        "verb": verb,
        "back": "/settings/pipelines/",
        "partial": "sales/_config_form.html",
    }
    template = "sales/_config_form.html" if is_htmx(request) else "ui/form_page.html"
    return render(request, template, context)


def _answer(request: StaffRequest, form: Any, message: str, **shown: str) -> HttpResponse:
    return answer_form(
        request,
        form,
        partial="sales/_config_form.html",
        then="/settings/pipelines/",
        context={**shown, "back": "/settings/pipelines/"},
        after="visit",
        message=message,
    )


@require_http_methods(["GET", "POST"])
@may_manage
def pipeline_new(request: StaffRequest) -> HttpResponse:
    """Add a pipeline."""
    shown = {"title": _("New pipeline"), "action": request.path, "verb": _("Add pipeline")}
    form = forms.PipelineForm(request.POST or None)
    if request.method == "GET":
        return _form_page(request, form, **shown)
    if form.is_valid():
        with refusals_on(form):
            pipeline_services.add_pipeline(
                actor=request.user, at=timezone.now(), **form.cleaned_data
            )
    return _answer(request, form, _("Pipeline added"), **shown)


@require_http_methods(["GET", "POST"])
@may_manage
def pipeline_edit(request: StaffRequest, pipeline_id: int) -> HttpResponse:
    """Change a pipeline's own facts."""
    row = get_object_or_404(Pipeline, pk=pipeline_id, archived_at=None)
    shown = {"title": _("Edit pipeline"), "action": request.path, "verb": _("Save")}
    if request.method == "GET":
        initial = {"name": row.name, "stale_days": row.stale_days, "is_default": row.is_default}
        return _form_page(request, forms.PipelineForm(initial=initial), **shown)
    form = forms.PipelineForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            pipeline_services.change_pipeline(
                pipeline=row, actor=request.user, at=timezone.now(), **form.cleaned_data
            )
    return _answer(request, form, _("Pipeline saved"), **shown)


def _act(message: str, act: Any) -> HttpResponse:
    """Run one configuration act and go back to the page, with what came of it."""
    try:
        act()
    except DomainError as refusal:
        return toast(redirect("/settings/pipelines/"), str(refusal), kind="bad")
    return toast(redirect("/settings/pipelines/"), message)


@require_POST
@may_manage
def pipeline_archive(request: StaffRequest, pipeline_id: int) -> HttpResponse:
    """Take a pipeline out of use."""
    row = get_object_or_404(Pipeline, pk=pipeline_id, archived_at=None)
    return _act(
        _("Pipeline removed"),
        lambda: pipeline_services.archive_pipeline(
            pipeline=row, actor=request.user, at=timezone.now()
        ),
    )


@require_http_methods(["GET", "POST"])
@may_manage
def stage_new(request: StaffRequest, pipeline_id: int) -> HttpResponse:
    """Add a stage."""
    row = get_object_or_404(Pipeline, pk=pipeline_id, archived_at=None)
    shown = {"title": _("New stage"), "action": request.path, "verb": _("Add stage")}
    form = forms.StageForm(request.POST or None, initial={"probability": 50})
    if request.method == "GET":
        return _form_page(request, form, **shown)
    if form.is_valid():
        with refusals_on(form):
            pipeline_services.add_stage(
                pipeline=row, actor=request.user, at=timezone.now(), **form.cleaned_data
            )
    return _answer(request, form, _("Stage added"), **shown)


@require_http_methods(["GET", "POST"])
@may_manage
def stage_edit(request: StaffRequest, stage_id: int) -> HttpResponse:
    """Change a stage."""
    row = get_object_or_404(Stage, pk=stage_id)
    shown = {"title": _("Edit stage"), "action": request.path, "verb": _("Save")}
    if request.method == "GET":
        initial = {
            "name": row.name,
            "kind": row.kind,
            "probability": row.probability,
            "hue": row.hue,
        }
        return _form_page(request, forms.StageForm(initial=initial), **shown)
    form = forms.StageForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            pipeline_services.change_stage(
                stage=row, actor=request.user, at=timezone.now(), **form.cleaned_data
            )
    return _answer(request, form, _("Stage saved"), **shown)


@require_http_methods(["GET", "POST"])
@may_manage
def stage_remove(request: StaffRequest, stage_id: int) -> HttpResponse:
    """Remove a stage and say where its deals go."""
    row = get_object_or_404(Stage, pk=stage_id)
    count = Deal.objects.filter(stage=row).count()
    shown = {
        "title": _("Remove stage “%(name)s” (%(count)d deals)")
        % {"name": row.name, "count": count},
        "action": request.path,
        "verb": _("Remove stage"),
    }
    form = forms.RemoveStageForm(request.POST or None, stage=row)
    if request.method == "GET":
        return _form_page(request, form, **shown)
    if form.is_valid():
        with refusals_on(form):
            pipeline_services.remove_stage(
                stage=row, to=int(form.cleaned_data["to"]), actor=request.user, at=timezone.now()
            )
    return _answer(request, form, _("Stage removed"), **shown)


@require_POST
@may_manage
def stage_order(request: StaffRequest, pipeline_id: int) -> HttpResponse:
    """Put the stages in the order they were dragged to."""
    row = get_object_or_404(Pipeline, pk=pipeline_id, archived_at=None)
    order = [int(each) for each in request.POST.getlist("order") if each.isdigit()]
    return _act(
        _("Order saved"),
        lambda: pipeline_services.order_stages(
            pipeline=row, order=order, actor=request.user, at=timezone.now()
        ),
    )


@require_POST
@may_manage
def reason_new(request: StaffRequest) -> HttpResponse:
    """Add a lost reason."""
    form = forms.ReasonForm(request.POST)
    if not form.is_valid():
        return toast(redirect("/settings/pipelines/"), _("Give the reason a name."), kind="bad")
    return _act(
        _("Reason added"),
        lambda: pipeline_services.add_reason(
            name=form.cleaned_data["name"], actor=request.user, at=timezone.now()
        ),
    )


@require_POST
@may_manage
def reason_archive(request: StaffRequest, reason_id: int) -> HttpResponse:
    """Take a lost reason out of use."""
    row = get_object_or_404(LostReason, pk=reason_id)
    return _act(
        _("Reason removed"),
        lambda: pipeline_services.archive_reason(reason=row, actor=request.user, at=timezone.now()),
    )
