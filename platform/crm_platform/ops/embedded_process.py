"""One embedded server as a process: started detached, proven alive by a lock, stopped by signals.

A server inherits an open, locked file. The kernel keeps that lock exactly as long as one process of
the server lives, so "is it running?" needs no trust in a process id that somebody else may have
by now: a pid file without the lock is stale.
"""

import fcntl
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from crm_platform.ops.places import EmbeddedError

TICK_SECONDS = 0.01
_ours: dict[int, subprocess.Popen[bytes]] = {}
"""Servers that are children of this process, by pid: whoever starts them must reap them."""


@contextmanager
def exclusively(lock: Path) -> Iterator[None]:
    """Wait for our turn among all processes that start or stop servers of one data folder."""
    with lock.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def is_locked(lock: Path) -> bool:
    """Whether another open file holds `lock` exclusively, which here means: the server lives."""
    if not lock.exists():
        return False
    with lock.open("ab") as stream:
        return not _try_lock(stream)


def _try_lock(stream: IO[bytes]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start_detached(
    command: Sequence[str | Path],
    *,
    lock: Path,
    log: Path,
    account: pwd.struct_passwd | None,
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own (Ctrl-C does not reach it), holding `lock`.

    Raises:
        EmbeddedError: the lock is held, so that a server of this folder is running already.
    """
    with lock.open("ab") as held, log.open("ab") as output:
        if not _try_lock(held):
            raise EmbeddedError(f"{lock} is held by a running server.")
        child = subprocess.Popen(  # noqa: S603  our own command, no shell
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(held.fileno(),),
            cwd="/",
            env=server_variables(variables),
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
    _ours[child.pid] = child
    return child


def run_as(
    command: Sequence[str | Path], *, account: pwd.struct_passwd | None
) -> subprocess.CompletedProcess[str]:
    """Run a short command of a server's own (initdb) to its end; never raises for its result."""
    return subprocess.run(  # noqa: S603  our own command, no shell
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=server_variables(None),
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


def server_variables(more: Mapping[str, str] | None) -> dict[str, str]:
    """A server's environment: nothing of ours (PGPORT, PGDATA and secrets must not reach it)."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **(more or {})}


def wait_until(ready: Callable[[], bool], *, seconds: float) -> bool:
    """Ask `ready` every few milliseconds until it says yes or `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(TICK_SECONDS)
    return True


def settles(lock: Path, answers: Callable[[], bool], *, seconds: float = 60.0) -> bool:
    """Whether a server runs and answers; waits for one that is starting, or dying of a crash.

    Raises:
        EmbeddedError: it holds its lock all the time and never answers.
    """
    if not wait_until(lambda: not is_locked(lock) or answers(), seconds=seconds):
        raise EmbeddedError(f"The server of {lock} runs and does not answer: stop it, then retry.")
    return is_locked(lock)


def has_ended(lock: Path, pid: int | None) -> bool:
    """Whether every process of the server is gone; reaps the one that is our child."""
    child = _ours.get(pid) if pid else None
    if child is not None and child.poll() is None:
        return False
    return not is_locked(lock)


def stop(lock: Path, pid: int | None, signals: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal in turn, with the seconds to wait for it, until the server has ended."""
    if pid is None:
        return not is_locked(lock)
    for number, seconds in signals:
        if has_ended(lock, pid):
            break
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_until(lambda: has_ended(lock, pid), seconds=seconds):
            break
    ended = has_ended(lock, pid)
    if ended:
        _ours.pop(pid, None)
    return ended


def read_pid(path: Path) -> int | None:
    """The number on a pid file's first line; None without such a file or number."""
    try:
        first = path.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdecimal() and int(first) > 1 else None


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a server's log, for the sentence that says why it did not start."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
