"""Dry runs of a release: asking for them, and what they showed."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from crm_platform.console import forms
from crm_platform.console.guard import operators_with
from crm_platform.console.services import releases as services
from crm_platform.console.views.asking import me
from crm_platform.console.words import dry_run_word, lock_word
from crm_platform.kernel.errors import Invalid
from crm_platform.ui.toast import toast
from tenants.upgrades import queries, words
from tenants.upgrades.models import Preflight, Release

SHOWN = 30
KINDS = {"waiting": "", "running": "info", "green": "ok", "red": "bad"}
OPEN = (Preflight.State.WAITING, Preflight.State.RUNNING)


def panel(release: Release) -> dict[str, Any]:
    """What the part of the board shows. Three queries, two more once one went well."""
    rows = list(queries.preflights().filter(release=release)[:SHOWN])
    wait_ms = queries.fleet_estimate_ms(release)
    return {
        "dry_runs": [
            (
                row,
                dry_run_word(row.state),
                KINDS[row.state],
                _locks(row),
                words.dry_run_error(row.error),
            )
            for row in rows
        ],
        "dry_runs_live": any(row.state in OPEN for row in rows),
        "dry_run_form": forms.DryRunForm(),
        "may_check": release.previous_id is not None and release.state != Release.State.DONE,
        "is_proven": queries.is_proven(release),
        "fleet_seconds": None if wait_ms is None else max(wait_ms / 1000, 1),
        "fleet": queries.lagging(release).count(),
    }


def _locks(row: Preflight) -> list[tuple[str, str, bool]]:
    """(table, what its lock means, whether it was written anew)."""
    return [(table, lock_word(mode), table in row.rewritten) for table, mode in row.locks.items()]


@require_POST
@operators_with("releases.run")
def check(request: HttpRequest, version: str) -> HttpResponse:
    """Have the release tried on copies of the biggest companies."""
    form = forms.DryRunForm(request.POST)
    if not form.is_valid():
        raise Invalid(" ".join(map(str, form.errors["biggest"])), field="biggest")
    count = services.check(
        version=version, biggest=form.cleaned_data["biggest"], actor=me(request), at=timezone.now()
    )
    said = ngettext("%(n)d dry run begins", "%(n)d dry runs begin", count) % {"n": count}
    return toast(redirect("console:release", version), said)
