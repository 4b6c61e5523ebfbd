"""The only code that writes pipelines, stages and lost reasons."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.sales import queries
from crm_core.sales.models import Deal, LostReason, Pipeline, Stage, StageStay
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import snapshot
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.limits import Limit, demand_room
from crm_platform.kernel.models import apply_changes

ABILITY = "pipelines.manage"
MOST_STAGES = 20


def _next_position(rows: Any) -> int:
    last = rows.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _shaped(pipeline_id: int) -> None:
    """The company made this pipeline its own; every process reads it anew."""
    Pipeline.objects.filter(pk=pipeline_id).update(is_shaped=True)
    snapshot.bump()


@transaction.atomic
def add_pipeline(
    *, name: str, actor: User, at: dt.datetime, stale_days: int = 14, is_default: bool = False
) -> Pipeline:
    """Add a pipeline with the least it needs: one open stage, one won, one lost.

    Raises:
        NotAllowed: the actor shapes no pipelines.
        Invalid: the name is taken.
        PlanLimitReached: the plan holds no more of them.
    """
    rules.demand_ability(actor, ABILITY)
    demand_room(Limit.PIPELINES, queries.pipelines_in_use)
    if Pipeline.objects.filter(name__iexact=name, archived_at=None).exists():
        raise Invalid(_("There is a pipeline of this name already."), field="name")
    pipeline = Pipeline.objects.create(
        name=name,
        stale_days=stale_days,
        position=_next_position(Pipeline.objects),
        is_default=not Pipeline.objects.filter(is_default=True).exists(),
    )
    first = [(_("New"), "open", 10, 1), (_("Won"), "won", 100, 5), (_("Lost"), "lost", 0, 8)]
    for position, (stage, kind, probability, hue) in enumerate(first):
        Stage.objects.create(
            pipeline=pipeline,
            name=stage,
            kind=kind,
            probability=probability,
            hue=hue,
            position=position,
        )
    audit.record(actor=actor, verb="pipeline.added", on=pipeline, at=at)
    if is_default:
        change_pipeline(pipeline=pipeline, actor=actor, at=at, is_default=True)
    _shaped(pipeline.pk)
    return pipeline


@transaction.atomic
def change_pipeline(
    *,
    pipeline: Pipeline,
    actor: User,
    at: dt.datetime,
    name: str = "",
    stale_days: int = 0,
    is_default: bool | None = None,
) -> Pipeline:
    """Rename a pipeline, set when deals go stale, or make it the one new deals begin in."""
    rules.demand_ability(actor, ABILITY)
    row = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    changes: dict[str, Any] = {}
    if name:
        changes["name"] = name
    if stale_days:
        changes["stale_days"] = stale_days
    if is_default:
        Pipeline.objects.exclude(pk=row.pk).update(is_default=False)
        changes["is_default"] = True
    diff = apply_changes(row, changes)
    if diff:
        audit.record(actor=actor, verb="pipeline.changed", on=row, changes=diff, at=at)
    _shaped(row.pk)
    return row


@transaction.atomic
def archive_pipeline(*, pipeline: Pipeline, actor: User, at: dt.datetime) -> None:
    """Take a pipeline out of use.

    Raises:
        Invalid: it has open deals, is the last one, or is where new deals begin.
    """
    rules.demand_ability(actor, ABILITY)
    row = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    if row.is_default:
        raise Invalid(_("New deals begin in this pipeline. Choose another one for that first."))
    open_deals = Deal.objects.filter(pipeline=row, stage__kind="open", deleted_at=None).count()
    if open_deals:
        raise Invalid(
            _("%(count)d open deals are in this pipeline. Move them first.") % {"count": open_deals}
        )
    row.archived_at = at
    row.save(update_fields=["archived_at"])
    audit.record(actor=actor, verb="pipeline.archived", on=row, at=at)
    snapshot.bump()


@transaction.atomic
def add_stage(
    *,
    pipeline: Pipeline,
    name: str,
    kind: str,
    probability: int,
    hue: int,
    actor: User,
    at: dt.datetime,
) -> Stage:
    """Add a stage before the closing ones.

    Raises:
        Invalid: the name is taken there, or the pipeline is full.
    """
    rules.demand_ability(actor, ABILITY)
    rows = Stage.objects.filter(pipeline=pipeline)
    if rows.count() >= MOST_STAGES:
        raise Invalid(_("A pipeline has at most %(count)d stages.") % {"count": MOST_STAGES})
    _refuse_taken(rows, name)
    probability = _fitting(kind, probability)
    stage = Stage.objects.create(
        pipeline=pipeline,
        name=name,
        kind=kind,
        probability=probability,
        hue=hue,
        position=_next_position(rows),
    )
    _number(list(_in_order(rows)))
    audit.record(actor=actor, verb="stage.added", on=stage, at=at)
    _shaped(pipeline.pk)
    return stage


def _refuse_taken(rows: Any, name: str) -> None:
    if rows.filter(name__iexact=name).exists():
        raise Invalid(_("This pipeline has a stage of this name already."), field="name")


def _fitting(kind: str, probability: int) -> int:
    """Won is certain and lost is hopeless, whatever was typed."""
    return {"won": 100, "lost": 0}.get(kind, probability)


def _in_order(rows: Any) -> list[Stage]:
    """Open stages first, then won, then lost, each in their present order."""
    order = {"open": 0, "won": 1, "lost": 2}
    return sorted(rows.all(), key=lambda s: (order[s.kind], s.position, s.pk))


def _number(stages: list[Stage]) -> None:
    for position, stage in enumerate(stages):
        if stage.position != position:
            Stage.objects.filter(pk=stage.pk).update(position=position)


@transaction.atomic
def change_stage(
    *, stage: Stage, actor: User, at: dt.datetime, name: str, kind: str, probability: int, hue: int
) -> Stage:
    """Rename, recolour, or change what a stage means.

    Raises:
        Invalid: the name is taken, or its pipeline would be left without an open stage.
    """
    rules.demand_ability(actor, ABILITY)
    row = Stage.objects.select_for_update().get(pk=stage.pk)
    others = Stage.objects.filter(pipeline_id=row.pipeline_id).exclude(pk=row.pk)
    _refuse_taken(others, name)
    if row.kind != kind:
        _refuse_new_kind(row, others)
    changes = {"name": name, "kind": kind, "probability": _fitting(kind, probability), "hue": hue}
    diff = apply_changes(row, changes)
    if diff:
        audit.record(actor=actor, verb="stage.changed", on=row, changes=diff, at=at)
    _number(_in_order(Stage.objects.filter(pipeline_id=row.pipeline_id)))
    _shaped(row.pipeline_id)
    return row


def _refuse_new_kind(row: Stage, others: Any) -> None:
    if row.kind == "open" and not others.filter(kind="open").exists():
        raise Invalid(_("A pipeline needs at least one open stage."), field="kind")
    if Deal.objects.filter(stage=row).exists():
        raise Invalid(
            _(
                "Deals are in this stage. Add a new stage and move them, "
                "so that what was won or lost stays true."
            ),
            field="kind",
        )


@transaction.atomic
def order_stages(*, pipeline: Pipeline, order: list[int], actor: User, at: dt.datetime) -> None:
    """Put the stages in a new order; closing stages stay behind the open ones."""
    rules.demand_ability(actor, ABILITY)
    rows = {row.pk: row for row in Stage.objects.select_for_update().filter(pipeline=pipeline)}
    wanted = [pk for pk in order if pk in rows] + [pk for pk in rows if pk not in order]
    for position, pk in enumerate(wanted):
        rows[pk].position = position
        Stage.objects.filter(pk=pk).update(position=position)
    _number(_in_order(Stage.objects.filter(pipeline=pipeline)))
    audit.record(actor=actor, verb="stage.ordered", on=pipeline, at=at)
    _shaped(pipeline.pk)


@transaction.atomic
def remove_stage(*, stage: Stage, to: int, actor: User, at: dt.datetime) -> int:
    """Remove a stage; its deals move to another one of its pipeline. Returns how many moved.

    Raises:
        Invalid: the target is not of this pipeline or of another kind, or it is the last open one.
    """
    rules.demand_ability(actor, ABILITY)
    row = Stage.objects.select_for_update().get(pk=stage.pk)
    target = Stage.objects.filter(pipeline_id=row.pipeline_id, pk=to).exclude(pk=row.pk).first()
    deals = Deal.objects.filter(stage=row)
    if target is None or (target.kind != row.kind and deals.exists()):
        raise Invalid(_("Choose a stage of the same kind for its deals."), field="to")
    if row.kind == "open" and target.kind != "open":
        raise Invalid(_("A pipeline needs at least one open stage."), field="to")
    moved = deals.update(stage=target, stage_since=at)
    StageStay.objects.filter(stage=row).update(stage=target)
    audit.record(
        actor=actor,
        verb="stage.removed",
        on=row,
        at=at,
        changes={"moved_to": [None, target.name], "deals": [None, moved]},
    )
    row.delete()
    _shaped(target.pipeline_id)
    return moved


@transaction.atomic
def add_reason(*, name: str, actor: User, at: dt.datetime) -> LostReason:
    """Add a reason to lose a deal; one taken out of use earlier comes back."""
    rules.demand_ability(actor, ABILITY)
    row = LostReason.objects.filter(name__iexact=name).first()
    if row is not None and row.archived_at is None:
        raise Invalid(_("There is a reason of this name already."), field="name")
    if row is None:
        row = LostReason.objects.create(name=name, position=_next_position(LostReason.objects))
    row.archived_at = None
    row.save(update_fields=["archived_at"])
    audit.record(actor=actor, verb="lost_reason.added", on=row, at=at)
    snapshot.bump()
    return row


@transaction.atomic
def archive_reason(*, reason: LostReason, actor: User, at: dt.datetime) -> None:
    """Take a reason out of use; deals lost for it keep it."""
    rules.demand_ability(actor, ABILITY)
    LostReason.objects.filter(pk=reason.pk).update(archived_at=at)
    audit.record(actor=actor, verb="lost_reason.archived", on=reason, at=at)
    snapshot.bump()
