"""Settings: roles and what they allow."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.identity import forms, kinds, labels, queries
from crm_platform.identity.decorators import ability_required
from crm_platform.identity.granting import OWNER
from crm_platform.identity.models import Role, User
from crm_platform.identity.nav import settings_nav
from crm_platform.identity.roles import VERBS
from crm_platform.identity.services import roles as services
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on
from crm_platform.ui.toast import toast

page = require_http_methods(["GET", "HEAD", "POST"])
manage = ability_required("roles.manage")


@require_GET
@manage
def roles(request: HttpRequest) -> HttpResponse:
    """Every role, and how many people have it."""
    rows = [(role, labels.role_name(role)) for role in queries.roles_with_counts()]
    context = {"rows": rows, "settings_nav": settings_nav(request, "roles")}
    return render(request, "identity/roles.html", context)


@page
@manage
def copy(request: HttpRequest) -> HttpResponse:
    """Make a role of the company's own."""
    partial = "identity/_copy_role.html"
    context = {"title": _("New role"), "settings_nav": settings_nav(request, "roles")}
    if request.method != "POST":
        form = forms.CopyRoleForm(initial={"role": request.GET.get("from")})
        template = partial if in_dialog(request) else "identity/form_page.html"
        return render(request, template, {"form": form, "partial": partial, **context})
    form = forms.CopyRoleForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.copy_role(
                **form.cleaned_data, actor=cast(User, request.user), at=timezone.now()
            )
    return answer_form(
        request, form, partial=partial, then="identity:roles", after="visit",
        page="identity/form_page.html", context=context, message=_("Role made. Set its rights."),
    )  # fmt: skip


def _ability_choices(role: Role) -> list[tuple[str, Any]]:
    extra = [(key, key) for key in role.abilities if key not in labels.ABILITIES]
    return [*labels.ABILITIES.items(), *extra]


@page
@manage
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The rights matrix of one role."""
    role = get_object_or_404(queries.roles(), pk=pk)
    choices = _ability_choices(role)
    if request.method == "POST":
        form = forms.RoleForm(request.POST, abilities=choices)
        if form.is_valid():
            with refusals_on(form):
                services.edit_role(
                    role=role, name=form.cleaned_data["name"], rights=_rights_sent(form),
                    abilities=form.cleaned_data["abilities"], field_limits=form.matrix("limit"),
                    actor=cast(User, request.user), at=timezone.now(),
                )  # fmt: skip
                return toast(redirect("identity:role", pk), _("Saved"))
        sent = Role(
            pk=role.pk, key=role.key, is_system=role.is_system, name=form.data.get("name", ""),
            rights=form.matrix("level"), abilities=form.data.getlist("abilities"),  # type: ignore[attr-defined]
            field_limits=form.matrix("limit"),
        )  # fmt: skip
        return _editor(request, sent, form, choices, status=422)
    return _editor(request, role, forms.RoleForm(abilities=choices), choices)


def _rights_sent(form: forms.RoleForm) -> dict[str, dict[str, str]]:
    """Rows that say the same as the row for all records are left out: that row speaks for them."""
    sent = form.matrix("level")
    common = sent.get("*", {})
    return {key: levels for key, levels in sent.items() if key == "*" or levels != common}


def _editor(
    request: HttpRequest, role: Role, form: forms.RoleForm, choices: list[tuple[str, Any]],
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {
        "role": role,
        "role_name": labels.role_name(role),
        "form": form,
        "is_fixed": role.key == OWNER,
        "verbs": [labels.VERBS[verb] for verb in VERBS],
        "levels": labels.LEVELS.items(),
        "rows": _matrix_rows(role),
        "abilities": [(key, label, key in role.abilities) for key, label in choices],
        "limits": _limit_rows(role),
        "limit_choices": labels.FIELD_LIMITS.items(),
        "settings_nav": settings_nav(request, "roles"),
    }
    return render(request, "identity/role.html", context, status=status)


def _matrix_rows(role: Role) -> list[tuple[str, Any, list[tuple[str, Any, str]]]]:
    """One row a record type: key, label and its (verb, word, level)s; first what is general."""
    kinds_here = [("*", _("All records")), *((k.key, k.label) for k in kinds.record_kinds())]
    common = role.rights.get("*", {})
    return [
        (key, label, [
            (verb, labels.VERBS[verb], (role.rights.get(key) or common).get(verb, "none"))
            for verb in VERBS
        ])
        for key, label in kinds_here
    ]  # fmt: skip


def _limit_rows(role: Role) -> list[tuple[Any, list[tuple[str, Any, str]]]]:
    return [
        (kind.label, [
            (f"limit.{kind.key}.{field}", label, role.field_limits.get(kind.key, {}).get(field, ""))
            for field, label in kind.fields
        ])
        for kind in kinds.record_kinds() if kind.fields
    ]  # fmt: skip


@require_POST
@manage
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a role nobody has."""
    role = get_object_or_404(queries.roles(), pk=pk)
    services.delete_role(role=role, actor=cast(User, request.user), at=timezone.now())
    return toast(redirect("identity:roles"), _("Role removed"))
