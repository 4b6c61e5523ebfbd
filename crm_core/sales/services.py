"""The only code that writes deals."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.fields import services as fields
from crm_core.registry import record_type
from crm_core.registry.events import RecordsSaved
from crm_core.registry.queries import live
from crm_core.sales import queries
from crm_core.sales.events import DealMoved
from crm_core.sales.models import Deal, Stage, StageStay
from crm_core.sales.queries import StageFacts
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid, NotFound
from crm_platform.kernel.events import publish
from crm_platform.kernel.models import apply_changes, expect_version
from crm_platform.kernel.money import is_currency

Values = dict[str, Any]
SMALLEST_GAP = 1e-6


def _kind() -> Any:
    return record_type("deal")


@transaction.atomic
def create_deal(*, values: Values, actor: User, at: dt.datetime) -> Deal:
    """Make a deal: without a stage it begins in the first open one of its pipeline.

    Raises:
        Invalid: the stage is of another pipeline, or closes the deal without what that needs.
    """
    values = dict(values)
    stage = _stage_for_new(values)
    values["stage"], values["pipeline"] = stage.id, stage.pipeline_id
    values["currency"] = _currency(values.get("currency"))
    is_closed = stage.kind != Stage.Kind.OPEN
    if stage.kind == Stage.Kind.LOST and not values.get("lost_reason"):
        raise Invalid(_("Say why the deal was lost."), field="lost_reason")
    facts = {
        "stage_since": at,
        "closed_at": at if is_closed else None,
        "rank": -at.timestamp(),
    }
    deal: Deal = fields.create_record(kind=_kind(), values=values, actor=actor, at=at, facts=facts)
    StageStay.objects.create(deal=deal, stage_id=stage.id, entered_at=at)
    return deal


def _stage_for_new(values: Values) -> StageFacts:
    given = values.get("stage")
    if given not in (None, ""):
        stage = _stage(given)
        pipeline = values.get("pipeline")
        if pipeline not in (None, "") and str(pipeline) != str(stage.pipeline_id):
            raise Invalid(_("This stage belongs to another pipeline."), field="stage")
        return stage
    pipeline_facts = queries.get_pipeline(values.get("pipeline") or None)
    first = pipeline_facts.first_of(Stage.Kind.OPEN)
    if first is None:
        raise Invalid(_("This pipeline has no open stage. Ask an admin to add one."), field="stage")
    return first


def _stage(given: Any) -> StageFacts:
    text = str(getattr(given, "pk", given))
    is_id = text.isascii() and text.isdigit() and len(text) < 19
    stage = queries.stages_by_id().get(int(text)) if is_id else None
    if stage is None:
        raise Invalid(_("This stage does not exist any more."), field="stage")
    return stage


def _currency(given: Any) -> str:
    code = str(given or tenancy.current().currency).strip().upper()
    if not is_currency(code):
        raise Invalid(
            _("“%(code)s” is not a currency code.") % {"code": code[:10]}, field="currency"
        )
    return code


@transaction.atomic
def edit_deal(
    *,
    record: Deal,
    values: Values,
    actor: User,
    at: dt.datetime,
    version: int | None = None,
    batch: UUID | None = None,
) -> Deal:
    """Change facts of a deal; a new stage is a move, with all that a move does.

    Raises:
        Invalid, NotAllowed, Conflict: see `fields.services.edit_record` and `move_deal`.
    """
    values = dict(values)
    stage = values.pop("stage", None)
    pipeline = values.pop("pipeline", None)
    reason = values.get("lost_reason")
    if "currency" in values:
        values["currency"] = _currency(values["currency"])
    deal = record
    if values:
        deal = fields.edit_record(
            kind=_kind(),
            record=record,
            values=values,
            actor=actor,
            at=at,
            version=version,
            batch=batch,
        )
        version = None
    target = _moved_to(deal, stage, pipeline)
    if target is not None:
        deal = move_deal(
            deal=deal,
            to=target.id,
            actor=actor,
            at=at,
            version=version,
            lost_reason=reason,
            batch=batch,
        )
    return deal


def _moved_to(deal: Deal, stage: Any, pipeline: Any) -> StageFacts | None:
    """The stage an edit asks for: named, or the first of the pipeline it names."""
    if stage not in (None, ""):
        return _stage(stage)
    if pipeline in (None, "") or str(pipeline) == str(deal.pipeline_id):
        return None
    return queries.get_pipeline(str(pipeline)).first_of(Stage.Kind.OPEN)


@transaction.atomic
def move_deal(
    *,
    deal: Deal,
    to: int,
    actor: User,
    at: dt.datetime,
    lost_reason: Any = None,
    lost_note: str = "",
    before: int | None = None,
    to_end: bool = False,
    version: int | None = None,
    batch: UUID | None = None,
) -> Deal:
    """Move `deal` to another stage, closing or reopening it as the stage's kind says.

    `at` is the moment of the move; it becomes `closed_at` for won and lost stages. `before` is the
    card it is put above, `to_end` puts it last, neither puts it on top. Moving inside its stage
    only changes the order: no history, nobody is told.

    Raises:
        Invalid: a lost stage without `lost_reason`, or an unknown one.
        Conflict: somebody moved it first.
    """
    stage = _stage(to)
    row = live(_kind()).select_for_update().filter(pk=deal.pk).first()
    if row is None:
        raise NotFound(_("This deal was deleted meanwhile."))
    rules.demand(actor, "edit", "deal", row)
    expect_version(row, version)
    rank = _rank(stage.id, before, at, to_end=to_end)
    if row.stage_id == stage.id:
        Deal.objects.filter(pk=row.pk).update(rank=rank)
        row.rank = rank
        same: Deal = row
        return same
    reason_id = _reason(stage, lost_reason)
    came_from = row.stage_id
    diff = apply_changes(
        row,
        {
            "stage_id": stage.id,
            "pipeline_id": stage.pipeline_id,
            "closed_at": None if stage.kind == Stage.Kind.OPEN else at,
            "lost_reason_id": reason_id,
            "lost_note": lost_note[:500] if reason_id else "",
            "stage_since": at,
            "rank": rank,
        },
        at=at,
        actor=actor,
    )
    shown = ("stage_id", "pipeline_id", "lost_reason_id", "lost_note")
    audit.record(
        actor=actor,
        verb="deal.moved",
        on=row,
        on_type="deal",
        at=at,
        batch=batch,
        changes={name.removesuffix("_id"): diff[name] for name in shown if name in diff},
    )
    StageStay.objects.filter(deal=row, left_at=None).update(left_at=at)
    StageStay.objects.create(deal=row, stage_id=stage.id, entered_at=at)
    publish(RecordsSaved("deal", (row.pk,)))
    publish(DealMoved(row.pk, came_from, stage.id, actor.pk))
    moved: Deal = row
    return moved


def _reason(stage: StageFacts, given: Any) -> int | None:
    if stage.kind != Stage.Kind.LOST:
        return None
    text = str(getattr(given, "pk", given) or "")
    if not text:
        raise Invalid(_("Say why the deal was lost."), field="lost_reason")
    if text not in {choice.value for choice in queries.lost_reasons()}:
        raise Invalid(_("This reason does not exist any more."), field="lost_reason")
    return int(text)


def _rank(stage_id: int, before: int | None, at: dt.datetime, *, to_end: bool) -> float:
    """A number that sorts the card into its place; on top it is the moment itself, negative."""
    if before is None and not to_end:
        return -at.timestamp()
    above, below = queries.ranks_beside(stage_id, before)
    if below is None:
        return (above or 0.0) + 1
    if above is None:
        return below - 1
    if below - above > SMALLEST_GAP:
        return (above + below) / 2
    _spread(stage_id)
    above, below = queries.ranks_beside(stage_id, before)
    return ((above or 0.0) + (below or 0.0)) / 2


def _spread(stage_id: int) -> None:
    """Number the cards of a column anew; rare: after some forty drops into one gap."""
    rows = list(
        Deal.objects.filter(stage_id=stage_id, deleted_at=None).order_by("rank", "pk").only("pk")
    )
    for place, row in enumerate(rows):
        row.rank = float(place)
    Deal.objects.bulk_update(rows, ["rank"], batch_size=500)
