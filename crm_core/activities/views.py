"""The composer, the timeline's parts, and the person's own tasks."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.activities import queries, services, timeline
from crm_core.activities.forms import ComposerForm
from crm_core.activities.models import Activity
from crm_core.fields import catalogue
from crm_core.fields.requests import StaffRequest, record_view, today
from crm_core.registry import RecordType
from crm_core.registry.queries import get_visible
from crm_platform.identity.decorators import sign_in_required
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.answers import in_dialog, is_htmx, refusals_on, visit
from crm_platform.ui.toast import toast

TASKS_SHOWN = 300


def zone_of(request: StaffRequest) -> ZoneInfo:
    """The person's time zone, or the company's."""
    return ZoneInfo(request.user.time_zone or tenancy.current().time_zone)


def read_values(form: ComposerForm, zone: ZoneInfo, at: dt.datetime) -> dict[str, Any]:
    """The composer's answers as `services.create_activity` takes them.

    A day without a time means the end of that working day, 18:00.
    """
    given = form.cleaned_data
    values: dict[str, Any] = {name: given[name] for name in ("kind", "name", "body", "outcome")}
    if given["minutes"] is not None:
        values["minutes"] = given["minutes"]
    if given["kind"] != Activity.Kind.NOTE:
        if given["assignee"]:
            values["assignee"] = given["assignee"]
        if given["due_date"]:
            clock = given["due_time"] or dt.time(18)
            values["due_at"] = dt.datetime.combine(given["due_date"], clock, zone)
        if given["done"]:
            values["done_at"] = at
    return values


@require_POST
@record_view
def compose(request: StaffRequest, kind: RecordType, record_id: int) -> HttpResponse:
    """Keep a note, or plan or log something, on a record; answers with its timeline."""
    record = get_visible(request.user, kind, record_id)
    form = ComposerForm(request.POST)
    made = None
    if form.is_valid():
        now = timezone.now()
        with refusals_on(form):
            made = services.create_activity(
                values=read_values(form, zone_of(request), now),
                actor=request.user,
                at=now,
                about=(kind.name, record.pk),
            )
    if made is None:
        errors = [str(text) for texts in form.errors.values() for text in texts]
        return toast(HttpResponse(status=422), " ".join(errors), kind="bad")
    if not is_htmx(request):
        return redirect(f"/{kind.slug}/{record.pk}/")
    return toast(_timeline(request, kind, record.pk), _("Saved"))


@require_safe
@record_view
def record_timeline(request: StaffRequest, kind: RecordType, record_id: int) -> HttpResponse:
    """The timeline of a record, whole or its next page."""
    get_visible(request.user, kind, record_id)
    return _timeline(request, kind, record_id)


def _timeline(request: StaffRequest, kind: RecordType, record_id: int) -> HttpResponse:
    context = {
        "kind": kind,
        "record_id": record_id,
        "timeline_kinds": timeline.kinds(),
        "timeline": timeline.timeline_of(
            request.user,
            kind,
            record_id,
            only=request.GET.get("only", ""),
            before=request.GET.get("before", ""),
        ),
    }
    return render(request, "activities/_timeline.html", context)


@require_POST
@sign_in_required
def finish(request: StaffRequest, activity_id: int) -> HttpResponse:
    """Tick a task off, or open it again."""
    activity = get_visible(request.user, "activity", activity_id)
    reopen = request.POST.get("done") == "0"
    try:
        done = services.finish_activity(
            activity=activity,
            actor=request.user,
            at=timezone.now(),
            reopen=reopen,
            outcome=request.POST.get("outcome", "")[:80],
        )
    except DomainError as refusal:
        return toast(HttpResponse(status=422), str(refusal), kind="bad")
    if not is_htmx(request):
        return redirect("/tasks/")
    text = _("Opened again") if reopen else _("Done: %(name)s") % {"name": done.name}
    undo: Any = {
        "url": request.path,
        "values": {"done": "1" if reopen else "0"},
        "target": f"#act-{done.pk}",
    }
    response = render(request, "activities/_todo.html", {"item": timeline.item_of(done)})
    return toast(response, text, undo=undo)


@require_safe
@sign_in_required
def tasks(request: StaffRequest) -> HttpResponse:
    """What the person has to do: late, today, this week, later, undated."""
    given = request.GET.get("who", "")
    who = int(given) if given.isdigit() and int(given) in catalogue.people() else request.user.pk
    rows = list(queries.open_of(request.user, who)[:TASKS_SHOWN])
    context = {
        "groups": timeline.by_day(rows),
        "count": len(rows),
        "who": who,
        "people": [p for p in catalogue.people().values() if p.is_active],
    }
    return render(request, "activities/tasks.html", context)


@require_http_methods(["GET", "POST"])
@sign_in_required
def task_new(request: StaffRequest) -> HttpResponse:
    """A task, call or meeting without a record, from anywhere."""
    first = request.GET.get("kind", "task")
    form = ComposerForm(
        request.POST or None,
        initial={"kind": first, "assignee": request.user.pk, "due_date": today()},
    )
    made = None
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        with refusals_on(form):
            made = services.create_activity(
                values=read_values(form, zone_of(request), now), actor=request.user, at=now
            )
    if made is not None:
        response = visit("/tasks/") if is_htmx(request) else redirect("/tasks/")
        return toast(response, _("%(name)s created") % {"name": made.name})
    return _task_form(request, form)


def _task_form(request: HttpRequest, form: ComposerForm) -> HttpResponse:
    small = in_dialog(request) or is_htmx(request)
    template = "activities/_task_form.html" if small else "activities/task_form.html"
    return render(request, template, {"form": form}, status=422 if form.errors else 200)
