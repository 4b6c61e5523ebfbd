"""One chunk of rows into records: what each row will do is planned first, then all is stored.

The number of statements does not depend on the number of rows, except where an existing record
changes a fact that only its topic's `edit` may change (a deal's stage, a company's parent).
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crm_core.exchange import bulk, lookups
from crm_core.exchange.choices import Options
from crm_core.exchange.columns import Draft
from crm_core.exchange.topics import Topic
from crm_core.fields import catalogue
from crm_core.registry import Field, Kind, RecordType, record_type, room
from crm_core.registry.events import RecordsSaved
from crm_core.registry.queries import visible_to
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import limits
from crm_platform.kernel.events import publish
from crm_platform.kernel.limits import Limit
from crm_platform.kernel.models import differences

Values = dict[str, Any]
CREATED, UPDATED, SKIPPED, FAILED = "created", "updated", "skipped", "failed"


class Writer:
    """Plans and stores rows of one kind for one person."""

    def __init__(
        self, *, kind: RecordType, fields: dict[str, Field], options: Options, topic: Topic,
        actor: User, batch: UUID, places: dict[str, int],
    ) -> None:  # fmt: skip
        self.kind, self.fields, self.options, self.topic = kind, fields, options, topic
        self.actor, self.batch, self.places = actor, batch, places
        self._stored = {
            name: column_of(field)
            for name, field in fields.items()
            if field.column or name == "created_at"
        }
        self._required = [field for field in fields.values() if field.required]
        self._twins: dict[int, tuple[Draft, Draft]] = {}
        self._to_make: dict[str, dict[str, str]] = {}
        self._in_file: list[tuple[Draft, str, str]] = []

    # -- planning: reads only ----------------------------------------------------------------

    def plan(self, drafts: Sequence[Draft]) -> None:
        """Decide each row's outcome. A fixed number of queries."""
        self._twins, self._to_make, self._in_file = {}, {}, []
        self.topic.begin()
        for draft in drafts:
            if not draft.outcome:
                self.topic.complete(draft)
        self._find_links([draft for draft in drafts if not draft.outcome])
        self._identify([draft for draft in drafts if not draft.outcome])

    def _find_links(self, drafts: Sequence[Draft]) -> None:
        by_target: dict[str, set[str]] = {}
        for draft in drafts:
            for name, text in draft.links.items():
                by_target.setdefault(self.fields[name].target, set()).add(text)
        found = {
            target: lookups.find_linked(self.actor, record_type(target), texts)
            for target, texts in by_target.items()
        }
        own = self._own_names(drafts) if self.kind.name in by_target else set()
        for draft in drafts:
            for name, text in draft.links.items():
                target = self.fields[name].target
                pk = found[target].get(text.strip().lower())
                if pk is not None:
                    draft.values[name] = pk
                elif target == self.kind.name and text.strip().lower() in own:
                    self._in_file.append((draft, name, text.strip().lower()))
                else:
                    self._absent(draft, name, text)

    def _own_names(self, drafts: Sequence[Draft]) -> set[str]:
        title = self.kind.title_field
        return {str(draft.values.get(title, "")).strip().lower() for draft in drafts}

    def _absent(self, draft: Draft, name: str, text: str) -> None:
        field = self.fields[name]
        kind = record_type(field.target)
        sentence = _("“%(label)s”: there is no “%(name)s”.")
        told = sentence % {"label": field.label, "name": text[:80]}
        may_make = rules.may_create(self.actor, kind.name) and kind.name in ("account", "contact")
        if self.options.links == "create" and may_make and len(text) <= 200:
            self._to_make.setdefault(kind.name, {}).setdefault(text.strip().lower(), text.strip())
        elif self.options.links == "empty":
            draft.notes.append(told)
        else:
            draft.fail(told, self.places.get(name, -1))

    def _identify(self, drafts: Sequence[Draft]) -> None:
        name = self.options.identify
        keyed = [draft for draft in drafts if name and draft.values.get(name)]
        texts = [str(draft.values[name]) for draft in keyed]
        known = lookups.find(self.actor, self.kind, name, texts) if keyed else {}
        firsts: dict[str, Draft] = {}
        for draft in drafts:
            key = lookups.key_of(name, draft.values.get(name, "")) if name else ""
            draft.pk = known.get(key, 0) if key else 0
            first = firsts.get(key) if key else None
            if self.options.known == "skip" and (draft.pk or first):
                draft.outcome = SKIPPED
                draft.notes = [self._known_already(draft, first)]
            elif first is not None:
                self._twins[id(draft)] = (draft, first)
                draft.outcome = UPDATED
            else:
                draft.outcome = UPDATED if draft.pk else CREATED
                if not draft.pk:
                    self._demand_required(draft)
                if key and draft.outcome != FAILED:
                    firsts[key] = draft

    def _known_already(self, draft: Draft, first: Draft | None) -> str:
        if draft.pk or first is None:
            return _("This record is here already.")
        return _("Row %(row)d of this file is about the same record.") % {"row": first.number}

    def _demand_required(self, draft: Draft) -> None:
        for field in self._required:
            value = draft.values.get(field.name)
            absent = value is None or value in ("", [])
            if absent and field.name not in draft.links:
                draft.fail(
                    _("“%(label)s” is needed.") % {"label": field.label},
                    self.places.get(field.name, -1),
                )

    def absent_links(self) -> set[tuple[str, str]]:
        """The records that storing would add for links, as `(kind, lower-case name)`."""
        return {(kind, key) for kind, names in self._to_make.items() for key in names}

    # -- storing -----------------------------------------------------------------------------

    def store(self, drafts: Sequence[Draft], *, at: dt.datetime) -> None:
        """Write what `plan` decided; sets `pk` of new rows."""
        planned = [draft for draft in drafts if draft.outcome in (CREATED, UPDATED)]
        wanted = self._fitting(planned)
        self._make_linked(wanted, at)
        self._merge_twins()
        new = [draft for draft in wanted if draft.outcome == CREATED]
        if new:
            rules.demand(self.actor, "create", self.kind.name)
        for draft, pk in zip(new, bulk.reserve_ids(self.kind.model, len(new)) if new else (),
                             strict=True):  # fmt: skip
            draft.pk = pk
        self._link_within(wanted)
        self._insert(new, at)
        known = [d for d in wanted if d.outcome == UPDATED and id(d) not in self._twins]
        if known:
            self._update(known, at)

    def _fitting(self, drafts: list[Draft]) -> list[Draft]:
        """Fail the rows for whose new records the plan has no room; the others."""
        left: dict[Limit, int | None] = {}
        counted: set[tuple[str, str]] = set()
        for draft in drafts:
            links = self._new_links(draft) - counted
            kinds = [record_type(target) for target, _name in links]
            if draft.outcome == CREATED:
                kinds.append(self.kind)
            needed = Counter(kind.limit for kind in kinds if kind.limit)
            for limit in needed:
                if limit not in left:
                    left[limit] = room.left(limit)
            over = [key for key, n in left.items() if n is not None and needed[key] > n]
            if over:
                draft.fail(str(limits.reached(over[0])))
                continue
            counted |= links
            left = {key: n if n is None else n - needed[key] for key, n in left.items()}
        for key, (draft, first) in list(self._twins.items()):
            if first.outcome == FAILED:
                draft.outcome, draft.problems = FAILED, first.problems
                del self._twins[key]
        return [draft for draft in drafts if draft.outcome != FAILED]

    def _new_links(self, draft: Draft) -> set[tuple[str, str]]:
        """The records that storing this row adds for its links, as `absent_links`."""
        named = ((self.fields[name].target, text) for name, text in draft.links.items())
        found = ((target, text.strip().lower()) for target, text in named)
        return {each for each in found if each[1] in self._to_make.get(each[0], ())}

    def _make_linked(self, drafts: Sequence[Draft], at: dt.datetime) -> None:
        for target, names in self._to_make.items():
            used = {
                text.strip().lower()
                for draft in drafts
                for name, text in draft.links.items()
                if self.fields[name].target == target
            }
            wanted = {key: text for key, text in names.items() if key in used}
            made = self._insert_named(record_type(target), list(wanted.values()), at)
            ids = dict(zip(wanted, made, strict=True))
            for draft in drafts:
                for name, text in draft.links.items():
                    pk = ids.get(text.strip().lower())
                    if pk and self.fields[name].target == target and name not in draft.values:
                        draft.values[name] = pk

    def _insert_named(self, kind: RecordType, names: list[str], at: dt.datetime) -> list[int]:
        """Make linked records that have a name only."""
        if not names:
            return []
        ids = bulk.reserve_ids(kind.model, len(names))
        rows = [{"id": pk, "name": name} for pk, name in zip(ids, names, strict=True)]
        self._insert_rows(kind, rows, at)
        return ids

    def _merge_twins(self) -> None:
        """A later row about the same new record fills and overrides the first."""
        for draft, first in self._twins.values():
            first.values.update(draft.values)

    def _link_within(self, drafts: Sequence[Draft]) -> None:
        """Links between rows of this chunk, now that all have numbers; circles are left out."""
        title = self.kind.title_field
        ids = {str(d.values.get(title, "")).strip().lower(): d.pk for d in drafts if d.pk}
        above: dict[int, int] = {}
        for draft, name, text in self._in_file:
            target = ids.get(text)
            if not draft.pk or not target:
                continue
            seen, walk = {draft.pk}, target
            while walk in above and walk not in seen:
                seen.add(walk)
                walk = above[walk]
            if walk in seen:
                label = self.fields[name].label
                draft.notes.append(
                    _("“%(label)s” was left empty: these would belong to each other.")
                    % {"label": label}
                )
                continue
            above[draft.pk] = target
            draft.values[name] = target

    def _insert(self, drafts: Sequence[Draft], at: dt.datetime) -> None:
        if not drafts:
            return
        self.topic.before(drafts)
        rows = []
        for draft in drafts:
            columns, custom = self._columns(draft)
            row = {**columns, **self.topic.facts(draft, at=at), "id": draft.pk}
            if custom:
                row["custom"] = custom
            rows.append(row)
        self._insert_rows(self.kind, rows, at)
        self.topic.after(drafts, rows)

    def _insert_rows(self, kind: RecordType, rows: list[Values], at: dt.datetime) -> None:
        people = catalogue.people()
        for row in rows:
            owner = row.setdefault("owner_id", self.actor.pk)
            if "team_id" not in row:
                person = people.get(owner or 0)
                row["team_id"] = person.team_id if person else None
        constants = {
            "created_at": at, "created_by_id": self.actor.pk, "updated_at": at,
            "updated_by_id": self.actor.pk, "batch": self.batch,
        }  # fmt: skip
        bulk.copy_in(kind.model, rows, constants)
        title = kind.title_field
        bulk.copy_entries(
            at=at, actor_id=self.actor.pk, verb=f"{kind.name}.imported", kind=kind.name,
            batch=self.batch, entries=[(row["id"], row[title], {}) for row in rows],
        )  # fmt: skip
        publish(RecordsSaved(kind.name, tuple(row["id"] for row in rows), created=True))

    def _columns(self, draft: Draft) -> tuple[Values, Values]:
        """The draft's values by column, and those of custom fields."""
        columns: Values = {}
        custom: Values = {}
        for name, value in draft.values.items():
            column = self._stored.get(name)
            if column is not None:
                columns[column] = value
            elif value is not None and self.fields[name].custom_key:
                custom[self.fields[name].custom_key] = value
        return columns, custom

    # -- existing records --------------------------------------------------------------------

    def _update(self, drafts: Sequence[Draft], at: dt.datetime) -> None:
        ids = [draft.pk for draft in drafts]
        rows = visible_to(self.actor, self.kind).select_related(None).select_for_update()
        known = {row.pk: row for row in rows.filter(pk__in=ids)}
        changed: list[Values] = []
        entries: list[tuple[int, str, Values]] = []
        for draft in drafts:
            row = known.get(draft.pk)
            if row is None or not rules.may(self.actor, "edit", self.kind.name, row):
                draft.fail(_("Your role does not let you change this record."))
                continue
            self._edit_slowly(draft, row, at)
            diff = self._apply(draft, row)
            if diff:
                changed.append({name: getattr(row, name) for name in self._written(row)})
                entries.append((row.pk, str(row.name), diff))
            elif not draft.was_edited:
                draft.outcome = SKIPPED
                draft.notes = [_("Nothing in this row is new.")]
        for draft, first in self._twins.values():
            if first.outcome in (SKIPPED, FAILED):
                draft.outcome, draft.notes, draft.problems = (
                    first.outcome,
                    first.notes,
                    first.problems,
                )
        if changed:
            self._write_changes(changed, entries, at)

    def _edit_slowly(self, draft: Draft, row: Any, at: dt.datetime) -> None:
        """Facts with rules of their own go through the kind's `edit`."""
        values = {}
        for name in self.topic.slow & draft.values.keys():
            value = draft.values.pop(name)
            if getattr(row, column_of(self.fields[name])) != value:
                values[name] = value
        if values:
            self.kind.edit(record=row, values=values, actor=self.actor, at=at, batch=self.batch)
            row.refresh_from_db()
            draft.was_edited = True

    def _apply(self, draft: Draft, row: Any) -> Values:
        """Change `row` in memory; the difference is keyed by field name."""
        columns, custom = self._columns(draft)
        columns.pop("created_at", None)
        if columns.get("owner_id", row.owner_id) != row.owner_id and "team_id" not in columns:
            person = catalogue.people().get(columns["owner_id"] or 0)
            columns["team_id"] = person.team_id if person else None
        names = {column: name for name, column in self._stored.items()}
        diff = {names.get(n, n): pair for n, pair in differences(row, columns).items()}
        for name, value in columns.items():
            setattr(row, name, value)
        for key, value in custom.items():
            if row.custom.get(key) != value:
                diff[f"x_{key}"] = [row.custom.get(key), value]
                row.custom = {**row.custom, key: value}
        return diff

    def _written(self, row: Any) -> list[str]:
        """The columns an update writes: all that the file has."""
        names = {"id", "custom", "team_id"}
        for name in self.places:
            field = self.fields[name]
            if name not in self.topic.slow and field.column:
                names.add(column_of(field))
        return [name for name in names if hasattr(row, name)]

    def _write_changes(
        self, rows: list[Values], entries: list[tuple[int, str, Values]], at: dt.datetime
    ) -> None:
        stamped = [{**row, "updated_at": at, "updated_by_id": self.actor.pk} for row in rows]
        names = [name for name in stamped[0] if name != "id"]
        bulk.update_rows(self.kind.model, stamped, names)
        bulk.copy_entries(
            at=at, actor_id=self.actor.pk, verb=f"{self.kind.name}.edited", kind=self.kind.name,
            batch=self.batch, entries=entries,
        )  # fmt: skip
        publish(RecordsSaved(self.kind.name, tuple(row["id"] for row in rows)))


def column_of(field: Field) -> str:
    """The model's column a field is stored in."""
    if field.is_key or field.kind in (Kind.LINK, Kind.USER, Kind.TEAM):
        return f"{field.column}_id"
    return field.column or field.name
