"""Files as the world makes them: encodings, delimiters, workbooks, and bombs."""

import io
import json
import zipfile

import openpyxl
import pytest
from django.conf import settings

from crm_core.exchange import limits, reading
from crm_platform.kernel.errors import Invalid

TRADITIONAL = "姓名,公司,城市\r\n陳怡君,台北科技股份有限公司,台北\r\n林志偉,鴻海精密,新北\r\n"
SIMPLIFIED = "姓名,公司,城市\r\n陈伟,北京云海科技有限公司,北京\r\n李娜,深圳市华兴电子,深圳\r\n"
WESTERN = "name,company,city\r\nJürgen Müller,Café Noël,Köln\r\nJosé Peña,Año,Málaga\r\n"


def read(tmp_path, content, **how):
    path, out = tmp_path / "file", io.BytesIO()
    path.write_bytes(content)
    shape = reading.read_file(path, out, **how)
    return shape, [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        (TRADITIONAL, "utf-8", "utf-8-sig"), (TRADITIONAL, "utf-8-sig", "utf-8-sig"),
        (TRADITIONAL, "utf-16", "utf-16-le"), (TRADITIONAL, "utf-16-le", "utf-16-le"),
        (TRADITIONAL, "utf-16-be", "utf-16-be"), (TRADITIONAL, "big5", "cp950"),
        (SIMPLIFIED, "gb18030", "gb18030"), (SIMPLIFIED, "gbk", "gb18030"),
        (SIMPLIFIED, "utf-16-le", "utf-16-le"), (WESTERN, "cp1252", "cp1252"),
        (WESTERN, "utf-8", "utf-8-sig"), ("姓名\r\n王小明\r\n", "big5", "cp950"),
        ("姓名\r\n王小明\r\n", "gb18030", "gb18030"), ("name\r\nAnna\r\n", "ascii", "utf-8-sig"),
    ],
)  # fmt: skip
def test_read_file_finds_the_encoding(tmp_path, text, written, found):
    shape, rows = read(tmp_path, text.encode(written))

    assert shape.encoding == found
    assert [column.header for column in shape.columns] == text.split("\r\n")[0].split(",")
    assert rows[0] == [2, *text.split("\r\n")[1].split(",")]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_read_file_finds_the_delimiter(tmp_path, sign):
    lines = [["name", "amount", "city"], ["Anna, Ltd" if sign != "," else "Anna", "1", "X"]] * 3
    shape, rows = read(tmp_path, "\n".join(sign.join(line) for line in lines).encode())

    assert shape.delimiter == sign
    assert len(rows[0]) == 4


def test_read_file_keeps_quoted_delimiters_and_line_ends_and_counts_filled_rows_only(tmp_path):
    text = '\n\nname,note\n"Miller, Anna","two\nlines"\n,\n"say ""hi""",x\n'
    shape, rows = read(tmp_path, text.encode())

    assert rows == [[4, "Miller, Anna", "two\nlines"], [6, 'say "hi"', "x"]]
    assert shape.total == 2


def test_read_file_names_columns_without_a_header(tmp_path):
    shape, rows = read(tmp_path, b"name,,city\nAnna,x,Rome,beyond\n")

    assert [column.header for column in shape.columns] == ["name", "Column 2", "city", "Column 4"]
    assert rows == [[2, "Anna", "x", "Rome", "beyond"]]


def workbook(*rows, sheets=("One", "Two")):
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.title = sheets[0]
    for row in rows:
        book.active.append(row)
    for name in sheets[1:]:
        book.create_sheet(name).append(["other"])
        book[name].append(["value"])
    book.save(out)
    return out.getvalue()


def test_read_file_takes_the_chosen_sheet_of_a_workbook_with_typed_cells(tmp_path):
    import datetime as dt

    content = workbook(
        ["姓名", "n", "day", "moment", "yes"],
        ["陳怡君", 3.0, dt.date(2026, 3, 1), dt.datetime(2026, 3, 1, 5, 6), True],  # noqa: DTZ001
        ["Anna", 3.25, None, None, False],
    )
    shape, rows = read(tmp_path, content)
    other, _rows = read(tmp_path, content, sheet="Two")

    assert (shape.sheet, shape.sheets) == ("One", ["One", "Two"])
    assert rows[0] == [2, "陳怡君", "3", "2026-03-01", "2026-03-01 05:06:00", "true"]
    assert rows[1][1:3] == ["Anna", "3.25"]
    assert [column.header for column in other.columns] == ["other"]


# -- what is refused -----------------------------------------------------------------------------

SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def with_sheet(xml, *, prolog=b""):
    """A small true workbook whose sheet is replaced by `xml`."""
    source, out = zipfile.ZipFile(io.BytesIO(workbook(["a"], ["b"], sheets=("One",)))), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in source.infolist():
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            packed.writestr(part.filename, prolog + xml if is_sheet else source.read(part))
    return out.getvalue()


def zeros():
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(600):
            part.write(bytes(1 << 20))
    return out.getvalue()


def lying_zip():
    """A zip whose index says that its 600 MB of zeros are 10 bytes."""
    content = bytearray(zeros())
    index = content.rfind(b"PK\x01\x02")
    content[index + 24 : index + 28] = (10).to_bytes(4, "little")
    return bytes(content)


def nested():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inner.zip", zeros())
    return out.getvalue()


def many_parts():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for number in range(limits.PACKED_PARTS + 1):
            packed.writestr(f"{number}.xml", b"x")
    return out.getvalue()


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)
FAR = SHEET + (
    b'<row r="1"><c r="A1"><v>1</v></c></row>'
    b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData></worksheet>'
)
BOMBS = {
    "zip of zeros": zeros,
    "zip that lies": lying_zip,
    "zip in a zip": nested,
    "too many parts": many_parts,
    "cell at the far corner": lambda: with_sheet(FAR),
    "billion laughs": lambda: with_sheet(
        SHEET + b'<row r="1"><c r="A1" t="str"><v>&j;</v></c></row></sheetData></worksheet>',
        prolog=LAUGHS,
    ),
    "no zip": lambda: b"PK\x03\x04 nothing of the kind",
    "million columns": lambda: b"a," * 1_000_000 + b"\n1\n",
    "one cell of 30 MB": lambda: b"name\n" + b"x" * (30 << 20),
    "open quote": lambda: b'name\n"' + b"Anna\n" * 40_000,
    "too many rows": lambda: b"name\n" + b"x\n" * (limits.rows() + 1),
    "too large": lambda: bytes(settings.COMPANY_LIMITS["import_mb"] * limits.MIB + 1),
    "empty": lambda: b"",
    "header only": lambda: b"name,city\n",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_read_file_refuses_what_could_hurt_with_a_sentence(tmp_path, name):
    with pytest.raises(Invalid) as refused:
        read(tmp_path, BOMBS[name]())

    assert str(refused.value).endswith((".", "?"))
