"""From a row's cells to values ready to store: one reader a column, made once an import."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _

from crm_core.exchange import parsing, safety
from crm_core.exchange.choices import ColumnChoice, Options
from crm_core.exchange.guessing import LANGUAGES
from crm_core.fields import catalogue, values
from crm_core.registry import Field, Kind
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid

Read = Callable[[str], Any]
REMEMBERED = 4096
SURELY_SHORT = 63
_PLAIN_MAIL = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,24}"
)
"""Addresses that Django's validator surely takes; the others are asked of it."""
_SEPARATORS = str.maketrans("，、；;|", ",,,,,")
_TEXTS = (Kind.TEXT, Kind.LONG_TEXT, Kind.PHONE, Kind.EMAIL, Kind.URL)
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.PERCENT)
RAW = {"deal": ("stage", "pipeline", "lost_reason", "currency")}
"""Fields that the topic's rules read for the whole row (`exchange.topics`)."""


@dataclass(slots=True)
class Draft:
    """One row on its way: `values` by field name, `links` still as text, `problems` by column.

    `keys` are texts the row is known by; `outcome` and `pk` are set while it is written.
    """

    number: int
    cells: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    outcome: str = ""
    pk: int = 0
    was_edited: bool = False

    def fail(self, sentence: str, place: int = -1) -> None:
        self.problems[place] = sentence
        self.outcome = "failed"

    @property
    def reason(self) -> str:
        told = list(self.problems.values()) or self.notes
        return " ".join(dict.fromkeys(told))[:500]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file that goes somewhere."""

    place: int
    field: Field
    read: Read
    aliases: dict[str, str]


class Readers:
    """The columns of one import, compiled for one person's rights and one company's choices."""

    def __init__(
        self, *, kind_name: str, fields: dict[str, Field], chosen: list[ColumnChoice],
        options: Options, actor: User,
    ) -> None:  # fmt: skip
        self._kind_name, self._options, self._actor = kind_name, options, actor
        self._zone = ZoneInfo(tenancy.current().time_zone)
        self._notes: list[str] = []
        self.columns = [
            Column(
                place, fields[choice.to], self._reader(fields[choice.to], choice),
                options.aliases.get(choice.to, {}),
            )
            for place, choice in enumerate(chosen)
            if choice.to in fields
        ]  # fmt: skip
        self.places = {column.field.name: column.place for column in self.columns}

    def draft(self, number: int, cells: list[str]) -> Draft:
        """Read one row; what cannot be read stands in its `problems`."""
        made = Draft(number, cells)
        width = len(cells)
        for column in self.columns:
            text = cells[column.place] if column.place < width else ""
            if not text:
                continue
            if text[0] == "'":
                text = safety.unguarded(text)
            if text in column.aliases:
                made.notes.append(
                    _("“%(old)s” was read as “%(new)s”.")
                    % {"old": text, "new": column.aliases[text]}
                )
                text = column.aliases[text]
            if column.field.kind is Kind.LINK:
                made.links[column.field.name] = text
                continue
            try:
                value = column.read(text)
            except Invalid as refusal:
                made.fail(str(refusal), column.place)
                continue
            made.values[column.field.name] = value
            if self._notes:
                made.notes += self._notes
                self._notes.clear()
        return made

    # -- one reader a kind -------------------------------------------------------------------

    def _reader(self, field: Field, choice: ColumnChoice) -> Read:
        if field.name in RAW.get(self._kind_name, ()):
            return str
        if field.kind in _TEXTS:
            return self._text(field)
        if field.kind is Kind.USER:
            return self._people(field)
        readers: dict[Kind, Callable[[Field, ColumnChoice], Read]] = {
            Kind.DATE: self._date, Kind.MOMENT: self._moment, Kind.BOOLEAN: self._boolean,
            Kind.TEAM: self._labelled, Kind.CHOICE: self._labelled, Kind.TAGS: self._several,
            Kind.MULTI_CHOICE: self._several, Kind.LINK: lambda _field, _choice: str,
            **dict.fromkeys(_NUMBERS, self._number),
        }  # fmt: skip
        return lru_cache(REMEMBERED)(readers[field.kind](field, choice))

    def _text(self, field: Field) -> Read:
        """Texts are most of a file: what plainly keeps the rules is not asked twice."""
        actor, most = self._actor, min(field.max_length, SURELY_SHORT)
        coerce, is_plain = values.coerce, _PLAIN_MAIL.fullmatch
        if field.kind is Kind.EMAIL:
            return lambda text: (
                text if len(text) <= most and is_plain(text) else coerce(field, text, actor=actor)
            )
        if field.kind is Kind.URL:
            return lambda text: coerce(field, text, actor=actor)
        return lambda text: text if len(text) <= most else coerce(field, text, actor=actor)

    def _strict(self, field: Field, value: Any) -> Any:
        return values.coerce(field, value, actor=self._actor)

    def _number(self, field: Field, _choice: ColumnChoice) -> Read:
        def read(text: str) -> Any:
            try:
                return self._strict(field, parsing.as_number(text))
            except Invalid:
                return self._strict(field, text)

        return read

    def _date(self, field: Field, choice: ColumnChoice) -> Read:
        def read(text: str) -> Any:
            found = parsing.as_date(text, choice.order)
            return self._strict(field, found[0] if found else text)

        return read

    def _moment(self, field: Field, choice: ColumnChoice) -> Read:
        def read(text: str) -> Any:
            moment = parsing.as_moment(text, choice.order, self._zone)
            return self._strict(field, moment.astimezone(dt.UTC) if moment else text)

        return read

    def _boolean(self, field: Field, _choice: ColumnChoice) -> Read:
        def read(text: str) -> Any:
            found = parsing.as_boolean(text)
            return self._strict(field, text if found is None else found)

        return read

    def _labelled(self, field: Field, _choice: ColumnChoice) -> Read:
        known = labels_of(field)
        return lambda text: self._strict(field, known.get(parsing.folded(text), text))

    def _several(self, field: Field, _choice: ColumnChoice) -> Read:
        known = labels_of(field)

        def read(text: str) -> Any:
            parts = [part.strip() for part in text.translate(_SEPARATORS).split(",")]
            return self._strict(
                field, [known.get(parsing.folded(part), part) for part in parts if part]
            )

        return read

    def _people(self, field: Field) -> Read:
        known: dict[str, int] = {}
        for person in reversed(catalogue.people().values()):
            known[person.name.strip().lower()] = person.id
            known[person.email.lower()] = person.id
        fallback = self._actor.pk if self._options.owners == "me" else None

        def read(text: str) -> Any:
            found = known.get(text.strip().lower())
            if found is not None:
                return found
            self._notes.append(self._stranger(field, text))
            return fallback

        return read

    def _stranger(self, field: Field, text: str) -> str:
        if self._options.owners == "me":
            sentence = _("“%(label)s”: nobody here is called “%(name)s”, so it is you.")
        else:
            sentence = _("“%(label)s”: nobody here is called “%(name)s”, so it is empty.")
        return sentence % {"label": field.label, "name": text[:60]}


def labels_of(field: Field) -> dict[str, str]:
    """Stored values by what people call them in any of our languages, and by themselves."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        with translation.override(language):
            for choice in reversed(catalogue.choices_of(field)):
                found[parsing.folded(choice.label)] = choice.value
    for choice in catalogue.choices_of(field):
        found.setdefault(parsing.folded(choice.value), choice.value)
    return found
