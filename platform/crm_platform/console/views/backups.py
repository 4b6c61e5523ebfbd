"""A company's backups: what there is, what was restored, and what operators do with them."""

from typing import Any
from uuid import UUID

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.console import forms
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.services import backups as services
from crm_platform.console.views.asking import me, the_company
from crm_platform.console.words import backup_word, restore_word
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on
from crm_platform.ui.toast import toast
from tenants.backups import queries
from tenants.backups.models import Backup, RestoreRun
from tenants.models import Company

SHOWN, RESTORES_SHOWN = 60, 20
KINDS = {"waiting": "", "running": "info", "done": "ok", "failed": "bad", "removed": "",
         "swapped": "warn"}  # fmt: skip
FORM_PAGE, PARTIAL = "console/form_page.html", "console/_operator_form.html"
page = require_http_methods(["GET", "HEAD", "POST"])
AT_WORK = frozenset({"waiting", "running"})


def panel(company: Company) -> dict[str, Any]:
    """The newest backup that was read back, and the last rehearsal of a restore. Two queries."""
    rehearsals = queries.restores(company).filter(kind=RestoreRun.Kind.REHEARSAL)
    return {
        "newest": queries.newest_done(company),
        "rehearsed": rehearsals.exclude(state=RestoreRun.State.RUNNING).first(),
    }


def _restored(run: RestoreRun) -> dict[str, Any]:
    return {
        "run": run, "word": restore_word(run.state), "kind": KINDS[run.state],
        "is_rehearsal": run.kind == RestoreRun.Kind.REHEARSAL,
        "different": [row["name"] for row in run.comparison
                      if (row["rows"], row["checksum"])
                      != (row["found_rows"], row["found_checksum"])],
    }  # fmt: skip


@require_GET
@operators_with("backups.view")
def backups(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """The backups of one company and what was restored from them."""
    company = the_company(company_id)
    rows = list(queries.backups(company)[:SHOWN])
    restores = list(queries.restores(company)[:RESTORES_SHOWN])
    context = {
        "company": company,
        "rows": [(each, backup_word(each.state), KINDS[each.state]) for each in rows],
        "restores": [_restored(run) for run in restores],
        "is_live": not AT_WORK.isdisjoint([*(b.state for b in rows), *(r.state for r in restores)]),
        **console(request, "companies"),
    }
    is_part = request.headers.get("HX-Target") == "backups"
    template = "console/_backup_lists.html" if is_part else "console/backups.html"
    return render(request, template, context)


@require_POST
@operators_with("backups.act")
def make(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Have a backup made now."""
    services.make(company_id=company_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:backups", company_id), _("A backup is being made."))


@page
@operators_with("backups.act")
def restore(request: HttpRequest, backup_id: UUID) -> HttpResponse:
    """Have a backup restored beside its company."""
    backup = get_object_or_404(Backup.objects.select_related("company"), pk=backup_id)
    form = forms.RestoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.restore(
                backup_id=backup_id, **form.cleaned_data, actor=me(request), at=timezone.now()
            )
    note = _("A company of its own is made from it at another address; the present one goes on"
             " untouched. People sign in there with their passwords of that day.")  # fmt: skip
    return _answer(
        request, form, backup.company_id, title=_("Restore beside it"), note=note,
        verb=_("Restore"), message=_("The backup is being restored."),
    )  # fmt: skip


@page
@operators_with("backups.act")
def swap(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Put what was restored in the old one's place."""
    note = _("It takes over addresses, state, limits and rent. The company that leaves is stopped"
             " and kept at the other address; this can be undone.")  # fmt: skip
    return _exchange(request, run_id, is_back=False, title=_("Put it in its place"), note=note)


@page
@operators_with("backups.act")
def swap_back(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Undo that."""
    note = _("The company that was there before comes back with its data of then.")
    return _exchange(request, run_id, is_back=True, title=_("Undo the exchange"), note=note)


def _exchange(
    request: HttpRequest, run_id: UUID, *, is_back: bool, title: str, note: str
) -> HttpResponse:
    run = get_object_or_404(RestoreRun, pk=run_id)
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.exchange(
                run_id=run_id, is_back=is_back, reason=form.cleaned_data["reason"],
                actor=me(request), at=timezone.now(),
            )  # fmt: skip
    return _answer(
        request, form, run.company_id, title=title, note=note, verb=_("Exchange"), danger=True,
        message=_("Exchanged. It shows everywhere within half a minute."),
    )  # fmt: skip


def _answer(
    request: HttpRequest, form: Form, company_id: UUID, *, message: str, **words: Any
) -> HttpResponse:
    """The form in the dialog or as a page; back to the company's backups when it is done."""
    back = reverse("console:backups", args=[company_id])
    context = {**words, "action": request.path, "cancel": back, **console(request, "companies")}
    if request.method == "POST":
        return answer_form(
            request, form, partial=PARTIAL, page=FORM_PAGE, context=context, then=back,
            after="visit", message=message,
        )  # fmt: skip
    template = PARTIAL if in_dialog(request) else FORM_PAGE
    return render(request, template, {**context, "form": form, "partial": PARTIAL})
