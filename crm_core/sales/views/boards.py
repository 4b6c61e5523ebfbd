"""The deal board and what a drop on it does."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.fields.addresses import read_address
from crm_core.fields.requests import StaffRequest, today
from crm_core.fields.views.lists import head_key, list_context
from crm_core.registry import record_type
from crm_core.registry.queries import get_visible
from crm_core.sales import boards, forms, queries, services
from crm_core.sales.models import Deal, Stage
from crm_platform.identity.decorators import sign_in_required
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError, NotFound
from crm_platform.kernel.paging import decode_cursor
from crm_platform.ui.answers import close_dialog, is_htmx, refusals_on
from crm_platform.ui.toast import toast


@require_safe
@sign_in_required
def board(request: StaffRequest) -> HttpResponse:
    """The board of one pipeline; for htmx only its columns."""
    kind = record_type("deal")
    pipeline = queries.get_pipeline(request.GET.get("pipeline"))
    address = read_address(request.user, kind, request.GET)
    now = timezone.now()
    context: dict[str, Any] = {
        "kind": kind,
        "board": boards.board_of(request.user, pipeline, address.query, now=now),
        "query": address.query,
        "currency": tenancy.current().currency,
    }
    if request.headers.get("HX-Target") == "board":
        return render(request, "sales/_board.html", context)
    context.update(list_context(request.user, kind, address))
    context.update(
        head_key=head_key(request.user, address, f"board-{pipeline.id}"),
        pipelines=queries.pipelines(),
        has_filter=bool(address.query.filters or address.query.words),
    )
    return render(request, "sales/board.html", context)


@require_safe
@sign_in_required
def more_cards(request: StaffRequest, stage_id: int) -> HttpResponse:
    """The next cards of one column."""
    stage = queries.stages_by_id().get(stage_id)
    if stage is None:
        raise NotFound(_("This stage does not exist any more."))
    pipeline = queries.get_pipeline(stage.pipeline_id)
    rank, pk = decode_cursor(request.GET.get("after", ""), length=2)
    address = read_address(request.user, record_type("deal"), _without_cursor(request))
    deals = boards.deals_on_board(request.user, address.query, today=today())
    rows = queries.cards_after(deals, stage_id, rank, pk, size=boards.CARDS_A_COLUMN + 1)
    shown = rows[: boards.CARDS_A_COLUMN]
    painter = boards.CardPainter(request.user, pipeline, timezone.now())
    more = boards.cursor_after(shown[-1]) if len(rows) > len(shown) else ""
    context = {"cards": painter.cards(shown), "stage": stage, "more_cursor": more}
    return render(request, "sales/_more_cards.html", context)


def _without_cursor(request: HttpRequest) -> Any:
    given = request.GET.copy()
    given.pop("after", None)
    return given


@require_POST
@sign_in_required
def move(request: StaffRequest, deal_id: int) -> HttpResponse:
    """A card was dropped: move the deal, answer with the column heads that changed."""
    deal = get_visible(request.user, "deal", deal_id)
    form = forms.MoveForm(request.POST)
    if not form.is_valid():
        return toast(
            HttpResponse(status=422), _("This move cannot be read. Reload the page."), kind="bad"
        )
    given = form.cleaned_data
    came_from = deal.stage_id
    try:
        moved = services.move_deal(
            deal=deal,
            to=_target(deal, given["stage"]),
            actor=request.user,
            at=timezone.now(),
            before=given["before"],
            to_end="before" in request.POST and given["before"] is None,
            version=given["version"],
            lost_reason=given["lost_reason"],
            lost_note=given["lost_note"],
        )
    except DomainError as refusal:
        return toast(HttpResponse(status=422), str(refusal), kind="bad")
    if not is_htmx(request):
        return redirect(f"/deals/{deal.pk}/")
    return _moved(request, moved, came_from)


def _target(deal: Deal, given: str) -> int:
    """A stage's id, or `won`/`lost`: the first such stage of the deal's pipeline."""
    if given.isdigit():
        return int(given)
    stage = queries.get_pipeline(deal.pipeline_id).first_of(given)
    if stage is None:
        raise NotFound(_("This pipeline has no such stage."))
    return stage.id


def _moved(request: StaffRequest, deal: Deal, came_from: int) -> HttpResponse:
    """Out of band: the heads of both columns and the sums; the toast offers the way back."""
    stage = queries.stages_by_id()[deal.stage_id]
    if came_from == deal.stage_id:
        return HttpResponse(status=204)
    pipeline = queries.get_pipeline(deal.pipeline_id)
    given = request.headers.get("HX-Current-URL", "").partition("?")[2]
    from django.http import QueryDict

    address = read_address(request.user, record_type("deal"), QueryDict(given))
    changed = boards.heads_of(
        request.user, pipeline, address.query, {came_from, deal.stage_id}, today=today()
    )
    response = render(request, "sales/_moved.html", {"columns": changed, "deal": deal})
    text = {
        Stage.Kind.WON: _("%(name)s is won"),
        Stage.Kind.LOST: _("%(name)s is lost"),
    }.get(Stage.Kind(stage.kind), _("%(name)s moved to %(stage)s"))
    undo: Any = {
        "url": f"/deals/{deal.pk}/move/",
        "values": {"stage": str(came_from), "version": deal.version},
        "card": deal.pk,
    }
    return toast(response, text % {"name": deal.name, "stage": stage.name}, undo=undo)


@require_http_methods(["GET", "POST"])
@sign_in_required
def lost(request: StaffRequest, deal_id: int) -> HttpResponse:
    """Ask why a deal was lost, then move it there."""
    deal = get_visible(request.user, "deal", deal_id)
    if request.method == "GET":
        initial = {
            "stage": request.GET.get("stage") or "lost",
            "version": request.GET.get("version") or deal.version,
        }
        return _lost_form(request, deal, forms.LostForm(initial=initial))
    form = forms.LostForm(request.POST)
    came_from, moved = deal.stage_id, None
    if form.is_valid():
        given = form.cleaned_data
        with refusals_on(form):
            moved = services.move_deal(
                deal=deal,
                to=_target(deal, given["stage"]),
                actor=request.user,
                at=timezone.now(),
                version=given["version"],
                lost_reason=given["lost_reason"],
                lost_note=given["lost_note"],
            )
    if moved is None:
        return _lost_form(request, deal, form, status=422)
    if not is_htmx(request):
        return redirect(f"/deals/{deal.pk}/")
    return close_dialog(_moved(request, moved, came_from))


def _lost_form(
    request: HttpRequest, deal: Deal, form: forms.LostForm, status: int = 200
) -> HttpResponse:
    template = "sales/_lost.html" if is_htmx(request) else "sales/lost.html"
    return render(request, template, {"deal": deal, "form": form}, status=status)
