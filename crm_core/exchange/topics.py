"""What the topics' own rules add to imported rows: the same outcome as their `create` services."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crm_core.activities.models import Activity
from crm_core.exchange import bulk, parsing
from crm_core.exchange.choices import Options
from crm_core.exchange.columns import Draft
from crm_core.exchange.reading import ColumnFacts
from crm_core.records.models import Contact
from crm_core.records.services import with_full_name
from crm_core.registry import record_type
from crm_core.sales import pipeline_services
from crm_core.sales import queries as sales
from crm_core.sales.models import Deal, Pipeline, Stage
from crm_core.sales.queries import PipelineFacts, StageFacts
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.money import is_currency

Values = dict[str, Any]
NEW_STAGE_PROBABILITY, HUES = 30, 8


class Topic:
    """A kind without rules of its own. `slow` facts are changed by the kind's `edit` service."""

    slow: frozenset[str] = frozenset()

    def __init__(
        self, *, options: Options, actor: User, places: dict[str, int], is_trial: bool = False
    ) -> None:
        self.options, self.actor, self.places = options, actor, places
        self.is_trial = is_trial
        self._zone = ZoneInfo(tenancy.current().time_zone)

    def prepare(self, columns: dict[str, ColumnFacts], *, at: dt.datetime) -> None:
        """Make what the whole file needs, once; doing it twice changes nothing."""

    def begin(self) -> None:
        """Read configuration for the next chunk: once, for it may be asked for every row."""

    def complete(self, draft: Draft) -> None:
        """Read what several cells say together; may fail the row. No query."""

    def before(self, drafts: Sequence[Draft]) -> None:
        """Look up what `facts` needs for new rows; a fixed number of queries."""

    def facts(self, draft: Draft, *, at: dt.datetime) -> Values:
        """Columns of a new row that the topic decides."""
        return {}

    def after(self, drafts: Sequence[Draft], rows: Sequence[Values]) -> None:
        """Write what belongs to the new rows; a fixed number of statements."""

    def noon(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(12), self._zone).astimezone(dt.UTC)


class AccountTopic(Topic):
    slow = frozenset({"parent"})


class ContactTopic(Topic):
    def complete(self, draft: Draft) -> None:
        draft.values = with_full_name(draft.values)


class DealTopic(Topic):
    """Stages and pipelines by name; closed deals keep the day they were closed."""

    slow = frozenset({"stage", "pipeline", "lost_reason"})
    _pipelines: Sequence[PipelineFacts] = ()
    _stages: Mapping[int, StageFacts] = {}
    _reasons: Mapping[str, int] = {}

    def begin(self) -> None:
        default = sales.get_pipeline()
        others = [found for found in sales.pipelines() if found.id != default.id]
        self._pipelines = [default, *others]
        self._stages = sales.stages_by_id()
        self._reasons = {parsing.folded(c.label): int(c.value) for c in sales.lost_reasons()}

    def prepare(self, columns: dict[str, ColumnFacts], *, at: dt.datetime) -> None:
        """Add the stages and lost reasons the file names, where the person may and chose so."""
        if not rules.has_ability(self.actor, pipeline_services.ABILITY):
            return
        stages = columns.get("stage")
        if stages and self.options.stages == "create" and "pipeline" not in columns:
            self._add_stages(list(stages.distinct), at)
        known = {parsing.folded(choice.label) for choice in sales.lost_reasons()}
        reasons = columns.get("lost_reason")
        wanted = [*(reasons.distinct if reasons else ()), self.options.lost_reason]
        for name in wanted:
            if name and parsing.folded(name) not in known:
                pipeline_services.add_reason(name=name[:80], actor=self.actor, at=at)
                known.add(parsing.folded(name))

    def _add_stages(self, names: list[str], at: dt.datetime) -> None:
        facts = sales.get_pipeline()
        known = {parsing.folded(stage.name) for stage in facts.stages}
        pipeline = Pipeline.objects.get(pk=facts.id)
        for place, name in enumerate(name for name in names if parsing.folded(name) not in known):
            pipeline_services.add_stage(
                pipeline=pipeline, name=name[:80], kind=Stage.Kind.OPEN, actor=self.actor, at=at,
                probability=NEW_STAGE_PROBABILITY, hue=place % HUES + 1,
            )  # fmt: skip

    def complete(self, draft: Draft) -> None:
        values = draft.values
        if not values.get("name"):
            values["name"] = self._name(draft)
        pipeline = self._pipeline(draft)
        if pipeline is None:
            return
        stage = self._stage(draft, pipeline)
        self._reason(draft, stage)
        if "currency" in values:
            values["currency"] = str(values["currency"]).upper()
            if not is_currency(values["currency"]):
                sentence = _("“%(code)s” is not a currency code.")
                draft.fail(
                    sentence % {"code": values["currency"][:10]}, self.places.get("currency", -1)
                )

    def _name(self, draft: Draft) -> str:
        """A deal without a name is called by what is sold and to whom."""
        product, account = draft.values.get("product"), draft.links.get("account")
        if not product and not account:
            return str(draft.values.get("source_id", ""))
        return f"{product or _('Deal')} – {account or _('unnamed prospect')}"[:200]

    def _pipeline(self, draft: Draft) -> PipelineFacts | None:
        text = draft.values.pop("pipeline", "")
        if not text:
            return self._pipelines[0]
        for found in self._pipelines:
            if parsing.folded(found.name) == parsing.folded(text):
                draft.values["pipeline"] = found.id
                return found
        draft.fail(
            _("There is no pipeline called “%(name)s”.") % {"name": text[:60]},
            self.places["pipeline"],
        )
        return None

    def _stage(self, draft: Draft, pipeline: PipelineFacts) -> StageFacts | None:
        text = draft.values.pop("stage", "")
        if not text:
            return None
        wanted = {parsing.folded(text), parsing.folded(text.rpartition(": ")[2])}
        for stage in pipeline.stages:
            if parsing.folded(stage.name) in wanted:
                draft.values["stage"] = stage.id
                return stage
        if self.is_trial and self.options.stages == "create":
            draft.notes.append(_("The stage “%(name)s” will be added.") % {"name": text[:60]})
            return None
        draft.fail(
            _("There is no stage “%(name)s” in the pipeline “%(pipeline)s”.")
            % {"name": text[:60], "pipeline": pipeline.name},
            self.places["stage"],
        )
        return None

    def _reason(self, draft: Draft, stage: StageFacts | None) -> None:
        """Lost deals need a reason; others have none."""
        text = draft.values.pop("lost_reason", "")
        if stage is None or stage.kind != Stage.Kind.LOST:
            return
        found = self._reasons.get(parsing.folded(text or self.options.lost_reason))
        if found is not None:
            draft.values["lost_reason"] = found
        elif not self.is_trial or not rules.has_ability(self.actor, pipeline_services.ABILITY):
            place = self.places.get("lost_reason", self.places.get("stage", -1))
            draft.fail(_("Say why the deal was lost."), place)

    def facts(self, draft: Draft, *, at: dt.datetime) -> Values:
        values = draft.values
        stage = self._stages[values["stage"]] if values.get("stage") else self._first(values)
        opened = values.get("opened_date")
        made = values.get("created_at") or (self.noon(opened) if opened else at)
        closed = values.get("close_date")
        is_open = stage.kind == Stage.Kind.OPEN
        closed_at = None if is_open else min(self.noon(closed) if closed else at, at)
        since = closed_at or min(made, at)
        return {
            "stage_id": stage.id, "pipeline_id": stage.pipeline_id, "stage_since": since,
            "closed_at": closed_at, "rank": -since.timestamp(), "created_at": min(made, at),
            "currency": values.get("currency") or tenancy.current().currency,
        }  # fmt: skip

    def _first(self, values: Values) -> StageFacts:
        """Where a deal without a stage begins."""
        wanted = values.get("pipeline") or self._pipelines[0].id
        pipeline = next(found for found in self._pipelines if found.id == wanted)
        first = pipeline.first_of(Stage.Kind.OPEN)
        if first is None:
            raise Invalid(_("This pipeline has no open stage. Ask an admin to add one."))
        return first

    def after(self, drafts: Sequence[Draft], rows: Sequence[Values]) -> None:
        bulk.copy_stays((row["id"], row["stage_id"], row["stage_since"]) for row in rows)


