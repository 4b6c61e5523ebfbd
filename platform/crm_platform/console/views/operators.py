"""Who operates the service."""

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.console import forms, rules
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import operators as queries
from crm_platform.console.services import operators as services
from crm_platform.console.views.asking import me
from crm_platform.console.words import role_word
from crm_platform.identity.models import User
from crm_platform.identity.queries import is_too_old, open_invitations
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on
from crm_platform.ui.toast import toast

page = require_http_methods(["GET", "HEAD", "POST"])
manage = operators_with("operators.manage")
FORM_PAGE = "console/form_page.html"


def _person(pk: int) -> User:
    person = queries.get_operator(pk)
    if person is None:
        raise Http404
    return person


@require_GET
@operators_with("operators.view")
def operators(request: HttpRequest) -> HttpResponse:
    """Everybody who may come in here, and who is invited."""
    at = timezone.now()
    rows = [(row, role_word(row.person.role.key)) for row in queries.operators()]
    context = {
        "active": [each for each in rows if each[0].person.is_active],
        "inactive": [each for each in rows if not each[0].person.is_active],
        "invited": [
            (one, role_word(one.role.key), is_too_old(one, at)) for one in open_invitations()
        ],
        "may_manage": rules.may(request.user, "operators.manage"),
        **console(request, "operators"),
    }
    return render(request, "console/operators.html", context)


def _answer(
    request: HttpRequest, form: Form, title: str, note: str, message: str, **more: object
) -> HttpResponse:
    """The form in the dialog or on a page of its own; after it was taken, the list."""
    partial = "console/_operator_form.html"
    context = {"title": title, "note": note, "action": request.path, **more,
               **console(request, "operators")}  # fmt: skip
    if request.method != "POST":
        template = partial if in_dialog(request) else FORM_PAGE
        return render(request, template, {**context, "form": form, "partial": partial})
    return answer_form(
        request, form, partial=partial, page=FORM_PAGE, context=context,
        then="console:operators", after="visit", message=message,
    )  # fmt: skip


@page
@manage
def invite(request: HttpRequest) -> HttpResponse:
    """Ask somebody by mail to become an operator."""
    form = forms.InviteOperatorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.invite(**form.cleaned_data, actor=me(request), at=timezone.now())
    note = _("They get a link that is good for seven days, for this address only.")
    return _answer(request, form, _("Invite an operator"), note, _("Invitation sent"))


@page
@manage
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an operator's role."""
    person = _person(pk)
    form = forms.OperatorRoleForm(request.POST or None, initial={"role": person.role_id})
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.change_role(
                person=person, role=form.cleaned_data["role"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
    return _answer(request, form, person.name, "", _("Saved"))


@page
@manage
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Reset an operator's second factor, with a reason."""
    person = _person(pk)
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.reset_second_factor(
                person=person, reason=form.cleaned_data["reason"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
    title = _("Reset the second factor of %(name)s") % {"name": person.name}
    note = _("They are signed out everywhere and set up a new one when they come back.")
    message = _("The second factor is reset.")
    return _answer(request, form, title, note, message, verb=_("Reset"), danger=True)


@require_POST
@manage
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep an operator out."""
    person = services.deactivate(person=_person(pk), actor=me(request), at=timezone.now())
    text = _("%(name)s can no longer come in.") % {"name": person.name}
    return toast(redirect("console:operators"), text)


@require_POST
@manage
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an operator in again."""
    person = services.reactivate(person=_person(pk), actor=me(request), at=timezone.now())
    text = _("%(name)s can come in again.") % {"name": person.name}
    return toast(redirect("console:operators"), text)


@require_POST
@manage
def resend(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Mail a fresh link."""
    services.resend(invitation_id=invitation_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:operators"), _("Invitation sent again"))


@require_POST
@manage
def revoke(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Withdraw an invitation."""
    services.revoke(invitation_id=invitation_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:operators"), _("Invitation withdrawn"))
