"""Releases of the companies' tables: the list, the board of waves, and what operators do there."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.console import forms
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.services import releases as services
from crm_platform.console.views import dry_runs
from crm_platform.console.views.asking import me
from crm_platform.console.words import reader_word, release_word, run_word
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.toast import toast
from tenants.upgrades import planning, queries
from tenants.upgrades.models import Release, SchemaRun
from tenants.upgrades.words import stop_reason

SHOWN = 200
KINDS = {
    "built": "info", "planned": "info", "running": "info", "stopped": "bad", "done": "ok",
    "waiting": "", "data": "info", "failed": "bad", "held": "warn", "back": "warn",
}  # fmt: skip


@require_http_methods(["GET", "POST"])
@operators_with("releases.view")
def releases(request: HttpRequest) -> HttpResponse:
    """Every release, and how spares and upgrades run; a POST changes that."""
    setting = queries.setting()
    form = forms.UpgradeSettingForm(request.POST or None, initial=forms.setting_values(setting))
    if request.method == "POST" and form.is_valid():
        try:
            services.change_setting(actor=me(request), at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            return toast(redirect("console:releases"), _("Saved"))
    newest = queries.newest()
    context = {
        "rows": [(each, release_word(each.state), KINDS[each.state], queries.lagging(each).count())
                 for each in queries.releases()[:SHOWN]],
        "newest": newest, "spares": queries.spare_count(newest) if newest else 0,
        "wanted": setting.spares, "form": form, **console(request, "releases"),
    }  # fmt: skip
    return render(request, "console/releases.html", context, status=422 if form.errors else 200)


def _board(request: HttpRequest, release: Release) -> dict[str, Any]:
    waves = [
        (each, forms.ring_word(each.wave.ring), run_word(each.wave.state), KINDS[each.wave.state])
        for each in queries.waves_of(release)
    ]
    troubled = queries.runs_of(release, ("failed", "held", "back"))
    at_work = queries.runs_of(release, ("running", "data"))
    return {
        "release": release, "reason": stop_reason(release.state_reason),
        "word": release_word(release.state),
        "kind": KINDS[release.state],
        "waves": waves, "is_live": release.state == Release.State.RUNNING,
        "troubled": [_line(run) for run in troubled[:SHOWN]],
        "at_work": [_line(run) for run in at_work[:SHOWN]],
        **console(request, "releases"),
    }  # fmt: skip


def _line(run: SchemaRun) -> tuple[SchemaRun, str, str]:
    return run, run_word(run.state), KINDS[run.state]


def _notes(release: Release) -> list[tuple[str, list[str]]]:
    """What it tells the companies' people, by reader, in the operator's language or English."""
    notes = release.notes.get(get_language() or "en") or release.notes.get("en", {})
    return [(reader_word(role), sentences) for role, sentences in notes.items()]


def _found(version: str) -> Release:
    release = queries.get_release(version)
    if release is None:
        raise Http404
    return release


@require_GET
@operators_with("releases.view")
def release(request: HttpRequest, version: str) -> HttpResponse:
    """The board of one release: its waves with progress, who failed, the ways out."""
    found = _found(version)
    context = _board(request, found)
    if request.headers.get("HX-Target") == "waves":
        return render(request, "console/_waves.html", context)
    if request.headers.get("HX-Target") == "dry-runs":
        return render(request, "console/_dry_runs.html", {**context, **dry_runs.panel(found)})
    done = queries.runs_of(found, ("done",)).order_by("-finished_at")
    lagging = list(queries.lagging(found)[:SHOWN])
    context |= {
        "stop_form": forms.ReasonForm(),
        "lagging": len(lagging),
        "seconds": planning.estimate_ms(lagging) / 1000,
        "done": [_line(run) for run in done[:30]],
        **dry_runs.panel(found),
        "notes": _notes(found),
    }
    return render(request, "console/release.html", context)


@require_POST
@operators_with("releases.run")
def plan(request: HttpRequest, version: str) -> HttpResponse:
    """Put the companies into waves."""
    services.plan(version=version, actor=me(request), at=timezone.now())
    return toast(redirect("console:release", version), _("Planned"))


@require_POST
@operators_with("releases.run")
def start(request: HttpRequest, version: str) -> HttpResponse:
    """Begin, or go on."""
    services.start(version=version, actor=me(request), at=timezone.now())
    return toast(redirect("console:release", version), _("The upgrade runs"))


@require_POST
@operators_with("releases.run")
def stop(request: HttpRequest, version: str) -> HttpResponse:
    """Take no further company."""
    reason = request.POST.get("reason", "")[:300]
    services.stop(version=version, reason=reason, actor=me(request), at=timezone.now())
    return toast(redirect("console:release", version), _("Stopped"))


@require_POST
@operators_with("releases.run")
def retry(request: HttpRequest, run_id: int) -> HttpResponse:
    """Try one company again."""
    run = services.retry(run_id=run_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:release", run.release.version), _("It is tried again."))


@require_POST
@operators_with("releases.run")
def hold(request: HttpRequest, run_id: int) -> HttpResponse:
    """Leave one company at its release."""
    run = services.hold(run_id=run_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:release", run.release.version), _("Held"))


@require_POST
@operators_with("releases.run")
def back(request: HttpRequest, run_id: int) -> HttpResponse:
    """Have one company brought back to the release before."""
    run = services.roll_back(run_id=run_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:release", run.release.version), _("It is being rolled back."))
