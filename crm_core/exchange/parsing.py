"""Dates, amounts and yes-or-no as people write them in files, brought into the one form we keep."""

import datetime as dt
import re
import unicodedata
from zoneinfo import ZoneInfo

_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_YEAR_FIRST = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号號]?")
_TAIWAN = re.compile(
    r"^(?:民國|民国)\s*(\d{1,3})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
)
_YEAR_LAST = re.compile(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(?!\d)")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_NAMED = re.compile(r"^(\d{1,2})\.?[\s\-]+([A-Za-z]{3,9})\.?,?[\s\-]+(\d{4})")
_NAMED_FIRST = re.compile(r"^([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(
    r"(上午|下午|AM|PM)?\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(AM|PM|am|pm)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?\s*$"
)
_SIGNS = re.compile(r"^(?:[A-Z]{2}\$|[A-Z]{3}(?=[\d\s(+-]))|[A-Z]{3}$|[\s'’_$€£¥₩₹元圓圆円]")
_GROUPED = re.compile(r"^[+-]?\d{1,3}(,\d{3})+$")
_TENS_OF_THOUSANDS = ("萬", "万")
YES = {
    "1",
    "true",
    "yes",
    "y",
    "on",
    "是",
    "有",
    "真",
    "對",
    "对",
    "✓",
    "✔",
    "√",
    "t",
    "ja",
    "oui",
    "si",
}
NO = {
    "0",
    "false",
    "no",
    "n",
    "off",
    "否",
    "无",
    "無",
    "假",
    "不",
    "沒有",
    "没有",
    "✗",
    "✘",
    "f",
    "nein",
    "non",
}


def as_date(text: str, order: str = "dmy") -> tuple[dt.date, str] | None:
    """The day `text` begins with and what follows it; None when it is no date.

    `order` decides 03/04/2026: `dmy`, `mdy`, or nothing: whichever of the two is a date.
    """
    if _ISO.match(text):
        return _made(text[:4], text[5:7], text[8:], "")
    text = unicodedata.normalize("NFKC", text).strip()
    for pattern, shift in ((_YEAR_FIRST, 0), (_TAIWAN, 1911), (_COMPACT, 0)):
        if found := pattern.match(text):
            return _made(int(found[1]) + shift, found[2], found[3], text[found.end() :])
    if found := _YEAR_LAST.match(text):
        return _year_last(found, text[found.end() :], order)
    if found := _NAMED.match(text):
        return _made(found[3], _month(found[2]), found[1], text[found.end() :])
    if found := _NAMED_FIRST.match(text):
        return _made(found[3], _month(found[1]), found[2], text[found.end() :])
    return None


def _year_last(found: re.Match[str], rest: str, order: str) -> tuple[dt.date, str] | None:
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    if len(found[3]) == 2:
        year += 2000 if year < 70 else 1900
    day, month = (second, first) if order == "mdy" else (first, second)
    made = _made(year, month, day, rest)
    return made or (None if order else _made(year, day, month, rest))


def _month(name: str) -> int:
    short = name[:3].lower()
    return _MONTHS.index(short) + 1 if short in _MONTHS else 0


def _made(
    year: int | str, month: int | str, day: int | str, rest: str
) -> tuple[dt.date, str] | None:
    try:
        return dt.date(int(year), int(month), int(day)), rest.strip()
    except ValueError:
        return None


def as_moment(text: str, order: str, zone: ZoneInfo) -> dt.datetime | None:
    """The moment `text` names, in `zone` unless it says another; noon where it names a day only."""
    found = as_date(text, order)
    if found is None:
        return None
    day, rest = found
    rest = rest.removeprefix("T").strip()
    if not rest:
        return dt.datetime.combine(day, dt.time(12), zone)
    clock = _CLOCK.match(rest)
    if clock is None:
        return None
    hour = int(clock[2])
    half = (clock[1] or clock[5] or "").lower()
    if half in ("pm", "下午") and hour < 12:
        hour += 12
    elif half in ("am", "上午") and hour == 12:
        hour = 0
    try:
        time = dt.time(hour, int(clock[3]), int(clock[4] or 0))
        offset = _offset(clock[6])
    except ValueError:
        return None
    return dt.datetime.combine(day, time, offset or zone)


def _offset(text: str | None) -> dt.timezone | None:
    if not text:
        return None
    if text == "Z":
        return dt.UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return dt.timezone(sign * dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def as_number(text: str) -> str:
    """`text` as a plain decimal number, or as it is when it is none: signs and groups removed."""
    if text.isascii() and text.isdigit():
        return text
    plain = unicodedata.normalize("NFKC", text).strip()
    times = 1
    if plain.endswith(_TENS_OF_THOUSANDS):
        plain, times = plain[:-1], 10_000
    is_negative = plain.startswith("(") and plain.endswith(")")
    plain = _SIGNS.sub("", plain.strip("()") if is_negative else plain)
    plain = _with_point(plain)
    if is_negative:
        plain = f"-{plain}"
    if times == 1:
        return plain
    from decimal import Decimal, InvalidOperation

    try:
        return str(Decimal(plain) * times)
    except InvalidOperation:
        return text


def _with_point(text: str) -> str:
    """Groups out, the decimal sign a point: 1.234,56 and 1,234.56 are the same amount."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma < 0:
        return text.replace(".", "") if text.count(".") > 1 else text
    if point < 0:
        if _GROUPED.match(text):
            return text.replace(",", "")
        return text.replace(",", ".") if text.count(",") == 1 else text.replace(",", "")
    if comma > point:
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "")


def as_boolean(text: str) -> bool | None:
    word = unicodedata.normalize("NFKC", text).strip().casefold()
    if word in YES:
        return True
    return False if word in NO else None


def folded(text: str) -> str:
    """A header or name for comparing: width, case, spaces and punctuation do not count."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())