class ActivityTopic(Topic):
    """Notes are done when written; what hangs on a deal or contact shows at its company too."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._accounts: dict[tuple[str, int], int | None] = {}

    def complete(self, draft: Draft) -> None:
        values = draft.values
        body = str(values.get("body") or "").strip()
        if not values.get("name") and body:
            values["name"] = body.splitlines()[0][:120]
        is_planned = values.get("due_at") and not values.get("done_at")
        values.setdefault("kind", Activity.Kind.TASK if is_planned else Activity.Kind.NOTE)

    def before(self, drafts: Sequence[Draft]) -> None:
        for kind_name, model in (("contact", Contact), ("deal", Deal)):
            ids = {d.values[n] for d in drafts if d.values.get(n := f"about_{kind_name}")}
            if ids:
                pairs = model._default_manager.filter(pk__in=ids).values_list("pk", "account_id")
                self._accounts.update({(kind_name, pk): account for pk, account in pairs})

    def facts(self, draft: Draft, *, at: dt.datetime) -> Values:
        values = draft.values
        written = values.get("created_at") or at
        is_note = values["kind"] == Activity.Kind.NOTE
        done = values.get("done_at") or (written if is_note else None)
        made: Values = {
            "done_at": done, "moment": done or written, "is_all_day": True,
            "assignee_id": values.get("assignee") or (None if is_note else self.actor.pk),
        }  # fmt: skip
        for kind_name in ("deal", "contact"):
            record_id = values.get(f"about_{kind_name}")
            if record_id:
                above = values.get("account") or self._accounts.get((kind_name, record_id))
                return {**made, "about_type": kind_name, "about_id": record_id, "account_id": above}
        account = values.get("account")
        return {**made, "about_type": "account", "about_id": account} if account else made

    def after(self, drafts: Sequence[Draft], rows: Sequence[Values]) -> None:
        touched: dict[str, set[int]] = {"account": set(), "contact": set(), "deal": set()}
        for row in rows:
            if row.get("account_id"):
                touched["account"].add(row["account_id"])
            if row.get("about_type") in ("contact", "deal"):
                touched[row["about_type"]].add(row["about_id"])
        for kind_name, ids in touched.items():
            table = record_type(kind_name).model._meta.db_table
            bulk.refresh_touches(table, kind_name, sorted(ids))


TOPICS: dict[str, type[Topic]] = {
    "account": AccountTopic, "contact": ContactTopic, "deal": DealTopic, "activity": ActivityTopic,
}  # fmt: skip
NAMED_BY: dict[str, tuple[str, ...]] = {
    "contact": ("first_name", "last_name"), "deal": ("product", "account", "source_id"),
    "activity": ("body",),
}  # fmt: skip
"""Columns that give a record its name where the file has none for it."""
