"""Records out as CSV or XLSX: everything the person may see of them, safe to open, lossless."""

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any, cast

from django.db import transaction
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from crm_core.audit import services as audit
from crm_core.exchange import safety
from crm_core.fields import catalogue, cells
from crm_core.fields.lists import ListQuery, Row, matching, needs, shown_fields
from crm_core.registry import Field, Kind
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotAllowed

CHUNK = 2000
IN_MEMORY = 4 << 20
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Plain = Callable[[Row], str]


@transaction.atomic
def export_records(
    *, query: ListQuery, form: str, actor: User, today: dt.date, at: dt.datetime
) -> IO[bytes]:
    """A file (rewound) with every record the query finds, one row each; the export is audited.

    The shown columns come first, then the other facts, so that the file can be brought back in.

    Raises:
        NotAllowed: the role exports no such records.
    """
    kind = query.kind
    if rules.level(actor, kind.name, "export") == "none":
        raise NotAllowed(_("Your role does not let you export these. Ask an admin."))
    fields = _fields(actor, query)
    found = matching(actor, query, today=today, verb="export").order_by("pk")
    rows = found.values(*needs(kind, fields)).iterator(chunk_size=CHUNK)
    plain = [_plain(field) for field in fields]
    count = 0

    def texts() -> Iterator[list[str]]:
        nonlocal count
        for row in rows:
            count += 1
            read = Row(row)
            yield [each(read) for each in plain]

    out = _spool()
    write = write_xlsx if form == "xlsx" else write_csv
    write(out, [str(field.label) for field in fields], texts())
    audit.record(
        actor=actor, verb=f"{kind.name}.exported", at=at, on_type=kind.name,
        changes={"rows": [None, count], "format": [None, form]},
    )  # fmt: skip
    out.seek(0)
    return out


def _spool() -> IO[bytes]:
    """A file that the answer closes; small ones never reach the disk."""
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(IN_MEMORY))


def _fields(user: User, query: ListQuery) -> list[Field]:
    shown = shown_fields(user, query)
    names = {field.name for field in shown}
    rest = [f for f in catalogue.fields_for(user, query.kind) if f.name not in names]
    return [*shown, *rest]


def _plain(field: Field) -> Plain:
    """How one fact is written; as the importer reads it back."""
    if field.kind is Kind.USER:
        people = catalogue.people()
        return lambda row: people[pk].name if (pk := cells.value_of(field, row)) in people else ""
    if field.kind is Kind.CHOICE:
        labels = {choice.value: choice.label for choice in catalogue.choices_of(field)}
        return lambda row: _label(labels, cells.value_of(field, row))
    if field.kind is Kind.BOOLEAN:
        yes, no = _("Yes"), _("No")
        return lambda row: "" if (v := cells.value_of(field, row)) is None else yes if v else no
    if field.kind is Kind.MOMENT:
        return lambda row: _moment(cells.value_of(field, row))
    return lambda row: cells.plain(field, row)


def _label(labels: dict[str, str], value: Any) -> str:
    return "" if value in (None, "") else labels.get(str(value), str(value))


def _moment(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value or "")


def write_csv(out: IO[bytes], header: list[str], rows: Iterator[list[str]]) -> None:
    """Write a header and rows, each cell made harmless."""
    # The mark tells Excel that this is UTF-8.
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([safety.guarded(each) for each in header])
    writer.writerows([safety.guarded(each) for each in row] for row in rows)
    text.detach()


def write_xlsx(out: IO[bytes], header: list[str], rows: Iterator[list[str]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([_string(sheet, each) for each in header])
    for row in rows:
        sheet.append([_string(sheet, each) for each in row])
    book.save(out)


def _string(sheet: Any, text: str) -> Any:
    """A cell that is text whatever it begins with: never a formula."""
    if not text:
        return None
    cell = WriteOnlyCell(sheet, value=safety.as_workbook_text(text)[:32_767])
    cell.data_type = "s"
    return cell


def failed_rows_csv(header: list[str], rows: Iterator[tuple[int, str, list[str]]]) -> IO[bytes]:
    """The rows that failed in their own columns, with the row's number and the reason, rewound."""
    out = _spool()
    width = len(header)
    lines = (
        [*(cells_ + [""] * width)[:width], str(number), reason] for number, reason, cells_ in rows
    )
    write_csv(out, [*header, _("Row"), _("Reason")], lines)
    out.seek(0)
    return out
