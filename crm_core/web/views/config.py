"""Settings pages of the CRM: company, fields, tags, history."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.activities.timeline import changes_of
from crm_core.audit.models import Entry
from crm_core.audit.queries import newest
from crm_core.fields import catalogue
from crm_core.fields.models import CustomField, Tag
from crm_core.fields.requests import StaffRequest
from crm_core.registry import record_types
from crm_core.web import company, forms, history_words, services
from crm_core.web.settings_nav import ITEMS, settings_nav
from crm_platform.identity import rules
from crm_platform.identity.decorators import ability_required, sign_in_required
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.paging import decode_cursor, encode_cursor
from crm_platform.ui.answers import answer_form, is_htmx, refusals_on
from crm_platform.ui.toast import toast

HISTORY_PAGE = 100


@require_safe
@sign_in_required
def settings_home(request: StaffRequest) -> HttpResponse:
    """The first settings page the person may open."""
    own = [item for item in ITEMS if item.key == "company"]
    if rules.has_ability(request.user, own[0].ability):
        return redirect("web:company")
    return redirect("identity:me")


def _form_page(request: StaffRequest, form: Any, context: dict[str, Any]) -> HttpResponse:
    template = "sales/_config_form.html" if is_htmx(request) else "ui/form_page.html"
    return render(
        request, template, {**context, "form": form, "partial": "sales/_config_form.html"}
    )


def _answer(
    request: StaffRequest, form: Any, context: dict[str, Any], message: str
) -> HttpResponse:
    return answer_form(
        request,
        form,
        partial="sales/_config_form.html",
        then=context["back"],
        context=context,
        after="visit",
        message=message,
    )


@require_http_methods(["GET", "POST"])
@ability_required("company.settings")
def company_settings(request: StaffRequest) -> HttpResponse:
    """Name, language, time zone, currency, accent colour."""
    scope = tenancy.current()
    initial = {
        "name": scope.name,
        "language": scope.language,
        "time_zone": scope.time_zone,
        "currency": scope.currency,
        "accent_hue": scope.accent_hue,
    }
    form = forms.CompanyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            company.change_company(actor=request.user, at=timezone.now(), **form.cleaned_data)
    if request.method == "POST" and not form.errors:
        return toast(
            redirect("web:company"), _("Saved. It takes effect everywhere within a minute.")
        )
    context = {"form": form, "settings_nav": settings_nav(request, "company")}
    return render(request, "web/company.html", context, status=422 if form.errors else 200)


@require_safe
@ability_required("fields.manage")
def fields(request: StaffRequest) -> HttpResponse:
    """The company's own fields, a kind of record at a time."""
    rows: dict[str, list[CustomField]] = {}
    for row in CustomField.objects.filter(archived_at=None):
        rows.setdefault(row.record_type, []).append(row)
    groups = [
        {"kind": kind, "rows": rows.get(kind.name, []), "built_in": kind.fields}
        for kind in record_types()
    ]
    context = {
        "groups": groups,
        "kinds": forms.kind_labels(),
        "settings_nav": settings_nav(request, "fields"),
    }
    return render(request, "web/fields.html", context)


@require_http_methods(["GET", "POST"])
@ability_required("fields.manage")
def field_new(request: StaffRequest) -> HttpResponse:
    """Add a field."""
    context = {
        "title": _("New field"),
        "action": request.path,
        "verb": _("Add field"),
        "back": "/settings/fields/",
    }
    form = forms.FieldForm(request.POST or None, initial={"record_type": request.GET.get("for")})
    if request.method == "GET":
        return _form_page(request, form, context)
    if form.is_valid():
        with refusals_on(form):
            services.add_field(actor=request.user, at=timezone.now(), **form.cleaned_data)
    return _answer(request, form, context, _("Field added"))


