"""Which fact a column holds, guessed from its header in three languages and from its values."""

import re
from collections.abc import Callable

from django.utils import translation

from crm_core.exchange import parsing
from crm_core.exchange.choices import ColumnChoice
from crm_core.exchange.reading import ColumnFacts, Shape
from crm_core.registry import Field, Kind

LANGUAGES = ("en", "zh-hant", "zh-hans")
EXACT, PARTLY, BY_VALUE = 100.0, 40.0, 25.0
SHORTEST_PART = 3
LARGEST_MONTH = 12
_MAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_PHONE = re.compile(r"^\+?[\d\s()\-./#x]{7,22}$")
_WEB = re.compile(
    r"^(https?://|www\.)\S+$|^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(/\S*)?$", re.IGNORECASE
)
_NUMBER = re.compile(r"^-?\d+(\.\d+)?%?$")


def _is_day(text: str) -> bool:
    return parsing.as_date(text, "") is not None


def _is_number(text: str) -> bool:
    return bool(_NUMBER.match(parsing.as_number(text)))


_TESTS: dict[Kind, Callable[[str], bool]] = {
    Kind.EMAIL: lambda text: bool(_MAIL.match(text)),
    Kind.PHONE: lambda text: bool(_PHONE.match(text)) and sum(c.isdigit() for c in text) >= 6,
    Kind.URL: lambda text: bool(_WEB.match(text)),
    Kind.DATE: _is_day,
    Kind.MOMENT: _is_day,
    Kind.INTEGER: _is_number,
    Kind.DECIMAL: _is_number,
    Kind.MONEY: _is_number,
    Kind.PERCENT: _is_number,
    Kind.BOOLEAN: lambda text: parsing.as_boolean(text) is not None,
}
_TELLING = (Kind.EMAIL, Kind.URL, Kind.PHONE)
"""Kinds whose values alone say what a column is."""


def guess(shape: Shape, fields: list[Field]) -> list[ColumnChoice]:
    """A choice for each column; a fact is given to one column at most, the likeliest."""
    words = {field.name: _words(field) for field in fields}
    ranked = sorted(
        (
            (-_score(column, field, words[field.name]), place, rank, field.name)
            for place, column in enumerate(shape.columns)
            for rank, field in enumerate(fields)
        ),
    )
    chosen: dict[int, str] = {}
    for score, place, _rank, name in ranked:
        if score < 0 and place not in chosen and name not in chosen.values():
            chosen[place] = name
    return [
        ColumnChoice(to=chosen.get(place, ""), order=date_order(column))
        for place, column in enumerate(shape.columns)
    ]


def _words(field: Field) -> dict[str, float]:
    """The field's names for comparing, those listed first counting a little more."""
    labels = []
    for language in LANGUAGES:
        with translation.override(language):
            labels.append(str(field.label))
    names = [field.name, *field.header_words, *labels]
    found: dict[str, float] = {}
    for place, name in enumerate(names):
        found.setdefault(parsing.folded(name), EXACT - place / 10)
    found.pop("", None)
    return found


def _score(column: ColumnFacts, field: Field, words: dict[str, float]) -> float:
    header = parsing.folded(column.header)
    fit = _fit(column, field)
    # A column called “Birthday” is one, even if its values are odd: the check will show them.
    score = words.get(header, 0.0)
    if not score and fit != 0:
        score = _partly(header, words)
    if not score and field.kind in _TELLING and fit == 1.0 and column.filled >= 1:
        return BY_VALUE - _TELLING.index(field.kind)
    return score * (1.0 if fit is None else 0.5 + fit / 2)


def _partly(header: str, words: dict[str, float]) -> float:
    """A score for the longest name that is part of the header, or the other way round."""
    longest = 0
    for word in words:
        wide = any(letter >= "\u3400" for letter in word)
        if len(word) < (2 if wide else SHORTEST_PART + 1):
            continue
        if word in header or (len(header) > SHORTEST_PART and header in word):
            longest = max(longest, min(len(word), len(header)) * (2 if wide else 1))
    return PARTLY + longest if longest else 0.0


def _fit(column: ColumnFacts, field: Field) -> float | None:
    """The share of sample values the field could hold; None where any text will do."""
    test = _TESTS.get(field.kind)
    if test is None or not column.samples:
        return None
    return sum(map(test, column.samples)) / len(column.samples)


def date_order(column: ColumnFacts) -> str:
    """How 03/04/2026 is meant, by looking at the whole column; day first where nothing tells."""
    if column.second_most > LARGEST_MONTH >= column.first_most:
        return "mdy"
    return "dmy"


def is_order_open(column: ColumnFacts) -> bool:
    """Whether the column has such dates and nothing in it tells their order."""
    return 0 < column.first_most <= LARGEST_MONTH and 0 < column.second_most <= LARGEST_MONTH
