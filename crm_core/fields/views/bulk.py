"""Acting on many records at once, deleting, and the trash."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.fields import catalogue, services
from crm_core.fields.forms import form_field
from crm_core.fields.requests import StaffRequest, chosen_ids, record_view
from crm_core.registry import Field, Kind, RecordType
from crm_core.registry.queries import trash_of
from crm_platform.kernel.errors import DomainError, Invalid
from crm_platform.ui.answers import is_htmx
from crm_platform.ui.toast import Undo, toast

TRASH_SHOWN = 200


def _undo(batch: object) -> Undo:
    return {"url": "/undo/", "values": {"batch": str(batch)}}


def _refused(request: HttpRequest, kind: RecordType, refusal: DomainError) -> HttpResponse:
    response = HttpResponse(status=422) if is_htmx(request) else redirect(f"/{kind.slug}/")
    return toast(response, str(refusal), kind="bad")


def _done(
    request: HttpRequest, kind: RecordType, text: str, undo: Undo | None, back: str = ""
) -> HttpResponse:
    if is_htmx(request):
        response = HttpResponse(status=204)
        if back:
            response["HX-Redirect"] = back
        else:
            response["HX-Refresh"] = "true"
    else:
        response = redirect(back or f"/{kind.slug}/")
    return toast(response, text, undo=undo)


def _bulk_fields(request: StaffRequest, kind: RecordType) -> list[Field]:
    single = (Kind.TAGS, Kind.LONG_TEXT)
    return [
        field
        for field in catalogue.fields_for(request.user, kind)
        if catalogue.may_write(request.user, kind, field)
        and field.kind not in single
        and field.name not in (kind.title_field, "source_id")
    ]


@require_http_methods(["GET", "POST"])
@record_view
def bulk_edit(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """Give the chosen records one fact: choose the field, then its value."""
    fields = _bulk_fields(request, kind)
    name = request.POST.get("field") or request.GET.get("field") or "owner"
    field = next((f for f in fields if f.name == name), fields[0])
    form = _OneFact(request.POST or None, field=field, request=request)
    ids = chosen_ids(request, kind, "edit")
    if request.method == "POST" and request.POST.get("act") == "save" and form.is_valid():
        try:
            batch, changed = services.edit_many(
                kind=kind,
                ids=ids,
                values={field.name: form.cleaned_data[field.name]},
                actor=request.user,
                at=timezone.now(),
            )
        except DomainError as refusal:
            form.add_error(field.name if refusal.field == field.name else None, str(refusal))
        else:
            return _done(request, kind, _changed(changed), _undo(batch))
    context = {"kind": kind, "fields": fields, "field": field, "form": form, "ids": ids}
    template = "fields/_bulk_edit.html" if is_htmx(request) else "fields/bulk_edit.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _changed(count: int) -> str:
    return ngettext("%(count)d record changed", "%(count)d records changed", count) % {
        "count": count
    }


class _OneFact(forms.Form):
    """One field's control."""

    def __init__(self, *args: object, field: Field, request: StaffRequest) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        made = form_field(field, request.user)
        made.required = field.required
        self.fields[field.name] = made


@require_POST
@record_view
def bulk_assign(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """Give the chosen records to one owner."""
    try:
        ids = chosen_ids(request, kind, "edit")
        batch, changed = services.edit_many(
            kind=kind,
            ids=ids,
            values={"owner": request.POST.get("owner", "")},
            actor=request.user,
            at=timezone.now(),
        )
    except DomainError as refusal:
        return _refused(request, kind, refusal)
    return _done(request, kind, _changed(changed), _undo(batch))


@require_POST
@record_view
def bulk_tag(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """Put one tag on the chosen records, or take it off."""
    tag = request.POST.get("tag", "")
    known = [int(tag)] if tag.isdigit() and int(tag) in catalogue.tags() else []
    off = request.POST.get("off") == "1"
    try:
        if not known:
            raise Invalid(_("Choose a tag first."))
        batch, changed = services.tag_many(
            kind=kind,
            ids=chosen_ids(request, kind, "edit"),
            add=[] if off else known,
            remove=known if off else [],
            actor=request.user,
            at=timezone.now(),
        )
    except DomainError as refusal:
        return _refused(request, kind, refusal)
    return _done(request, kind, _changed(changed), _undo(batch))


@require_POST
@record_view
def bulk_delete(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """Move the chosen records to the trash."""
    try:
        ids = chosen_ids(request, kind, "view")
        batch, gone = services.delete_records(
            kind=kind, ids=ids, actor=request.user, at=timezone.now()
        )
    except DomainError as refusal:
        return _refused(request, kind, refusal)
    text = ngettext("%(count)d record deleted", "%(count)d records deleted", gone) % {"count": gone}
    return _done(request, kind, text, _undo(batch))


@require_POST
@record_view
def record_delete(request: StaffRequest, kind: RecordType, record_id: int) -> HttpResponse:
    """Move one record to the trash and go back to the list."""
    try:
        batch, gone = services.delete_records(
            kind=kind, ids=[record_id], actor=request.user, at=timezone.now()
        )
    except DomainError as refusal:
        return _refused(request, kind, refusal)
    text = ngettext("%(count)d record deleted", "%(count)d records deleted", gone) % {"count": gone}
    return _done(request, kind, text, _undo(batch) if gone else None, back=f"/{kind.slug}/")


@require_safe
@record_view
def trash(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """What was deleted, to bring back."""
    rows = list(trash_of(request.user, kind)[: TRASH_SHOWN + 1])
    context = {
        "kind": kind,
        "rows": rows[:TRASH_SHOWN],
        "has_more": len(rows) > TRASH_SHOWN,
        "people": catalogue.people(),
    }
    return render(request, "fields/trash.html", context)


@require_POST
@record_view
def restore(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """Bring records back from the trash."""
    ids = [int(each) for each in request.POST.getlist("id") if each.isdigit() and len(each) < 19]
    try:
        count = services.restore_records(kind=kind, ids=ids, actor=request.user, at=timezone.now())
    except DomainError as refusal:
        return _refused(request, kind, refusal)
    text = ngettext("%(count)d record restored", "%(count)d records restored", count)
    return _done(request, kind, text % {"count": count}, None, back=f"/{kind.slug}/trash/")
