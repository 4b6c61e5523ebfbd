"""How the `crm` command speaks: whole sentences, one a line, on the terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(line: str = "") -> None:
    """Write one line where the operator reads."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(line: str) -> None:
    """Write one line where errors are read."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def step(label: str) -> Iterator[None]:
    """Name a step, then say how long it took; a step that raises says so, and raises."""
    sys.stdout.write(f"  {label} … ")
    sys.stdout.flush()
    began = time.monotonic()
    try:
        yield
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - began:.1f} s")
