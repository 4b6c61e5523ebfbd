"""Configuration kept in the process, per company and version, so that pages need not read it.

Every unit of work knows the company's configuration version (it comes with the session); a
snapshot is used only for exactly that version. `bump` makes a new one.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from uuid import UUID

from crm_platform.kernel import tenancy

T = TypeVar("T")
_VERSION, _CHANGED = "config_version", "config_changed"
_read_version: Callable[[], int] | None = None
_raise_version: Callable[[], int] | None = None
COMPANIES_KEPT = 300


def install(*, read: Callable[[], int], increase: Callable[[], int]) -> None:
    """Say how the version is read and increased (one statement each)."""
    global _read_version, _raise_version
    _read_version, _raise_version = read, increase


def version() -> int:
    """The configuration version of this unit of work. One query where the session brought none."""
    facts = tenancy.unit_facts()
    if _VERSION not in facts:
        assert _read_version is not None
        facts[_VERSION] = _read_version()
    return int(facts[_VERSION])


def know_version(number: int) -> None:
    """Remember the version that came along with another query."""
    tenancy.unit_facts()[_VERSION] = number


def is_changing() -> bool:
    """Whether this unit of work changed configuration: nothing derived may be kept meanwhile."""
    return bool(tenancy.unit_facts().get(_CHANGED))


def bump() -> None:
    """Configuration changed: every process reads it anew from the next unit of work on."""
    assert _raise_version is not None
    facts = tenancy.unit_facts()
    facts[_VERSION], facts[_CHANGED] = _raise_version(), True


class Snapshot(Generic[T]):
    """One thing read from configuration, kept for the companies used last."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._kept: OrderedDict[UUID, tuple[int, T]] = OrderedDict()

    def get(self) -> T:
        """The current value; read from the database only when the version is new."""
        facts = tenancy.unit_facts()
        # What this transaction changed may still be undone: do not keep it beyond.
        if facts.get(_CHANGED):
            return self._load()
        company, number = tenancy.current().id, version()
        kept = self._kept.get(company)
        if kept is not None and kept[0] == number:
            self._kept.move_to_end(company)
            return kept[1]
        value = self._load()
        self._kept[company] = (number, value)
        while len(self._kept) > COMPANIES_KEPT:
            self._kept.popitem(last=False)
        return value


def snapshot(load: Callable[[], T]) -> Callable[[], T]:
    """Decorate a function without arguments that reads configuration."""
    kept: Snapshot[Any] = Snapshot(load)
    return kept.get
