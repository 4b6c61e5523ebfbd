"""Run alone, in a process with little memory and time: a workbook's sheet as JSON lines.

First line: `{"sheets": [names], "sheet": name}`; then one list of texts a row, empty rows too.
Arguments: path, sheet name (empty: the first), bytes of address space, seconds.
"""

import datetime as dt
import json
import resource
import sys
from collections.abc import Iterator
from typing import Any


def as_text(value: Any) -> str:
    """A cell as a person would type it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        is_day = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if is_day else value.isoformat(sep=" ")
    return str(value)


def rows_of(sheet: Any) -> Iterator[list[str]]:
    """Every row down from the first of the sheet."""
    for _ in range(sheet.start[0] if sheet.start else 0):
        yield []
    for row in sheet.to_python(skip_empty_area=True) if sheet.height < 2 else sheet.iter_rows():
        yield [as_text(value) for value in row]


def main() -> None:
    path, wanted, memory, seconds = sys.argv[1:5]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    names = list(book.sheet_names)
    name = wanted if wanted in names else names[0]
    sheet = book.get_sheet_by_name(name)
    out = sys.stdout
    out.write(json.dumps({"sheets": names, "sheet": name}) + "\n")
    for row in rows_of(sheet):
        out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
