"""Translations with no system package: extract, merge, check and compile in pure Python."""

from __future__ import annotations

import io
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polib
from babel.messages.extract import extract_python
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

KEYWORDS = {
    "gettext": None, "gettext_lazy": None, "gettext_noop": None, "_": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3), "npgettext_lazy": ((1, "c"), 2, 3),
}  # fmt: skip
PACKAGES = ("platform/crm_platform", "tenants", "billing", "crm_core", "api")
SKIP = {"node_modules", "staticfiles", "static", "tests", "migrations", "__pycache__"}
SUFFIXES = {".py", ".html", ".txt"}
NAMED = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
PLAIN = re.compile(r"(?<!%)%[sd]")
Key = tuple[str | None, str]


class Message(NamedTuple):
    """One text in the source."""

    context: str | None
    singular: str
    plural: str | None
    comments: list[str]

    @property
    def key(self) -> Key:
        """What a catalogue finds it by."""
        return self.context, self.singular


def holes(text: str) -> tuple[list[str], int]:
    """The places a translation must keep: the named ones, and how many plain ones."""
    return sorted(match.group(0) for match in NAMED.finditer(text)), len(PLAIN.findall(text))


def sources(root: Path) -> Iterator[Path]:
    """Python files and templates of our packages."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            parts = set(path.relative_to(root).parts)
            if path.suffix in SUFFIXES and not SKIP & parts and not path.name.startswith("."):
                yield path


def _message(func: str, args: Sequence[Any] | str, comments: list[str]) -> Message | None:
    texts = [args] if isinstance(args, str) else list(args)
    context = texts.pop(0) if func.startswith(("pgettext", "npgettext")) else None
    if not texts or not texts[0]:
        return None
    plural = texts[1] if func.startswith(("ngettext", "npgettext")) else None
    return Message(context, texts[0], plural, comments)


def extract(root: Path) -> Iterator[Message]:
    """Every text in the source.

    Raises:
        CommandError: a file that does not parse.
    """
    for path in sources(root):
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            # Django's own tokeniser turns a template into Python-like gettext calls.
            text = templatize(text, origin=str(path))
        try:
            found = list(extract_python(io.BytesIO(text.encode()), KEYWORDS, ["Translators:"], {}))
        except (SyntaxError, IndentationError) as error:
            raise CommandError(f"{path}: {error}") from error
        for _line, func, args, comments in found:
            if message := _message(str(func), args or "", [str(line) for line in comments or ()]):
                yield message


def _gather(root: Path) -> dict[Key, Message]:
    wanted: dict[Key, Message] = {}
    for message in extract(root):
        old = wanted.get(message.key)
        wanted[message.key] = message if old is None else message._replace(
            plural=message.plural or old.plural, comments=message.comments or old.comments
        )  # fmt: skip
    return wanted


def _merge(po: polib.POFile, wanted: dict[Key, Message]) -> int:
    """Bring a catalogue up to date; returns how many texts are new to it."""
    have: dict[Key, polib.POEntry] = {(e.msgctxt, e.msgid): e for e in po}
    new = 0
    for key, entry in have.items():
        entry.obsolete = key not in wanted
    for key, message in wanted.items():
        if key not in have:
            have[key] = polib.POEntry(msgctxt=message.context, msgid=message.singular, msgstr="")
            po.append(have[key])
            new += 1
        entry = have[key]
        if message.plural and entry.msgid_plural != message.plural:
            first = entry.msgstr
            entry.msgid_plural, entry.msgstr = message.plural, ""
            entry.msgstr_plural = {0: entry.msgstr_plural.get(0) or first}
        entry.comment = "\n".join(message.comments)
        if PLAIN.search(message.singular) or NAMED.search(message.singular):
            entry.flags = ["python-format"] if "%" in message.singular else []
    po.metadata_is_fuzzy = False  # makemessages leaves this on; pybabel then skips the file
    po[:] = sorted(po, key=lambda e: (e.obsolete, e.msgctxt or "", e.msgid))
    return new


def _faults(language: str, po: polib.POFile, wanted: dict[Key, Message]) -> Iterator[str]:
    live = {(e.msgctxt, e.msgid): e for e in po if not e.obsolete}
    for _context, text in sorted(set(wanted) - set(live), key=str):
        yield f"{language}: not in catalogue: {text!r}"
    for entry in live.values():
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if entry.fuzzy or not texts or not all(texts):
            yield f"{language}: untranslated: {entry.msgid!r}"
            continue
        allowed = (holes(entry.msgid), holes(entry.msgid_plural or entry.msgid))
        for text in texts:
            if holes(text) not in allowed:
                yield f"{language}: placeholders differ: {entry.msgid!r} -> {text!r}"


class Command(BaseCommand):
    """Keep the Chinese catalogues complete."""

    help = (
        "update: source and templates -> locale/<L>/LC_MESSAGES/django.po. "
        "check: fail unless every language is complete and well formed. "
        "compile: .po -> .mo (run at set-up; .mo files are not committed)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One word: what to do."""
        parser.add_argument("action", choices=["update", "check", "compile"])

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the action."""
        # Not named `check`: that would override BaseCommand.check, and every run would do it.
        getattr(self, f"do_{options['action']}")()

    def catalogues(self) -> dict[str, Path]:
        """Language folder -> its catalogue."""
        root = Path(settings.LOCALE_PATHS[0])
        return {p.parent.parent.name: p for p in sorted(root.glob("*/LC_MESSAGES/django.po"))}

    def begin_missing(self) -> None:
        """Start a catalogue for each language that has none (English needs none)."""
        for code, _name in settings.LANGUAGES:
            folder = Path(settings.LOCALE_PATHS[0]) / to_locale(code) / "LC_MESSAGES"
            if code.startswith("en") or (folder / "django.po").exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            po = polib.POFile(wrapwidth=0)
            po.metadata = {
                "Language": to_locale(code),
                "MIME-Version": "1.0",
                "Content-Type": "text/plain; charset=UTF-8",
                "Content-Transfer-Encoding": "8bit",
                "Plural-Forms": "nplurals=1; plural=0;",
            }
            po.save(str(folder / "django.po"))

    def do_update(self) -> None:
        """Merge what the source says into each catalogue."""
        self.begin_missing()
        wanted = _gather(Path(settings.BASE_DIR))
        for language, path in self.catalogues().items():
            po = polib.pofile(str(path), wrapwidth=0)
            new = _merge(po, wanted)
            po.save(str(path))
            self.stdout.write(f"{language}: {len(wanted)} messages, {new} new")

    def do_check(self) -> None:
        """Fail on missing, empty or fuzzy texts and on differing placeholders."""
        wanted = _gather(Path(settings.BASE_DIR))
        faults = [
            fault
            for language, path in self.catalogues().items()
            for fault in _faults(language, polib.pofile(str(path)), wanted)
        ]
        if faults:
            raise CommandError("\n".join(faults))
        self.stdout.write(f"complete: {', '.join(self.catalogues())} ({len(wanted)} messages)")

    def do_compile(self) -> None:
        """Write the binary catalogues that Django reads."""
        for language, path in self.catalogues().items():
            po = polib.pofile(str(path))
            po.save_as_mofile(str(path.with_suffix(".mo")))
            self.stdout.write(f"{language}: {po.percent_translated()}%")
