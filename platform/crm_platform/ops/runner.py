"""Runs several programs under one roof: prefixed lines, and an end that leaves nothing behind."""

import functools
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Popen, Process

LAST_WORD_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Program:
    """One program to run: `command` without a shell, `variables` added to our own."""

    name: str
    command: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)


class _Process(Process):
    """A process started without a shell, so that the signal reaches the program itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = functools.partial(Popen, shell=False, stdin=-3)  # DEVNULL


class _Signals:
    """Asks the leader of a program to end, and kills its whole group when it does not.

    Honcho asks the group at once; then a worker's children die in the middle of a task, instead of
    finishing it as their parent would have told them.
    """

    def terminate(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


class _Runner(Manager):
    def __init__(self, printer: Printer) -> None:
        super().__init__(printer)
        self._process_ctor = _Process
        self._procmgr = _Signals()

        self._asked_early = False

    def terminate(self) -> None:
        """As Honcho's, but a signal that comes while programs still start waits for them.

        Honcho kills what is left some seconds after the first program ended; the alarm does the
        same when none of them ends.
        """
        if self._terminating:
            return
        if not super()._all_started():
            self._asked_early = True
            return
        signal.signal(signal.SIGALRM, lambda _number, _frame: self.kill())
        signal.alarm(LAST_WORD_SECONDS)
        super().terminate()

    def _all_started(self) -> bool:
        started = bool(super()._all_started())
        if started and self._asked_early:
            self._asked_early = False
            self.terminate()
        return started

    def sweep(self) -> None:
        """Kill what a program left behind in its process group (nothing, when it ended well)."""
        signal.alarm(0)
        for program in self._processes.values():
            self._procmgr.kill(program["pid"])
            program["process"].join()


class Announcer(Printer):
    """Prints what programs say, and what `announce` gives once a line contains `when`."""

    def __init__(
        self, output: IO[str], *, when: str = "", announce: Callable[[], str] | None = None
    ) -> None:
        super().__init__(output=output)
        self._when, self._announce = when, announce

    def write(self, message: Message) -> None:
        super().write(message)
        text = (
            message.data
            if isinstance(message.data, str)
            else message.data.decode("utf-8", "replace")
        )
        if self._announce is not None and self._when in text:
            self.output.write(self._announce())
            self.output.flush()
            self._announce = None


def run_together(programs: Sequence[Program], *, printer: Printer | None = None) -> int:
    """Run all until one ends or a signal comes; then end the others. The first one's status.

    Children that do not end within five seconds of the first are killed with their children.
    """
    runner = _Runner(printer or Announcer(sys.stdout))
    for program in programs:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **program.variables}
        runner.add_process(program.name, list(program.command), env=environment)
    runner.loop()
    runner.sweep()
    return int(runner.returncode or 0)
