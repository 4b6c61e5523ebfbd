"""The acts that need two persons; lower layers' acts join here, once, when the apps are loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

Run = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Act:
    """One such act.

    `run(company_id=, reason=, actor=, at=)` does it to one company inside the platform's unit of
    work, each in a savepoint; a `DomainError` of it is that company's outcome. `later` acts open
    units of their own: they run once the approval is kept, and are told `asked_by` too. `most` is
    how many companies at once. An `is_whole` act is done once, to the row that `subject` names
    (`run(subject=, actor=, at=)`); it is asked for on a page of its own, and `drop(subject=, at=)`
    puts away what nobody agreed to.
    """

    key: str
    label: str | Promise
    note: str | Promise
    run: Run
    most: int = 500
    later: bool = False
    is_whole: bool = False
    drop: Run | None = None


_acts: dict[str, Act] = {}


def offer(act: Act) -> None:
    """Say that there is such an act; the same key again replaces it."""
    _acts[act.key] = act


def get_act(key: str) -> Act | None:
    return _acts.get(key)


def acts() -> list[Act]:
    """Every act there is, in the order they were offered."""
    return list(_acts.values())
