"""Changing one fact in place, making a record, and taking an act back."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm_core.fields import catalogue, cells, services
from crm_core.fields.forms import RecordForm
from crm_core.fields.links import create_with_links, edit_with_links
from crm_core.fields.requests import StaffRequest, record_view
from crm_core.registry import Field, Kind, RecordType
from crm_core.registry.queries import get_visible
from crm_platform.identity import rules
from crm_platform.identity.decorators import sign_in_required
from crm_platform.kernel.errors import DomainError, NotAllowed
from crm_platform.ui.answers import in_dialog, is_htmx, refusals_on, visit
from crm_platform.ui.toast import toast

NEEDS_BUTTON = (Kind.TAGS, Kind.MULTI_CHOICE, Kind.LONG_TEXT, Kind.BOOLEAN)
"""Controls in which Enter does not save."""


def _place(request: HttpRequest) -> str:
    """Where the fact stands: in a list's cell or among a record's facts."""
    return "facts" if request.GET.get("in") == "facts" else "cell"


def _where_shown(request: HttpRequest, field: Field, record: Any) -> str:
    """The selector of what shows the fact there, and is replaced when a change is taken back."""
    if _place(request) == "facts":
        return f"#fact-{field.name}"
    return f'[data-id="{record.pk}"] td[data-f="{field.name}"]'


@require_http_methods(["GET", "POST"])
@record_view
def field_edit(request: StaffRequest, kind: RecordType, record_id: int, name: str) -> HttpResponse:
    """GET shows the fact (`?edit=1`: its control), POST saves it; 422 shows why not."""
    record = get_visible(request.user, kind, record_id)
    field = catalogue.get_field(request.user, kind, name)
    editable = catalogue.may_write(request.user, kind, field) and rules.may(
        request.user, "edit", kind.name, record
    )
    if request.method == "GET" and not request.GET.get("edit"):
        return _shown(request, kind, field, record, editable=editable)
    if not editable:
        raise NotAllowed(_("Your role does not let you change this."))
    if request.method == "GET":
        initial = {field.name: _initial(field, record), "version": record.version}
        form = RecordForm(initial=initial, fields=[field], user=request.user)
        return _control(request, kind, field, record, form)
    return _save(request, kind, field, record)


def _initial(field: Field, record: Any) -> Any:
    value = cells.value_of(field, record)
    return [str(each) for each in value] if isinstance(value, list) else value


def _save(request: StaffRequest, kind: RecordType, field: Field, record: Any) -> HttpResponse:
    form = RecordForm(request.POST, fields=[field], user=request.user)
    old = _initial(field, record)
    saved = record
    if form.is_valid():
        with refusals_on(form):
            saved = edit_with_links(
                kind=kind,
                record=record,
                values=form.values(),
                actor=request.user,
                at=timezone.now(),
                version=form.cleaned_data["version"],
            )
    if form.errors:
        return _control(request, kind, field, record, form, status=422)
    fresh = get_visible(request.user, kind, record.pk)
    if not is_htmx(request):
        return redirect(f"/{kind.slug}/{record.pk}/")
    response = _shown(request, kind, field, fresh, editable=True)
    if saved.version != record.version:
        undo = {
            "url": request.get_full_path(),
            "values": {field.name: "" if old is None else old, "version": fresh.version},
            "target": _where_shown(request, field, fresh),
        }
        toast(response, _("%(label)s saved") % {"label": field.label}, undo=undo)  # type: ignore[arg-type]
    return response


def _shown(
    request: HttpRequest, kind: RecordType, field: Field, record: Any, *, editable: bool
) -> HttpResponse:
    if _place(request) == "cell":
        return HttpResponse(cells.cell(field, record, editable=editable))
    return HttpResponse(cells.fact(kind, field, record, editable=editable))


def _control(
    request: HttpRequest,
    kind: RecordType,
    field: Field,
    record: Any,
    form: RecordForm,
    status: int = 200,
) -> HttpResponse:
    context = {
        "kind": kind,
        "record": record,
        "field": field,
        "form": form,
        "bound": form[field.name],
        "place": _place(request),
        "needs_button": field.kind in NEEDS_BUTTON,
    }
    return render(request, "fields/_control.html", context, status=status)


@require_http_methods(["GET", "POST"])
@record_view
def record_new(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """The form of a new record: the few quick facts in a dialog, all of them on a page."""
    if not rules.may_create(request.user, kind.name):
        raise NotAllowed(_("Your role does not let you create this. Ask an admin."))
    known = [
        f
        for f in catalogue.fields_for(request.user, kind)
        if catalogue.may_write(request.user, kind, f)
    ]
    short = in_dialog(request) or request.POST.get("short") == "1"
    fields = [f for f in known if f.name in kind.quick_fields or f.required] if short else known
    if short:
        order = {name: place for place, name in enumerate(kind.quick_fields)}
        fields.sort(key=lambda f: order.get(f.name, 99))
    initial = {"owner": request.user.pk, **{k: v for k, v in request.GET.items() if k != "in"}}
    if request.method == "GET":
        form = RecordForm(initial=initial, fields=fields, user=request.user)
        return _new_form(request, kind, form, short=short)
    form = RecordForm(request.POST, fields=fields, user=request.user)
    record = None
    if form.is_valid():
        with refusals_on(form):
            record = create_with_links(
                kind=kind, values=form.values(), actor=request.user, at=timezone.now()
            )
    if record is None:
        return _new_form(request, kind, form, short=short, status=422)
    url = f"/{kind.slug}/{record.pk}/"
    response = visit(url) if is_htmx(request) else redirect(url)
    return toast(response, _("%(name)s created") % {"name": record.name})


def _new_form(
    request: HttpRequest, kind: RecordType, form: RecordForm, *, short: bool, status: int = 200
) -> HttpResponse:
    template = "fields/_new.html" if is_htmx(request) else "fields/new.html"
    sections: dict[str, list[Any]] = {}
    for bound in form.visible_fields():
        sections.setdefault(form.kinds[bound.name].section, []).append(bound)
    context = {"kind": kind, "form": form, "short": short, "sections": sections}
    return render(request, template, context, status=status)


@require_POST
@sign_in_required
def undo(request: StaffRequest) -> HttpResponse:
    """Take back one act on one or many records."""
    try:
        batch = UUID(request.POST.get("batch", ""))
    except ValueError:
        return toast(HttpResponse(status=422), _("There is nothing to undo."), kind="bad")
    try:
        done, left = services.undo_batch(batch=batch, actor=request.user, at=timezone.now())
    except DomainError as refusal:
        return toast(HttpResponse(status=422), str(refusal), kind="bad")
    text = _("Undone: %(done)d") % {"done": done}
    if left:
        text = _("Undone: %(done)d. %(left)d were changed meanwhile and stay as they are.") % {
            "done": done,
            "left": left,
        }
    response = HttpResponse(status=204)
    response["HX-Refresh"] = "true"
    return toast(response, text)
