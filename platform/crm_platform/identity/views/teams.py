"""Settings: the tree of teams."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.identity import forms, queries
from crm_platform.identity.decorators import ability_required
from crm_platform.identity.models import User
from crm_platform.identity.nav import settings_nav
from crm_platform.identity.services import teams as services
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on
from crm_platform.ui.toast import toast

page = require_http_methods(["GET", "HEAD", "POST"])
manage = ability_required("users.manage")
PARTIAL = "identity/_team.html"


@require_GET
@manage
def teams(request: HttpRequest) -> HttpResponse:
    """The tree, with how many people are in each team."""
    context = {"rows": queries.team_tree(), "settings_nav": settings_nav(request, "teams")}
    return render(request, "identity/teams.html", context)


def _show(request: HttpRequest, form: forms.TeamForm, title: str) -> HttpResponse:
    template = PARTIAL if in_dialog(request) else "identity/form_page.html"
    context = {"form": form, "partial": PARTIAL, "title": title, "action": request.path}
    return render(request, template, {**context, "settings_nav": settings_nav(request, "teams")})


def _answer(request: HttpRequest, form: forms.TeamForm, title: str) -> HttpResponse:
    return answer_form(
        request, form, partial=PARTIAL, then="identity:teams", after="visit",
        page="identity/form_page.html", message=_("Saved"),
        context={"title": title, "action": request.path,
                 "settings_nav": settings_nav(request, "teams")},
    )  # fmt: skip


@page
@manage
def create(request: HttpRequest) -> HttpResponse:
    """Add a team."""
    if request.method != "POST":
        below = {"parent": request.GET.get("below")}
        return _show(request, forms.TeamForm(initial=below), _("New team"))
    form = forms.TeamForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.create_team(
                **form.cleaned_data, actor=cast(User, request.user), at=timezone.now()
            )
    return _answer(request, form, _("New team"))


@page
@manage
def alter(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename or move a team."""
    team = get_object_or_404(queries.teams(), pk=pk)
    if request.method != "POST":
        known = {"name": team.name, "parent": team.parent_id}
        return _show(request, forms.TeamForm(initial=known, team=team), team.name)
    form = forms.TeamForm(request.POST, team=team)
    if form.is_valid():
        with refusals_on(form):
            services.alter_team(
                team=team, **form.cleaned_data, actor=cast(User, request.user), at=timezone.now()
            )
    return _answer(request, form, team.name)


@require_POST
@manage
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove an empty team."""
    team = get_object_or_404(queries.teams(), pk=pk)
    services.remove_team(team=team, actor=cast(User, request.user), at=timezone.now())
    return toast(redirect("identity:teams"), _("Team removed"))
