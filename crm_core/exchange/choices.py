"""What a person chose for an import: where columns go, and what to do in doubtful cases."""

from dataclasses import asdict, dataclass, field
from typing import Any

ORDERS = ("dmy", "mdy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChoice:
    """Where a column goes: a field's name, or nothing. `order` reads dates like 03/04/2026."""

    to: str = ""
    order: str = "dmy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Choices for the whole file.

    `identify` names the field that tells which record a row is about (empty: every row is new);
    `known` update or skip: what to do with a row whose record exists. `links` create, empty or
    fail: a linked record that is not there. `owners` me, empty or create: a person who is not
    here. `stages` create or fail: a stage the pipeline lacks. `lost_reason` is given to lost deals
    without one. `aliases` replace values before they are read, `{field: {from: to}}`.
    """

    identify: str = ""
    known: str = "update"
    links: str = "create"
    owners: str = "me"
    stages: str = "fail"
    lost_reason: str = "Not recorded"
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def options_of(kept: dict[str, Any]) -> Options:
    """The options a job keeps; unknown names of older jobs are left out."""
    return Options(**{name: kept[name] for name in Options.__slots__ if name in kept})


def columns_of(kept: list[dict[str, str]]) -> list[ColumnChoice]:
    return [ColumnChoice(**each) for each in kept]


def columns_as_json(chosen: list[ColumnChoice]) -> list[dict[str, str]]:
    return [asdict(each) for each in chosen]
