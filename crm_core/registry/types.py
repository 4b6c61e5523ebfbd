"""How a topic describes a kind of record, so that generic features can loop over them all."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import models

from crm_platform.kernel.limits import Limit

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Text
else:
    Text = str


class Kind(enum.StrEnum):
    """What a field holds; decides its control, filter operators, cell and import parser."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    PERCENT = "percent"
    DATE = "date"
    MOMENT = "moment"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    TAGS = "tags"
    USER = "user"
    TEAM = "team"
    LINK = "link"


class Choice(NamedTuple):
    """One choice: the stored value, what people read, its label colour (0: none)."""

    value: str
    label: str
    hue: int = 0


Choices = Callable[[], list[Choice]]
"""The choices of a field; called inside a unit of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One fact of a record.

    `name` is stable and is used in addresses, filters, views, imports and the API (custom fields:
    `x_<key>`); `path` is where the ORM finds the value to filter and sort by; `column` is the
    model field that `edit` writes (empty: read-only); `target` is the record type a LINK opens,
    or the config model behind a choice that is a foreign key.
    """

    name: str
    label: "str | Text"
    kind: Kind
    path: str = ""
    column: str = ""
    required: bool = False
    in_list: bool = False
    sortable: bool = True
    filterable: bool = True
    importable: bool = True
    choices: Choices | None = None
    is_key: bool = False
    """The choice is a foreign key: its stored value is a number in `<column>_id`."""
    target: str = ""
    help_text: "str | Text" = ""
    max_length: int = 200
    largest: int = 2_147_483_647
    """The largest whole number the column holds."""
    section: str = "main"
    currency_path: str = ""
    custom_key: str = ""
    header_words: tuple[str, ...] = ()
    """Names this fact has in other people's files, any language, lower case."""

    @property
    def orm_path(self) -> str:
        return self.path or self.column or self.name

    @property
    def value_path(self) -> str:
        """Where the stored value is read: the key of a link, not the linked row."""
        if self.is_key or self.kind in (Kind.LINK, Kind.USER, Kind.TEAM):
            return f"{self.orm_path}_id"
        return self.orm_path

    @property
    def is_editable(self) -> bool:
        return bool(self.column or self.custom_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """One kind of record.

    `create(values=…, actor=…, at=…)`, `edit(record=…, values=…, version=…, actor=…, at=…)` are
    the topic's own services: values are keyed by `Field.name`. `slug` is the first part of its
    addresses (`/contacts/`). `parents` are the LINK fields under which it is listed as related.
    """

    name: str
    label: "str | Text"
    label_plural: "str | Text"
    icon: str
    slug: str
    model: type[models.Model]
    fields: tuple[Field, ...]
    create: Callable[..., Any]
    edit: Callable[..., Any]
    title_field: str = "name"
    subtitle: Callable[[Any], str] = field(default=lambda record: "")
    default_sort: str = "-updated_at"
    parents: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    """`select_related` paths that a list row or an API answer needs."""
    sums: tuple[str, ...] = ()
    """Money or number fields whose total the list shows."""
    search_texts: Callable[[Any], "SearchTexts"] | None = None
    """What the search document holds, from `.values()` row; None: not searched."""
    search_values: tuple[str, ...] = ()
    """ORM paths `search_texts` needs, for bulk reading by `.values()`."""
    quick_fields: tuple[str, ...] = ()
    """The few facts the quick-add dialog asks for."""
    board_url: str = ""
    """Where the same records are shown as a board, if anywhere."""
    order: int = 0
    limit: Limit | None = None
    """What of a plan its records count towards; None: any number may be made."""

    def field(self, name: str) -> Field | None:
        """The built-in field of that name."""
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTexts:
    """Words of one record: `title` counts most, then `strong` (mail, phone), then `weak`."""

    title: str
    subtitle: str = ""
    strong: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
