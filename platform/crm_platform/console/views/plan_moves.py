"""Moving companies to another version of their plan: the dry run, asking, how far it is, undo."""

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing import moving, operating
from billing.catalogue import name_of
from billing.models import PlanMove, PlanVersion
from crm_platform.console import forms, offer_forms
from crm_platform.console.amounts import said
from crm_platform.console.billing_words import blocked_word, move_word, unit_word
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.services import plan_moves as services
from crm_platform.console.views.asking import me
from crm_platform.console.words import limit_word
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast

SHOWN = 200
SPARE = dt.timedelta(days=2)
"""Beyond the notice: a second person has a day to agree."""
KINDS = {"done": "ok", "planned": "info", "blocked": "warn", "left": "", "returning": "info"}


def _version(version_id: int) -> PlanVersion:
    version = operating.get_version(version_id)
    if version is None:
        raise Http404
    return version


def _row(looked: services.Looked) -> dict[str, Any]:
    row = looked.row
    code = row.old.currency
    sign = "+" if row.difference > 0 else ""
    return {
        "company": row.subscription.account.company, "seats": row.subscription.seats,
        "old": unit_word(row.old.unit_amount, code, row.old.interval),
        "new": unit_word(row.new.unit_amount, code, row.new.interval) if row.new else "–",
        "difference": f"{sign}{said(row.difference, code)}", "starts": row.starts,
        "blocked": blocked_word(row.note) if row.note else "",
        "conflicts": [(limit_word(kind), used, most) for kind, used, most in looked.conflicts],
    }  # fmt: skip


def _page(
    request: HttpRequest, version: PlanVersion, sent: Any, ask: forms.ApprovalForm | None = None
) -> HttpResponse:
    targets = [(each, f"{name_of(each.plan.names)} {each.number}")
               for each in moving.targets_for(version)]  # fmt: skip
    day = (timezone.now() + moving.notice() + SPARE).date()
    first = targets[0][0].pk if targets else None
    form = offer_forms.MoveForm(
        sent if "target" in sent else {"target": first, "holds_from": day}, targets=targets
    )
    rows: list[services.Looked] = []
    if targets and form.is_valid():
        target = next(each for each, _name in targets if each.pk == form.cleaned_data["target"])
        rows = services.dry_run(
            source=version, target=target, holds_from=form.moment(), at=timezone.now()
        )
    able = [each.row for each in rows if not each.row.note]
    sums: dict[str, int] = {}
    for row in able:
        sums[row.old.currency] = sums.get(row.old.currency, 0) + row.difference
    context = {
        "version": version, "name": name_of(version.plan.names), "targets": targets, "form": form,
        "rows": [_row(each) for each in rows[:SHOWN]], "more": max(0, len(rows) - SHOWN),
        "able": len(able), "blocked": len(rows) - len(able),
        "conflicting": sum(bool(each.conflicts) for each in rows),
        "sums": [f"{'+' if amount > 0 else ''}{said(amount, code)}"
                 for code, amount in sorted(sums.items())],
        "ask": ask or forms.ApprovalForm(), "wanted": services.confirmation_of(len(able)),
        "notice": moving.notice().days, **console(request, "billing"),
    }  # fmt: skip
    status = 422 if ask is not None or (sent and form.errors) else 200
    return render(request, "console/move_ask.html", context, status=status)


@require_GET
@operators_with("billing.plans")
def look(request: HttpRequest, version_id: int) -> HttpResponse:
    """What moving everybody on this version would mean; changes nothing."""
    return _page(request, _version(version_id), request.GET)


@require_POST
@operators_with("approvals.ask")
def ask(request: HttpRequest, version_id: int) -> HttpResponse:
    """Ask a second person for just the move that was looked at."""
    version = _version(version_id)
    targets = [(each, str(each)) for each in moving.targets_for(version)]
    form, reason = (
        offer_forms.MoveForm(request.POST, targets=targets), forms.ApprovalForm(request.POST),
    )  # fmt: skip
    if form.is_valid() and reason.is_valid():
        with refusals_on(reason):
            services.ask(
                source_id=version_id, target_id=form.cleaned_data["target"],
                holds_from=form.moment(), reason=reason.cleaned_data["reason"],
                typed=reason.cleaned_data["typed"], actor=me(request), at=timezone.now(),
            )  # fmt: skip
            return toast(redirect("console:approvals"), _("It waits for a second person."))
    return _page(request, version, request.POST, reason)


def _move(move_id: int) -> PlanMove:
    move = moving.get_move(move_id)
    if move is None:
        raise Http404
    return move


def _move_page(
    request: HttpRequest, move: PlanMove, form: forms.ReasonForm | None = None
) -> HttpResponse:
    items = move.items.select_related(
        "subscription__account__company", "old_price", "new_price", "change"
    ).order_by("pk")
    context = {
        "move": move, "title": services.title_of(move),
        "progress": [(move_word(state), KINDS.get(state, ""), count)
                     for state, count in moving.progress(move).items()],
        "items": [
            (item, item.subscription.account.company, move_word(item.state),
             KINDS.get(item.state, ""), blocked_word(item.note) if item.note else "")
            for item in items[:SHOWN]
        ],
        "may_undo": move.agreed_at is not None and move.undone_at is None,
        "form": form or forms.ReasonForm(), **console(request, "billing"),
    }  # fmt: skip
    return render(request, "console/move.html", context, status=422 if form else 200)


@require_GET
@operators_with("billing.view")
def move(request: HttpRequest, move_id: int) -> HttpResponse:
    """How far a move is, company by company."""
    return _move_page(request, _move(move_id))


@require_POST
@operators_with("approvals.ask")
def undo(request: HttpRequest, move_id: int) -> HttpResponse:
    """Take it back: what is planned does not come, who went goes back with the next renewal."""
    found = _move(move_id)
    form = forms.ReasonForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.undo(
                move_id=move_id, reason=form.cleaned_data["reason"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
            return toast(redirect("console:move", move_id), _("It is being taken back"))
    return _move_page(request, found, form)
