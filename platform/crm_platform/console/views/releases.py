"""Releases of the companies' tables: the list, the board of waves, and what operators do there."""

from collections import Counter
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.console import forms
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.services import releases as services
from crm_platform.console.services import wave_backs
from crm_platform.console.views import dry_runs
from crm_platform.console.views.asking import me
from crm_platform.console.words import check_word, reader_word, release_word, ring_word, run_word
from crm_platform.kernel.errors import Conflict, DomainError
from crm_platform.ui.answers import refusals_on
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
        "rows": [(each, release_word(each.state), KINDS[each.state], each == newest)
                 for each in queries.releases()[:SHOWN]],
        "newest": newest, "lagging": queries.lagging(newest).count() if newest else 0,
        "spares": queries.spare_count(newest) if newest else 0,
        "wanted": setting.spares, "form": form, **console(request, "releases"),
    }  # fmt: skip
    return render(request, "console/releases.html", context, status=422 if form.errors else 200)


def _board(request: HttpRequest, release: Release) -> dict[str, Any]:
    waves = [
        (each, ring_word(each.wave.ring), run_word(each.wave.state), KINDS[each.wave.state])
        for each in queries.waves_of(release)
    ]
    troubled = queries.troubled_of(release)
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


def _checked(run: SchemaRun) -> str:
    """What was looked at, each word once."""
    return ", ".join(dict.fromkeys(check_word(each) for each in run.checks))


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
    return _page(request, _found(version))


def _page(
    request: HttpRequest, found: Release, back_form: forms.WaveBackForm | None = None
) -> HttpResponse:
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
        "done": [(run, _checked(run)) for run in done[:30]],
        **dry_runs.panel(found),
        "notes": _notes(found),
        "back_form": back_form or _wave_back_form(found),
        "back_asked": wave_backs.asked_for(found),
    }
    return render(request, "console/release.html", context, status=422 if back_form else 200)


def _wave_back_form(release: Release, given: QueryDict | None = None) -> forms.WaveBackForm | None:
    """None where nothing can be rolled back."""
    counts = Counter(queries.upgraded_of(release).values_list("wave__ring", flat=True))
    waves = [
        (ring, ngettext("%(ring)s: %(count)d company", "%(ring)s: %(count)d companies", count)
         % {"ring": ring_word(ring), "count": count})
        for ring, count in counts.items()
    ]  # fmt: skip
    has_way_back = release.previous_id and all(step["back"] is not None for step in release.steps)
    return forms.WaveBackForm(given, waves=waves) if waves and has_way_back else None


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


@require_POST
@operators_with("releases.run")
def wave_back(request: HttpRequest, version: str) -> HttpResponse:
    """Stop the release, and ask a second person to have a whole wave rolled back."""
    found = _found(version)
    form = _wave_back_form(found, request.POST)
    if form is None:
        raise Conflict(_("No company of this wave was upgraded: there is nothing to undo."))
    if form.is_valid():
        with refusals_on(form):
            wave_backs.ask(
                version=version, ring=form.cleaned_data["wave"], actor=me(request),
                reason=form.cleaned_data["reason"], at=timezone.now(),
            )  # fmt: skip
            return toast(redirect("console:approvals"), _("It waits for a second person."))
    return _page(request, found, form)
