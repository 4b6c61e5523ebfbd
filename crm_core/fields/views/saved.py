"""Saved views and stars."""

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm_core.fields import queries, view_services
from crm_core.fields.addresses import read_address, view_url
from crm_core.fields.forms import SaveViewForm
from crm_core.fields.requests import StaffRequest, record_view
from crm_core.registry import RecordType
from crm_platform.identity import rules
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.answers import answer_form, is_htmx, refusals_on, visit
from crm_platform.ui.toast import toast


@require_http_methods(["GET", "POST"])
@record_view
def view_new(request: StaffRequest, kind: RecordType) -> HttpResponse:
    """Keep the list as it stands under a name."""
    may_share = rules.has_ability(request.user, "views.share")
    context = {"kind": kind, "view": None}
    if request.method == "GET":
        initial = {"query": request.GET.get("query", ""), "layout": request.GET.get("layout", "")}
        form = SaveViewForm(initial=initial, may_share=may_share)
        return _view_form(request, {**context, "form": form})
    form = SaveViewForm(request.POST, may_share=may_share)
    view = None
    if form.is_valid():
        with refusals_on(form):
            given = QueryDict(form.cleaned_data["query"])
            view = view_services.save_view(
                kind=kind,
                name=form.cleaned_data["name"],
                actor=request.user,
                at=timezone.now(),
                query=read_address(request.user, kind, given).query,
                is_shared=bool(form.cleaned_data.get("is_shared")),
                is_pinned=form.cleaned_data["is_pinned"],
                layout=form.cleaned_data["layout"],
            )
    then = view_url(view) if view else f"/{kind.slug}/"
    return answer_form(
        request,
        form,
        partial="fields/_view_form.html",
        page="fields/view_form.html",
        context=context,
        then=then,
        after="visit",
        message=_("View saved"),
    )


def _view_form(request: StaffRequest, context: dict[str, object]) -> HttpResponse:
    template = "fields/_view_form.html" if is_htmx(request) else "fields/view_form.html"
    return render(request, template, context)


@require_POST
@record_view
def view_change(request: StaffRequest, kind: RecordType, view_id: int) -> HttpResponse:
    """Save what an edited view shows now, pin it, share it, or remove it."""
    view = queries.get_view(request.user, kind, view_id)
    act = request.POST.get("act", "")
    try:
        if act == "remove":
            view_services.remove_view(view=view, actor=request.user, at=timezone.now())
            return toast(visit(f"/{kind.slug}/"), _("View removed"))
        query = None
        if act == "save":
            given = QueryDict(request.POST.get("query", ""))
            query = read_address(request.user, kind, given).query
        view = view_services.change_view(
            view=view,
            actor=request.user,
            at=timezone.now(),
            query=query,
            is_shared={"share": True, "unshare": False}.get(act),
            is_pinned={"pin": True, "unpin": False}.get(act),
        )
    except DomainError as refusal:
        return toast(HttpResponse(status=422), str(refusal), kind="bad")
    return toast(visit(view_url(view)), _("View saved"))


@require_POST
@record_view
def star(request: StaffRequest, kind: RecordType, record_id: int) -> HttpResponse:
    """Mark a record, or take the mark off."""
    on = view_services.star(
        kind=kind, record_id=record_id, actor=request.user, on=request.POST.get("on") == "1"
    )
    context = {"kind": kind, "record_id": record_id, "is_starred": on}
    return render(request, "fields/_star.html", context)
