"""Settings: the people of the company and their invitations."""

from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.identity import forms, queries
from crm_platform.identity.decorators import ability_required
from crm_platform.identity.labels import role_name
from crm_platform.identity.models import User
from crm_platform.identity.nav import settings_nav
from crm_platform.identity.services import invitations
from crm_platform.identity.services import people as services
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on
from crm_platform.ui.toast import toast

page = require_http_methods(["GET", "HEAD", "POST"])
manage = ability_required("users.manage")


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)


def _person(pk: int) -> User:
    person = queries.get_person(pk)
    if person is None:
        raise Http404
    return person


@require_GET
@manage
def people(request: HttpRequest) -> HttpResponse:
    """Active, invited and deactivated people."""
    at, text = timezone.now(), request.GET.get("q", "")
    every = [(person, role_name(person.role)) for person in queries.people_matching(text)]
    invited = [
        (one, role_name(one.role), queries.is_too_old(one, at))
        for one in queries.open_invitations()
        if text.lower() in one.email
    ]
    context = {
        "active": [(p, role) for p, role in every if p.is_active],
        "inactive": [(p, role) for p, role in every if not p.is_active],
        "invited": invited,
        "q": text,
        "settings_nav": settings_nav(request, "people"),
    }
    return render(request, "identity/people.html", context)


def _form_page(request: HttpRequest, form: object, partial: str, **context: object) -> HttpResponse:
    """A form in the dialog, or as a page of its own where there is no script."""
    template = partial if in_dialog(request) else "identity/form_page.html"
    nav = settings_nav(request, "people")
    return render(
        request, template, {"form": form, "partial": partial, "settings_nav": nav, **context}
    )


@page
@manage
def invite(request: HttpRequest) -> HttpResponse:
    """Ask somebody by mail to join."""
    partial = "identity/_invite.html"
    if request.method != "POST":
        form = forms.InviteForm(initial={"role": queries.roles().filter(key="member").first()})
        return _form_page(request, form, partial, title=_("Invite somebody"))
    form = forms.InviteForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            invitations.invite(**form.cleaned_data, actor=_me(request), at=timezone.now())
    return answer_form(
        request, form, partial=partial, then="identity:people", after="visit",
        page="identity/form_page.html", message=_("Invitation sent"),
        context={"title": _("Invite somebody"), "settings_nav": settings_nav(request, "people")},
    )  # fmt: skip


@require_POST
@manage
def resend(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Mail a fresh link."""
    invitations.resend(invitation_id=invitation_id, actor=_me(request), at=timezone.now())
    return toast(redirect("identity:people"), _("Invitation sent again"))


@require_POST
@manage
def revoke(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Withdraw an invitation."""
    invitations.revoke(invitation_id=invitation_id, actor=_me(request), at=timezone.now())
    return toast(redirect("identity:people"), _("Invitation withdrawn"))


@page
@manage
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """Role and team of somebody."""
    person = _person(pk)
    partial, context = "identity/_place.html", {"person": person, "title": person.name}
    if request.method != "POST":
        form = forms.PlaceForm(initial={"role": person.role_id, "team": person.team_id})
        return _form_page(request, form, partial, **context)
    form = forms.PlaceForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.place(
                person=person, **form.cleaned_data, actor=_me(request), at=timezone.now()
            )
    return answer_form(
        request, form, partial=partial, then="identity:people", after="visit",
        page="identity/form_page.html", message=_("Saved"),
        context={**context, "settings_nav": settings_nav(request, "people")},
    )  # fmt: skip


@page
@manage
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep somebody out, and say who takes over."""
    person = _person(pk)
    partial, context = "identity/_deactivate.html", {"person": person, "title": person.name}
    if request.method != "POST":
        return _form_page(request, forms.DeactivateForm(person=person), partial, **context)
    form = forms.DeactivateForm(request.POST, person=person)
    if form.is_valid():
        with refusals_on(form):
            services.deactivate(
                person=person, successor=form.cleaned_data["successor"], actor=_me(request),
                at=timezone.now(),
            )  # fmt: skip
    return answer_form(
        request, form, partial=partial, then="identity:people", after="visit",
        page="identity/form_page.html",
        message=_("%(name)s can no longer come in.") % {"name": person.name},
        context={**context, "settings_nav": settings_nav(request, "people")},
    )  # fmt: skip


@require_POST
@manage
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in again."""
    person = services.reactivate(person=_person(pk), actor=_me(request), at=timezone.now())
    return toast(
        redirect("identity:people"), _("%(name)s can come in again.") % {"name": person.name}
    )
