"""What the demo does between "the servers answer" and "the pages are served".

Runs in a process of its own, so that the runner stays small and holds no connection. It writes one
JSON object a line: {"step"}, {"took"}, {"sign_in": {company, url, email, password,
second_factor}}.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

SIGN_IN_KEYS = ("company", "url", "email", "password", "second_factor")


@dataclass(frozen=True, slots=True)
class Step:
    """One Django command, with the words a person reads while it runs."""

    label: str
    command: str
    arguments: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    is_needed: Callable[[], bool] = lambda: True
    tells_sign_ins: bool = False


def steps() -> list[Step]:
    """The steps in their order; each is safe to run again."""
    return [
        Step("Compiling the translations", "i18n", ("compile",), is_needed=_are_translations_stale),
        Step(
            "Collecting styles and scripts",
            "collectstatic",
            options={"interactive": False, "verbosity": 0},
            is_needed=_are_static_files_stale,
        ),
        Step("Preparing the platform's tables", "migrate_platform"),
        Step("Preparing the companies' tables", "release", ("up",)),
        Step("Making the demo companies", "make_demo_companies", tells_sign_ins=True),
        Step("Making the operators' sign-in", "make_demo_operator", tells_sign_ins=True),
    ]


def main(_arguments: Sequence[str] = ()) -> int:
    """Run every step that is needed; an exception ends it, with its traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")
    django.setup()
    for step in steps():
        run(step)
    return 0


def run(step: Step) -> None:
    """Run one step and write what happened."""
    if not step.is_needed():
        return
    _write(step=step.label)
    began, output = time.monotonic(), io.StringIO()
    call_command(step.command, *step.arguments, stdout=output, **step.options)
    _write(took=round(time.monotonic() - began, 1))
    if step.tells_sign_ins:
        for sign_in in sign_ins_in(output.getvalue()):
            _write(sign_in=sign_in)


def sign_ins_in(output: str) -> Iterator[dict[str, str]]:
    """The sign-ins among the lines a command wrote; other lines are for people."""
    for line in output.splitlines():
        if not line.startswith("{"):
            continue
        found = json.loads(line)
        if isinstance(found, dict) and "email" in found:
            yield {key: str(found.get(key) or "") for key in SIGN_IN_KEYS}


def _write(**event: Any) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _are_translations_stale() -> bool:
    """Whether a catalogue is newer than its compiled form (a wheel brings only compiled ones)."""
    sources = [path for place in settings.LOCALE_PATHS for path in Path(place).rglob("*.po")]
    return any(_newest([source]) > _newest([source.with_suffix(".mo")]) for source in sources)


def _are_static_files_stale() -> bool:
    """Whether a source is newer than the manifest that collecting writes last."""
    collected = _newest([Path(settings.STATIC_ROOT) / "staticfiles.json"])
    if not collected:
        return True
    sources = (
        Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list([])
    )
    return _newest(sources) > collected


def _newest(paths: Any) -> float:
    """The latest change among `paths`; 0 where none exists."""
    return max((path.stat().st_mtime for path in paths if path.exists()), default=0.0)


if __name__ == "__main__":
    sys.exit(main())
