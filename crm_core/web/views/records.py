"""The page of one record of any kind."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from crm_core.activities import timeline
from crm_core.fields import catalogue, cells
from crm_core.fields.models import Star
from crm_core.fields.requests import StaffRequest, record_view
from crm_core.fields.values import EMPTY
from crm_core.registry import RecordType
from crm_core.registry.queries import get_visible
from crm_core.sales import queries as sales
from crm_core.sales.models import Deal
from crm_core.web import found, queries
from crm_core.web.neighbours import neighbours
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.ui import kept

HIDDEN_FACTS = ("next_step_at", "team", "source_id", "first_name", "last_name", "stage_since")


@require_safe
@record_view
def record_page(request: StaffRequest, kind: RecordType, record_id: int) -> HttpResponse:
    """Header, facts, composer, story, related records, previous and next."""
    record = _starred(request.user, kind, record_id)
    may_edit = rules.may(request.user, "edit", kind.name, record)
    context = {
        "kind": kind,
        "record_id": record.pk,
        "may_edit": may_edit,
        "may_delete": rules.may(request.user, "delete", kind.name, record),
        "facts": facts_of(request.user, kind, record, may_edit=may_edit),
        "is_starred": record.is_starred,
        "beside": neighbours(request, request.user, kind, record),
        "composer_key": kept.key_of("composer", request.user.pk),
        "people": [p for p in catalogue.people().values() if p.is_active],
        "timeline_kinds": timeline.kinds(),
    }
    if kind.name != "activity":
        context["timeline"] = timeline.timeline_of(
            request.user,
            kind,
            record.pk,
            only=request.GET.get("only", ""),
            before=request.GET.get("before", ""),
        )
        context["related"] = queries.related(request.user, kind, record.pk)
    else:
        context["item"] = timeline.item_of(record, user=request.user)
    if isinstance(record, Deal):
        context.update(_deal_context(record))
    context["record"] = catalogue.as_seen_by(request.user, kind, record)
    return render(request, f"web/{kind.name}.html", context)


def _starred(user: User, kind: RecordType, record_id: int) -> Any:
    """The record, with whether the person starred it as `is_starred`. One query."""
    if rules.level(user, kind.name, "view") == "all":
        return found.get_record(kind, user.pk, record_id)
    star = Star.objects.filter(user=user, record_type=kind.name, record_id=OuterRef("pk"))
    return get_visible(user, kind, record_id, annotations={"is_starred": Exists(star)})


def facts_of(user: User, kind: RecordType, record: Any, *, may_edit: bool) -> dict[str, Any]:
    """The facts panel as HTML: `first` what is filled or usual, `more` the rest."""
    first: list[str] = []
    more: list[str] = []
    for field in catalogue.fields_for(user, kind):
        if field.name in HIDDEN_FACTS or (
            kind.name == "deal" and field.name in ("pipeline", "stage")
        ):
            continue
        editable = may_edit and catalogue.may_write(user, kind, field)
        html = cells.fact(kind, field, record, editable=editable)
        usual = field.in_list or field.required or field.custom_key
        (first if usual or cells.value_of(field, record) not in EMPTY else more).append(html)
    return {"first": mark_safe("".join(first)), "more": mark_safe("".join(more))}  # noqa: S308  by cells


def _deal_context(deal: Deal) -> dict[str, Any]:
    """The stepper: each stage of the deal's pipeline with the days the deal spent there."""
    pipeline = (
        sales.get_pipeline(deal.pipeline_id)
        if deal.pipeline_id in {p.id for p in sales.pipelines()}
        else None
    )
    stages = pipeline.stages if pipeline else ()
    days: dict[int, int] = {}
    now = timezone.now()
    for stay in sales.stays_of(deal):
        length = ((stay.left_at or now) - stay.entered_at).days
        days[stay.stage_id] = days.get(stay.stage_id, 0) + max(length, 0)
    here = sales.stages_by_id()[deal.stage_id]
    steps, seen = [], False
    for stage in stages:
        if stage.kind != "open":
            continue
        now_here = stage.id == deal.stage_id
        state = (
            "now"
            if now_here
            else "next"
            if seen or (here.kind != "open" and stage.id not in days)
            else "done"
        )
        seen = seen or now_here
        steps.append({"stage": stage, "state": state, "days": days.get(stage.id)})
    return {"steps": steps, "stage": here, "pipeline": pipeline, "is_open": here.kind == "open"}
