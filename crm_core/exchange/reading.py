"""From an uploaded file to plain rows: read once, checked, kept as one JSON list a line."""

import csv
import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from crm_core.exchange import encodings, limits, workbook
from crm_platform.kernel.errors import Invalid

SAMPLES = 6
DISTINCT_KEPT = 200
_SLASHED = re.compile(r"^\s*(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}\b")
GIVE_WAY_EVERY, GIVE_WAY_SECONDS = 250, 0.0005
"""A file is read within a request: the pages of the same process wait for so many rows at most."""
Row = list[str]


@dataclass(slots=True)
class ColumnFacts:
    """What a column holds. `first_most`/`second_most`: largest numbers of dates like 31/12/2026."""

    header: str
    samples: list[str] = field(default_factory=list)
    filled: int = 0
    distinct: dict[str, int] = field(default_factory=dict)
    has_many: bool = False
    first_most: int = 0
    second_most: int = 0

    def see(self, text: str) -> None:
        """Take note of one filled cell."""
        self.filled += 1
        if not self.has_many:
            short = text[:80]
            if short not in self.distinct and len(self.samples) < SAMPLES:
                self.samples.append(short)
            self.distinct[short] = self.distinct.get(short, 0) + 1
            self.has_many = len(self.distinct) > DISTINCT_KEPT
        found = _SLASHED.match(text) if text[:1].isdigit() else None
        if found:
            self.first_most = max(self.first_most, int(found[1]))
            self.second_most = max(self.second_most, int(found[2]))


@dataclass(slots=True)
class Shape:
    """A file as we understood it; `total` counts filled rows below the header."""

    columns: list[ColumnFacts]
    total: int = 0
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For keeping; the distinct values of columns with many are left out."""
        for column in self.columns:
            if column.has_many:
                column.distinct = {}
        kept = asdict(self)
        for column in kept["columns"]:
            column["distinct"] = list(column["distinct"].items())  # jsonb keeps no order of keys
        return kept


def shape_of(kept: dict[str, Any]) -> Shape:
    """The shape that `as_json` kept."""
    columns = [
        ColumnFacts(**{**each, "distinct": dict(each["distinct"])}) for each in kept["columns"]
    ]
    return Shape(**{**kept, "columns": columns})


def read_file(
    path: Path, out: BinaryIO, *, encoding: str = "", delimiter: str = "", sheet: str = ""
) -> Shape:
    """Read the whole file, write its rows to `out` and say what was found.

    A row is `[number, cell, …]`: numbers as a spreadsheet shows them, the header's is 1. Rows
    without any text are left out.

    Raises:
        Invalid: too large in any direction, not readable, or without a header or rows.
    """
    limits.demand_size(path.stat().st_size)
    if workbook.is_workbook(path):
        opened = workbook.Sheet(path, sheet)
        try:
            shape = _take(opened.rows(), out)
        finally:
            opened.close()
        shape.sheet, shape.sheets = opened.name, opened.names
        return shape
    encoding = encoding if encoding in encodings.ENCODINGS else encodings.encoding_of(path)
    delimiter = (
        delimiter if delimiter in encodings.DELIMITERS else encodings.delimiter_of(path, encoding)
    )
    shape = _take(_text_rows(path, encoding, delimiter), out)
    shape.encoding, shape.delimiter = encoding, delimiter
    return shape


def _text_rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        lines = (line.replace("\x00", "").removeprefix("\ufeff") for line in stream)
        number = 0
        try:
            for row in csv.reader(lines, delimiter=delimiter):
                number += 1
                yield row
        except csv.Error as error:
            raise limits.cell_too_long(number + 1) from error


def _take(rows: Iterator[Row], out: BinaryIO) -> Shape:
    shape: Shape | None = None
    facts: list[ColumnFacts] = []
    most = limits.rows()
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for number, row in enumerate(rows, start=1):
        if number % GIVE_WAY_EVERY == 0:
            time.sleep(GIVE_WAY_SECONDS)
        if len(row) > limits.COLUMNS:
            row = _without_empty_tail(row)  # noqa: PLW2901
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if shape is None:
            shape = Shape(columns=_headed(cells))
            facts = shape.columns
            continue
        shape.total += 1
        if shape.total > most:
            raise limits.too_many_rows()
        _note(facts, cells, number)
        out.write(dump([number, *cells]).encode("utf-8", "replace") + b"\n")
    if shape is None or shape.total == 0:
        raise Invalid(_("There are no rows below the header in this file."), field="file")
    return shape


def _without_empty_tail(row: Row) -> Row:
    while row and not row[-1].strip():
        row.pop()
    if len(row) > limits.COLUMNS:
        raise limits.too_many_columns(len(row))
    return row


def _headed(cells: Row) -> list[ColumnFacts]:
    while cells and not cells[-1]:
        cells.pop()
    return [
        ColumnFacts(header=cell[:80] or _nameless(place)) for place, cell in enumerate(cells, 1)
    ]


def _nameless(place: int) -> str:
    return _("Column %(number)d") % {"number": place}


def _note(facts: list[ColumnFacts], cells: Row, number: int) -> None:
    while len(facts) < len(cells):
        if not any(cells[len(facts) :]):
            break
        facts.append(ColumnFacts(header=_nameless(len(facts) + 1)))
    for column, text in zip(facts, cells, strict=False):
        if text:
            if len(text) > limits.CELL_CHARACTERS:
                raise limits.cell_too_long(number)
            column.see(text)


def rows_from(stream: BinaryIO, offset: int, most: int) -> Iterator[tuple[int, Row, int]]:
    """Up to `most` rows from byte `offset` on: number, cells, and the byte behind the row."""
    stream.seek(offset)
    for _place in range(most):
        line = stream.readline()
        if not line:
            return
        offset += len(line)
        number, *cells = json.loads(line)
        yield number, cells, offset
