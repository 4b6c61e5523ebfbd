"""What a company's people read of its releases, kept in the process.

Pages run in the company's schema and may not read the ledger. So what it says is learnt when a
host is looked up (`tenants.queries.find_host`); a page then knows without asking.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from tenants.upgrades.models import Release

MOST = 30
ENGLISH = "en"
_known: dict[str, tuple["Told", ...]] = {}


@dataclass(frozen=True, slots=True)
class Told:
    """A release that has something to say. `notes` is {language: {role: [sentence, …]}}."""

    version: str
    built_at: dt.datetime
    notes: dict[str, dict[str, list[str]]]

    def is_for(self, audiences: Iterable[str]) -> bool:
        """Whether it has a word for one of these readers."""
        return any(role in roles for roles in self.notes.values() for role in audiences)

    def sentences(self, audience: str, language: str) -> list[str]:
        """What it says to a reader; in English where that language has nothing."""
        for code in (language, ENGLISH):
            if found := self.notes.get(code, {}).get(audience):
                return found
        return []


def learn(version: str) -> None:
    """Read what a company at `version` is told. One query the first time; the platform's unit."""
    if not version or version in _known:
        return
    rows = list(
        Release.objects.order_by("-built_at", "-pk").values_list("version", "built_at", "notes")
    )
    versions = [row[0] for row in rows]
    if version in versions:
        passed = rows[versions.index(version) :]
        _known[version] = tuple(Told(*row) for row in passed if row[2])[:MOST]


def forget() -> None:
    """Learn anew: the register changed."""
    _known.clear()


def told_at(version: str) -> tuple[Told, ...]:
    """The releases that say something, from `version` backwards, the newest first. No query."""
    return _known.get(version, ())


def newest_for(version: str, audiences: Iterable[str]) -> str:
    """The newest release that has a word for these readers; empty for none. No query."""
    readers = tuple(audiences)
    return next((each.version for each in told_at(version) if each.is_for(readers)), "")
