"""The company's updates: what was done, what comes, and its own choice of when.

They show the platform's rows, so they are built afterwards.
"""

import csv
import datetime as dt
import io
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from crm_core.fields.requests import StaffRequest
from crm_core.web import forms
from crm_core.web import updates as services
from crm_core.web.settings_nav import settings_nav
from crm_platform.identity.decorators import ability_required
from crm_platform.kernel import features, tenancy
from crm_platform.kernel.errors import DomainError
from crm_platform.kernel.periods import local_date
from crm_platform.ui.afterwards import afterwards
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast
from tenants.models import Company
from tenants.upgrades import proof
from tenants.upgrades.models import SchemaRun

admins_only = ability_required("company.settings")
KINDS = {"done": "ok", "failed": "warn", "held": "warn", "back": "warn", "running": "info",
         "data": "info"}  # fmt: skip
ICONS = {"done": "circle-check", "failed": "circle-alert", "held": "pause", "back": "undo-2"}


def state_words(state: str) -> str:
    """How far one update of the company is."""
    return {
        "waiting": _("Waiting"), "running": _("Running"), "data": _("Running"),
        "done": pgettext("release", "Done"), "failed": _("Not done"), "held": _("On hold"),
        "back": _("Taken back"),
    }[state]  # fmt: skip


def check_words(key: str) -> str:
    """What was checked after an update; a step that moved rows is told by its name."""
    words = {
        "fingerprint": _("Every table is exactly as the release describes it"),
        "reads": _("Every table that changed can be read"),
        "constraints": _("Every rule holds for the older records, too"),
    }
    moved = _("Records were carried over: %(step)s") % {"step": key.rpartition(".")[2]}
    return words.get(key) or (moved if "." in key else key)


def _line(run: SchemaRun) -> dict[str, Any]:
    return {
        "run": run, "word": state_words(run.state), "kind": KINDS.get(run.state, ""),
        "icon": ICONS.get(run.state, "clock"), "checks": [check_words(key) for key in run.checks],
        "is_long": _minute(run.started_at) != _minute(run.finished_at),
        # What was checked is written with the tables: a failure after that came with the rows.
        "is_unharmed": run.state in ("failed", "held") and not run.checks,
        "is_halfway": run.state == "failed" and bool(run.checks),
    }  # fmt: skip


def _minute(moment: dt.datetime | None) -> dt.datetime | None:
    return moment.replace(second=0, microsecond=0) if moment else None


def _form(standing: proof.Standing) -> forms.UpdatesForm:
    company, waits = standing.company, standing.waits_until
    return forms.UpdatesForm(initial={
        "goes_early": "early" if company.ring == Company.Ring.EARLY else "rest",
        "window_from": company.window_from, "window_to": company.window_to,
        "wait_until": local_date(waits, company.time_zone) if waits else None,
    })  # fmt: skip


def _page(request: StaffRequest, *, form: forms.UpdatesForm | None = None) -> HttpResponse:
    scope, at = tenancy.current_company(), timezone.now()
    standing = proof.standing_of(scope.id, at=at)
    company, coming = standing.company, standing.coming
    with tenancy.unit_of_work(scope):
        context = {
            "standing": standing,
            "lines": [_line(run) for run in standing.runs],
            "coming": coming,
            "is_moving": bool(coming and coming.run and coming.run.state != "waiting"),
            "is_due": bool(coming and coming.run and coming.run.not_before
                           and coming.run.not_before <= at),
            "form": form or _form(standing),
            "is_free": not (company.upgrades_fixed or company.live_id),
            "is_canary": company.ring == Company.Ring.CANARY,
            "turn": services.turn_words(company.ring),
            "hours": services.hours_words(company.window_from, company.window_to),
            "features": [
                (feature, company.features.get(feature.key, False))
                for feature in features.optional_on(local_date(at, company.time_zone))
            ],
            "settings_nav": settings_nav(request, "updates"),
        }  # fmt: skip
        status = 422 if form is not None else 200
        return render(request, "web/updates.html", context, status=status)


@require_safe
@admins_only
def updates(request: StaffRequest) -> HttpResponse:
    """Where the company stands, what was done, what comes next, and when it wants it."""
    return afterwards(lambda: _page(request))


@require_POST
@admins_only
def choose(request: StaffRequest) -> HttpResponse:
    """Choose turn, hours and day; a refusal stands at its field."""
    form = forms.UpdatesForm(request.POST)

    def answer() -> HttpResponse:
        if form.is_valid():
            with refusals_on(form):
                services.choose(actor=request.user, at=timezone.now(), **form.cleaned_data)
                return toast(redirect("web:updates"), _("Saved"))
        return _page(request, form=form)

    return afterwards(answer)


@require_POST
@admins_only
def hurry(request: StaffRequest) -> HttpResponse:
    """Have the update that waits begin now."""

    def answer() -> HttpResponse:
        response = redirect("web:updates")
        try:
            services.hurry(actor=request.user, at=timezone.now())
        except DomainError as refusal:
            return toast(response, str(refusal), kind="bad")
        return toast(response, _("The update comes as soon as it is your turn."))

    return afterwards(answer)


@require_POST
@admins_only
def switch(request: StaffRequest) -> HttpResponse:
    """Switch a new feature on or off."""
    key, on = request.POST.get("key", ""), request.POST.get("on") == "1"

    def answer() -> HttpResponse:
        response = redirect("web:updates")
        try:
            services.switch_feature(key=key, on=on, actor=request.user, at=timezone.now())
        except DomainError as refusal:
            return toast(response, str(refusal), kind="bad")
        return toast(response, _("It is on for everybody now.") if on else _("It is off again."))

    return afterwards(answer)


@require_safe
@admins_only
def proof_file(_request: StaffRequest) -> HttpResponse:
    """Every update of the company as a table, for an auditor. Moments are UTC."""
    scope = tenancy.current_company()

    def answer() -> HttpResponse:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            runs = proof.runs_of(scope.id)
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow([_("Release"), _("Result"), _("Started"), _("Finished"),
                       _("Milliseconds"), _("Checked")])  # fmt: skip
        for run in runs:
            rows.writerow([
                run.release.version, state_words(run.state), _iso(run.started_at),
                _iso(run.finished_at), "" if run.took_ms is None else round(run.took_ms),
                "; ".join(check_words(key) for key in run.checks),
            ])  # fmt: skip
        response = HttpResponse(
            text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{scope.slug}-updates.csv"'
        return response

    return afterwards(answer)


def _iso(moment: dt.datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
