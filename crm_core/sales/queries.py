"""Reading pipelines and deals."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from crm_core.fields.lists import Row
from crm_core.registry import Choice
from crm_core.registry.queries import visible_to
from crm_core.sales.models import Deal, LostReason, Pipeline, Stage, StageStay
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotFound
from crm_platform.kernel.snapshot import snapshot


@dataclass(frozen=True, slots=True)
class StageFacts:
    """A stage as pages show it."""

    id: int
    name: str
    kind: str
    probability: int
    hue: int
    pipeline_id: int


@dataclass(frozen=True, slots=True)
class PipelineFacts:
    """A pipeline with its stages in order."""

    id: int
    name: str
    is_default: bool
    stale_days: int
    stages: tuple[StageFacts, ...]

    @property
    def open_stages(self) -> list[StageFacts]:
        return [stage for stage in self.stages if stage.kind == Stage.Kind.OPEN]

    def first_of(self, kind: str) -> StageFacts | None:
        """The first stage of that kind."""
        return next((stage for stage in self.stages if stage.kind == kind), None)


@snapshot
def pipelines() -> list[PipelineFacts]:
    """Every pipeline in use with its stages, in order. Kept in the process."""
    stages: dict[int, list[StageFacts]] = {}
    for row in Stage.objects.order_by("position", "pk"):
        stages.setdefault(row.pipeline_id, []).append(
            StageFacts(row.pk, row.name, row.kind, row.probability, row.hue, row.pipeline_id)
        )
    return [
        PipelineFacts(p.pk, p.name, p.is_default, p.stale_days, tuple(stages.get(p.pk, ())))
        for p in Pipeline.objects.filter(archived_at=None)
    ]


def pipelines_in_use() -> int:
    """How many pipelines are not archived. One query."""
    return Pipeline.objects.filter(archived_at=None).count()


@snapshot
def stages_by_id() -> dict[int, StageFacts]:
    """Every stage, those of archived pipelines too."""
    return {
        row.pk: StageFacts(row.pk, row.name, row.kind, row.probability, row.hue, row.pipeline_id)
        for row in Stage.objects.all()
    }


@snapshot
def lost_reasons() -> list[Choice]:
    """Why deals are lost, in the company's own words and order."""
    rows = LostReason.objects.filter(archived_at=None).values_list("pk", "name")
    return [Choice(str(pk), name) for pk, name in rows]


def pipeline_choices() -> list[Choice]:
    return [Choice(str(p.id), p.name) for p in pipelines()]


def stage_choices() -> list[Choice]:
    """Every stage; where there are several pipelines, with its pipeline's name."""
    found = pipelines()
    several = len(found) > 1
    return [
        Choice(str(s.id), f"{p.name}: {s.name}" if several else s.name, s.hue)
        for p in found
        for s in p.stages
    ]


def get_pipeline(pipeline_id: int | str | None = None) -> PipelineFacts:
    """One pipeline in use; the default one when none is named.

    Raises:
        NotFound: there is none.
    """
    found = pipelines()
    if pipeline_id:
        chosen = [p for p in found if str(p.id) == str(pipeline_id)]
    else:
        chosen = [p for p in found if p.is_default] or found[:1]
    if not chosen:
        raise NotFound("This pipeline does not exist any more.")
    return chosen[0]


@dataclass(frozen=True, slots=True)
class StageTotal:
    """How many deals stand in a stage, and what they are worth in one currency."""

    stage_id: int
    currency: str
    count: int
    amount: Decimal
    latest: Any = None


def stage_totals(deals: QuerySet[Deal], stage_ids: Iterable[int] | None = None) -> list[StageTotal]:
    """One row a stage and currency. One query."""
    rows = deals.order_by()
    if stage_ids is not None:
        rows = rows.filter(stage_id__in=list(stage_ids))
    groups = rows.values("stage_id", "currency").annotate(n=Count("*"), total=Sum("amount"))
    return [
        StageTotal(g["stage_id"], g["currency"], g["n"], g["total"] or Decimal(0)) for g in groups
    ]


CARD_PATHS = (
    "pk", "name", "amount", "currency", "stage_id", "owner_id", "team_id", "account_id",
    "account__name", "tag_ids", "next_step_at", "next_step_kind", "stage_since", "updated_at",
    "version", "rank", "close_date",
)  # fmt: skip


def cards(deals: QuerySet[Deal], stage_ids: list[int], *, size: int) -> list[Row]:
    """The first `size` cards of each stage, in board order. One query."""
    parts = [
        deals.filter(stage_id=stage_id).order_by("rank", "pk").values(*CARD_PATHS)[:size]
        for stage_id in stage_ids
    ]
    if not parts:
        return []
    rows = parts[0] if len(parts) == 1 else parts[0].union(*parts[1:], all=True)
    return [Row(row) for row in rows]


def cards_after(
    deals: QuerySet[Deal], stage_id: int, rank: float, pk: int, *, size: int
) -> list[Row]:
    """The next cards of one stage."""
    after = Q(rank__gt=rank) | Q(rank=rank, pk__gt=pk)
    rows = deals.filter(stage_id=stage_id, rank__gte=rank).filter(after).order_by("rank", "pk")
    return [Row(row) for row in rows.values(*CARD_PATHS)[:size]]


def stays_of(deal: Deal) -> QuerySet[StageStay]:
    """The stages the deal was in, first to last."""
    return StageStay.objects.filter(deal=deal).order_by("entered_at", "pk")


def ranks_beside(stage_id: int, before_id: int | None) -> tuple[float | None, float | None]:
    """The ranks above and below the place before card `before_id` (None: the end)."""
    here = Deal.objects.filter(stage_id=stage_id, deleted_at=None)
    if before_id is None:
        return here.aggregate(last=Max("rank"))["last"], None
    below = here.filter(pk=before_id).values_list("rank", flat=True).first()
    if below is None:
        return None, here.aggregate(first=Min("rank"))["first"]
    return here.filter(rank__lt=below).aggregate(above=Max("rank"))["above"], below


def deals_by_stage(user: User) -> list[dict[str, Any]]:
    """The report "deals by stage": count and value of each stage and currency. One query."""
    rows = visible_to(user, "deal").select_related(None).order_by().values("stage_id", "currency")
    return list(rows.annotate(count=Count("*"), amount=Sum("amount")))
