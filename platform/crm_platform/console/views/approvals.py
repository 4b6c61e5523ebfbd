"""What needs two persons."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm_platform.console import acts, forms
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import approvals as queries
from crm_platform.console.services import approvals as services
from crm_platform.console.views.asking import me
from crm_platform.console.words import approval_word
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast


@require_GET
@operators_with("approvals.view")
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, and what became of the rest."""
    labels = {act.key: act.label for act in acts.acts()}
    rows = queries.approvals(at=timezone.now())
    context = {
        "rows": [
            (row, labels.get(row.approval.act, row.approval.act), approval_word(row.approval.state))
            for row in rows
        ],
        **console(request, "approvals"),
    }
    return render(request, "console/approvals.html", context)


@require_POST
@operators_with("approvals.ask")
def ask(request: HttpRequest) -> HttpResponse:
    """First the page that says what is meant, then, with reason and typed words, the request."""
    meant = queries.chosen(request.POST.getlist("companies"))
    act = acts.get_act(request.POST.get("act", ""))
    is_sent = "typed" in request.POST
    form = forms.ApprovalForm(request.POST if is_sent else None)
    if is_sent and form.is_valid():
        with refusals_on(form):
            services.ask(
                act_key=act.key if act else "", company_ids=[each.pk for each in meant],
                reason=form.cleaned_data["reason"], typed=form.cleaned_data["typed"],
                actor=me(request), at=timezone.now(),
            )  # fmt: skip
            return toast(redirect("console:approvals"), _("It waits for a second person."))
    if act is None or act.is_whole or not meant:
        text = _("Choose companies first, then what to do with them.")
        return toast(redirect("console:companies"), text, kind="bad")
    context = {
        "act": act, "meant": meant, "form": form, "wanted": services.confirmation_of(meant),
        **console(request, "companies"),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "console/approval_ask.html", context, status=status)


@require_POST
@operators_with("approvals.decide")
def agree(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree as the second person; it is done at once."""
    services.agree(approval_id=pk, actor=me(request), at=timezone.now())
    return toast(redirect("console:approvals"), _("Agreed. What became of it stands below."))


@require_POST
@operators_with("approvals.decide")
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Say no, or take one's own request back."""
    services.refuse(approval_id=pk, actor=me(request), at=timezone.now())
    return toast(redirect("console:approvals"), _("Refused. Nothing was done."))
