"""The settings page of the rehearsal, and a rehearsal's own outbox."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from crm_core.fields.requests import StaffRequest
from crm_core.leaving.parts import configuration_models
from crm_core.web import rehearsing
from crm_core.web.models import Rehearsal
from crm_core.web.settings_nav import settings_nav
from crm_platform.identity.decorators import ability_required
from crm_platform.identity.services import mail
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, DomainError
from crm_platform.ui.toast import toast
from tenants.rehearsal import Difference

SHOWN = 100
QUIET = ("id", "position")
"""Columns of a whole row that say nothing to a reader."""


@require_safe
@ability_required("company.settings")
def rehearsal(request: StaffRequest) -> HttpResponse:
    """Where the rehearsal is, in what it differs, and what can be done with it."""
    row = rehearsing.current()
    context: dict[str, Any] = {
        "row": row,
        "is_rehearsal": tenancy.current().is_rehearsal,
        "address": settings.ENVIRONMENT.address_of(row.host) if row and row.host else "",
        "lines": [_line(each) for each in rehearsing.differences_of(row)] if row else [],
        "settings_nav": settings_nav(request, "rehearsal"),
    }
    return render(request, "web/rehearsal.html", context)


def _line(each: Difference) -> dict[str, Any]:
    """One difference in words."""
    model = next(m for m in configuration_models() if m._meta.db_table == each.table)
    kinds = {
        "Role": _("Role"), "Team": _("Team"), "Pipeline": _("Pipeline"), "Stage": _("Stage"),
        "LostReason": _("Lost reason"), "CustomField": _("Field"), "Tag": _("Tag"),
        "SavedView": _("View"),
    }  # fmt: skip
    return {
        "key": each.key, "kind": kinds.get(model.__name__, model.__name__), "row": each.row,
        "field": each.field.replace("_", " "), "live": _shown(each.live),
        "rehearsal": _shown(each.rehearsal), "is_added": not each.field and each.live is None,
        "is_removed": not each.field and each.rehearsal is None,
    }  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}: {v}" for k, v in value.items() if k not in QUIET)[:200]
    if isinstance(value, list):
        return ", ".join(map(str, value))[:200]
    return "–" if value in (None, "") else str(value)[:200]


@require_POST
@ability_required("company.settings")
def act(request: StaffRequest) -> HttpResponse:
    """Have the rehearsal made, reset, compared or removed."""
    wanted = request.POST.get("act", "")
    if wanted not in Rehearsal.Act.values:
        raise Conflict(_("This cannot be done with a rehearsal."))
    return _answered(lambda: rehearsing.ask(act=wanted, actor=request.user, at=timezone.now()), "")


@require_POST
@ability_required("company.settings")
def promote(request: StaffRequest) -> HttpResponse:
    """Bring the ticked differences over."""
    keys = request.POST.getlist("what")
    count = len(keys)
    told = ngettext(
        "%(count)d difference brought over", "%(count)d differences brought over", count
    ) % {"count": count}
    return _answered(
        lambda: rehearsing.promote(keys=keys, actor=request.user, at=timezone.now()), told
    )


@require_POST
@ability_required("company.settings")
def undo(request: StaffRequest) -> HttpResponse:
    """Take the last act back."""
    return _answered(
        lambda: rehearsing.take_back(actor=request.user, at=timezone.now()),
        _("Your company is as it was before."),
    )


def _answered(do: Any, told: str) -> HttpResponse:
    """Back to the page, with what was done or why not."""
    response = redirect("web:rehearsal")
    try:
        do()
    except DomainError as refusal:
        return toast(response, str(refusal), kind="bad")
    return toast(response, told) if told else response


@require_safe
@ability_required("company.settings")
def outbox(request: StaffRequest) -> HttpResponse:
    """The mails of a rehearsal with their texts; live companies have no such page."""
    if not tenancy.current().is_rehearsal:
        raise Http404
    return render(request, "web/rehearsal_outbox.html", {"mails": list(mail.outbox()[:SHOWN])})
