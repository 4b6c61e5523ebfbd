"""What the companies' people read of a release: the files beside this one, in every language.

A change that somebody will notice brings a file of its own (`2026-11-22-late-deals.toml`); the next
release that is built tells every file that none before it has told. Each file holds a table a
language, and in it a list of sentences for each role they are for ("all": for everybody).
"""

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.conf import settings

from crm_platform.identity.roles import AUDIENCES

FOLDER = Path(__file__).parent
LONGEST = 300
Notes = dict[str, dict[str, list[str]]]
"""{language: {role: [sentence, …]}}"""


class Damaged(ValueError):
    """A file of notes that cannot be told; says which, and what is wrong."""


@cache
def shipped() -> dict[str, Notes]:
    """Every file of notes by its name, the oldest first.

    Raises:
        Damaged: one is not as it must be.
    """
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.toml"))}


def read(path: Path) -> Notes:
    """One file of notes, checked.

    Raises:
        Damaged: a language, a role or a sentence is missing or unknown.
    """
    try:
        notes: Notes = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Damaged(f"{path.name}: {error}") from error
    if fault := _fault_of(notes):
        raise Damaged(f"{path.name}: {fault}")
    return notes


def _fault_of(notes: Notes) -> str:
    languages = {code for code, _name in settings.LANGUAGES}
    if set(notes) != languages:
        return f"the languages are {sorted(notes)}, not {sorted(languages)}"
    counts = {}
    for language, roles in notes.items():
        for role, sentences in roles.items():
            if role not in AUDIENCES:
                return f"{language} speaks to “{role}”, which is none of {', '.join(AUDIENCES)}"
            if fault := _fault_in(sentences):
                return f"{language}.{role} {fault}"
        counts[language] = {role: len(sentences) for role, sentences in roles.items()}
    if not counts[settings.LANGUAGE_CODE]:
        return "it says nothing"
    if len({tuple(sorted(each.items())) for each in counts.values()}) > 1:
        return f"the languages do not say the same: {counts}"
    return ""


def _fault_in(sentences: object) -> str:
    if not isinstance(sentences, list) or not sentences:
        return "is no list of sentences"
    for each in sentences:
        if not isinstance(each, str) or not each.strip() or len(each) > LONGEST:
            return f"has a sentence that is empty or longer than {LONGEST} characters"
    return ""


def pending(told: Iterable[str]) -> dict[str, Notes]:
    """The shipped files that are not among `told`, the oldest first."""
    known = set(told)
    return {name: notes for name, notes in shipped().items() if name not in known}


def merged(files: dict[str, Notes]) -> Notes:
    """The notes of several files as one release tells them."""
    found: Notes = {}
    for notes in files.values():
        for language, roles in notes.items():
            for role, sentences in roles.items():
                found.setdefault(language, {}).setdefault(role, []).extend(sentences)
    return found