@require_http_methods(["GET", "POST"])
@ability_required("fields.manage")
def field_edit(request: StaffRequest, field_id: int) -> HttpResponse:
    """Change a field's words and options."""
    row = get_object_or_404(CustomField, pk=field_id, archived_at=None)
    context = {
        "title": _("Edit field"),
        "action": request.path,
        "verb": _("Save"),
        "back": "/settings/fields/",
    }
    initial = {
        "label": row.label,
        "options": "\n".join(row.options),
        "is_required": row.is_required,
        "help_text": row.help_text,
    }
    form = forms.FieldForm(request.POST or None, initial=initial, is_new=False)
    if request.method == "GET":
        return _form_page(request, form, context)
    if form.is_valid():
        with refusals_on(form):
            services.change_field(
                field=row, actor=request.user, at=timezone.now(), **form.cleaned_data
            )
    return _answer(request, form, context, _("Field saved"))


@require_POST
@ability_required("fields.manage")
def field_archive(request: StaffRequest, field_id: int) -> HttpResponse:
    """Take a field out of use."""
    row = get_object_or_404(CustomField, pk=field_id, archived_at=None)
    services.archive_field(field=row, actor=request.user, at=timezone.now())
    return toast(redirect("web:fields"), _("Field removed; its values are kept"))


@require_safe
@ability_required("tags.manage")
def tags(request: StaffRequest) -> HttpResponse:
    """Every tag."""
    context = {"tags": Tag.objects.all(), "settings_nav": settings_nav(request, "tags")}
    return render(request, "web/tags.html", context)


@require_http_methods(["GET", "POST"])
@ability_required("tags.manage")
def tag_edit(request: StaffRequest, tag_id: int | None = None) -> HttpResponse:
    """Make or change a tag."""
    row = get_object_or_404(Tag, pk=tag_id) if tag_id else None
    context = {
        "title": _("Edit tag") if row else _("New tag"),
        "action": request.path,
        "verb": _("Save"),
        "back": "/settings/tags/",
    }
    initial = {"name": row.name, "hue": row.hue} if row else {}
    form = forms.TagForm(request.POST or None, initial=initial)
    if request.method == "GET":
        return _form_page(request, form, context)
    if form.is_valid():
        with refusals_on(form):
            services.save_tag(actor=request.user, at=timezone.now(), tag=row, **form.cleaned_data)
    return _answer(request, form, context, _("Tag saved"))


@require_POST
@ability_required("tags.manage")
def tag_remove(request: StaffRequest, tag_id: int) -> HttpResponse:
    """Remove a tag from every record and for good."""
    row = get_object_or_404(Tag, pk=tag_id)
    services.remove_tag(tag=row, actor=request.user, at=timezone.now())
    return toast(redirect("web:tags"), _("Tag removed"))


@require_safe
@ability_required("audit.view")
def history(request: StaffRequest) -> HttpResponse:
    """Everything that happened in the company, newest first."""
    rows = newest()
    if request.GET.get("after"):
        (pk,) = decode_cursor(request.GET["after"], length=1)
        if not isinstance(pk, int):
            raise Invalid(_("This page address is damaged. Open the list again."))
        rows = rows.filter(pk__lt=pk)
    who = request.GET.get("who", "")
    if who.isdigit():
        rows = rows.filter(actor_id=int(who))
    read = list(rows[: HISTORY_PAGE + 1])
    more = encode_cursor([read[HISTORY_PAGE - 1].pk]) if len(read) > HISTORY_PAGE else ""
    context = {
        "entries": [_line(entry) for entry in read[:HISTORY_PAGE]],
        "more": more,
        "who": who,
        "people": list(catalogue.people().values()),
        "settings_nav": settings_nav(request, "history"),
    }
    return render(request, "web/history.html", context)


def _line(entry: Entry) -> dict[str, Any]:
    kinds = {kind.name: kind for kind in record_types()}
    kind = kinds.get(entry.record_type)
    person = catalogue.people().get(entry.actor_id or 0)
    url = f"/{kind.slug}/{entry.record_id}/" if kind and entry.record_id else ""
    words = history_words.changes_in_words
    changes = changes_of(kind, entry.changes) if kind else words(entry.changes)
    return {
        "entry": entry,
        "who": person,
        "url": url,
        "what": history_words.act_words(entry.verb),
        "changes": changes,
        "kind": str(kind.label) if kind else history_words.subject_words(entry.record_type),
    }
