"""The first rows of a file as they would be brought in, cell by cell, with what is wrong marked."""

from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from crm_core.exchange import reading
from crm_core.exchange.columns import Draft
from crm_core.exchange.models import ImportJob
from crm_core.exchange.running import Pass
from crm_platform.identity.models import User

ROWS = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; `mark` is bad, new or nothing, `note` says why."""

    text: str
    mark: str = ""
    note: str = ""


@dataclass(slots=True)
class Line:
    """One row and what would become of it."""

    number: int
    outcome: str
    cells: list[Cell]
    note: str = ""


@dataclass(slots=True)
class Preview:
    """The first rows, with how many of them would fail."""

    headers: list[str]
    lines: list[Line] = field(default_factory=list)
    total: int = 0
    failed: int = 0


def preview_of(job: ImportJob, actor: User) -> Preview:
    """Plan the first rows and change nothing."""
    made = Pass(job, actor, is_trial=True)
    with Path(job.rows.path).open("rb") as stream:
        rows = [(number, cells) for number, cells, _end in reading.rows_from(stream, 0, ROWS)]
    drafts = made.drafts(rows)
    made.writer.plan(drafts)
    columns = made.readers.columns
    shown = Preview([str(column.field.label) for column in columns], total=job.total)
    new_links = made.writer.absent_links()
    for draft in drafts:
        cells = [_cell(draft, column.place, column.field.target, new_links) for column in columns]
        general = draft.problems.get(-1, "") or ("" if draft.problems else draft.reason)
        shown.lines.append(Line(draft.number, draft.outcome, cells, general))
        shown.failed += draft.outcome == "failed"
    return shown


def _cell(draft: Draft, place: int, target: str, new_links: set[tuple[str, str]]) -> Cell:
    text = draft.cells[place] if place < len(draft.cells) else ""
    short = text if len(text) <= 80 else f"{text[:79]}…"
    if place in draft.problems:
        return Cell(short, "bad", draft.problems[place])
    if target and (target, text.strip().lower()) in new_links:
        return Cell(short, "new", _("will be added"))
    return Cell(short)


@dataclass(slots=True)
class Trial:
    """What a whole import would do, without doing it."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0
    issues: list[tuple[int, str, str]] = field(default_factory=list)


def try_all(job: ImportJob, actor: User, *, most_issues: int = 1000) -> Trial:
    """Plan every row and change nothing. Rows that repeat a row far above count as new."""
    made = Pass(job, actor, is_trial=True)
    result, offset = Trial(), 0
    with Path(job.rows.path).open("rb") as stream, transaction.atomic():
        while read := list(reading.rows_from(stream, offset, 1000)):
            offset = read[-1][2]
            drafts = made.drafts([(number, cells) for number, cells, _end in read])
            made.writer.plan(drafts)
            for draft in drafts:
                setattr(result, draft.outcome, getattr(result, draft.outcome) + 1)
                if draft.reason and len(result.issues) < most_issues:
                    result.issues.append((draft.number, draft.outcome, draft.reason))
    return result
