"""The record types that roles grant rights on; the topics above say which there are."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One record type as the rights editor shows it; `fields` are key and label."""

    key: str
    label: str | Promise
    fields: tuple[tuple[str, str | Promise], ...] = ()


_source: Callable[[], list[RecordKind]] | None = None


def offer(source: Callable[[], list[RecordKind]]) -> None:
    """Say where the record types come from; once, when the apps are loaded."""
    global _source  # noqa: PLW0603  set once, when the apps are loaded
    _source = source


def record_kinds() -> list[RecordKind]:
    """Every record type; empty where nobody offered any."""
    return _source() if _source else []
