"""`crm demo`: the whole service on this machine, from nothing to addresses you can open."""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyotp

from crm_platform.ops import demo_check, embedded, places, processes
from crm_platform.ops.console import complain, say, step
from crm_platform.ops.environment import EMBEDDED, Environment, read_environment
from crm_platform.ops.runner import Announcer, Program, run_together

USUAL_PORT = 8000
LOOPBACK = "127.0.0.1"
SHOWN_OF_A_LOG = 40
ROOT_IS_MEANT = "ignore:You're running the worker with superuser privileges"
"""The demo may run as root (in a container, say); production's image does not."""


class DemoRefused(Exception):
    """The demo cannot start: `str(error)` is a sentence that says what to do."""


def main(arguments: Sequence[str]) -> int:
    """Run the demo until Ctrl-C, or check it; gives the exit status."""
    options = _options(arguments)
    began = time.monotonic()
    if os.environ.get("RAPPORT_ENV", EMBEDDED) != EMBEDDED:
        complain("crm demo is for a machine of your own: unset RAPPORT_ENV to run it.")
        return 2
    data_dir = places.data_dir(os.environ)
    try:
        if options.code:
            say(code_of_now(data_dir))
            return 0
        port = _port(options)
        if options.reset and not _reset(data_dir, sure=options.yes):
            return 1
        with _ended_by_sigterm():
            run = check if options.check else serve
            return run(data_dir, port, began=began)
    except (DemoRefused, embedded.EmbeddedError) as error:
        complain(str(error))
        return 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="crm demo", description=__doc__)
    parser.add_argument("--port", type=int, help="port of the pages (8000; --check: a free one)")
    parser.add_argument("--check", action="store_true", help="look at every page, then stop")
    parser.add_argument("--code", action="store_true", help="print the operator's code of now")
    parser.add_argument("--reset", action="store_true", help="delete the demo's data first")
    parser.add_argument("--yes", action="store_true", help="do not ask before --reset")
    return parser.parse_args(arguments)


def _port(options: argparse.Namespace) -> int:
    if options.port is None and options.check:
        with socket.create_server((LOOPBACK, 0)) as free:
            return int(free.getsockname()[1])
    port = int(options.port or USUAL_PORT)
    refuse_used_port(port)
    return port


def refuse_used_port(port: int) -> None:
    """Raises DemoRefused, naming the port, when another program serves on it."""
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError as error:
        raise DemoRefused(
            f"Port {port} on {LOOPBACK} cannot be used ({error.strerror}): stop the program that "
            f"has it, or choose another one, as in: crm demo --port {port % 65535 + 1}"
        ) from error


def code_of_now(data_dir: Path) -> str:
    """What an authenticator app with the demo operator's key shows now.

    Raises:
        DemoRefused: the demo was never made here.
    """
    path = data_dir / "sign-ins.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else []
    for entry in known:
        if entry.get("second_factor"):
            return str(pyotp.TOTP(entry["second_factor"]).now())
    raise DemoRefused("There is no demo operator here yet: run crm demo first.")


def _reset(data_dir: Path, *, sure: bool) -> bool:
    if not sure:
        say(f"This deletes every company, file and password of the demo in {data_dir}.")
        if input("Type yes to delete them: ").strip().lower() != "yes":
            say("Nothing was deleted.")
            return False
    with step("Deleting the demo's data"):
        embedded.reset(data_dir)
    return True


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end us the way Ctrl-C does, so that every `finally` runs."""

    def leave(_number: int, _frame: object) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def serve(data_dir: Path, port: int, *, began: float) -> int:
    """Serve until Ctrl-C, SIGTERM or the end of one of the programs; gives the exit status."""
    with _prepared(data_dir, port) as (environment, sign_ins):
        printer = Announcer(
            sys.stdout,
            when=processes.READY,
            announce=lambda: announcement(environment, sign_ins, time.monotonic() - began),
        )
        status = run_together(programs(data_dir, port), printer=printer)
    say("Everything has stopped." if not embedded.is_running(data_dir) else "Stopped.")
    return 0 if status in (130, 143) else status


def check(data_dir: Path, port: int, *, began: float) -> int:
    """Serve, look at every page, stop; the log is shown only when something is wrong."""
    with _prepared(data_dir, port):
        say("  Looking at the pages …")
        log, result = data_dir / "logs" / "demo-check.log", data_dir / f"demo-check-{port}.json"
        result.unlink(missing_ok=True)
        checker = Program("check", demo_check.command(port, result))
        with log.open("w", encoding="utf-8") as output:
            run_together([*programs(data_dir, port), checker], printer=Announcer(output))
        outcome = demo_check.read_outcome(result)
        result.unlink(missing_ok=True)
    if outcome.failures or not outcome.pages:
        say("\n".join(log.read_text("utf-8").splitlines()[-SHOWN_OF_A_LOG:]))
        for failure in outcome.failures or ["The pages were never served; the log is above."]:
            complain(failure)
        return 1
    say(f"demo ok: {outcome.pages} pages, {time.monotonic() - began:.1f} s")
    return 0


@contextlib.contextmanager
def _prepared(data_dir: Path, port: int) -> Iterator[tuple[Environment, list[dict[str, str]]]]:
    """Servers that run and companies that exist, for the length of a block."""
    say(f"Rapport demo, data in {data_dir}")
    try:
        with step("Starting PostgreSQL and Redis"):
            servers = embedded.start(data_dir)
        os.environ.update(servers.variables(), PUBLIC_PORT=str(port), PUBLIC_SCHEME="http")
        sign_ins = _remember(data_dir, prepare())
        yield read_environment(os.environ), sign_ins
    finally:
        embedded.release(data_dir)


def prepare() -> list[dict[str, str]]:
    """Run the steps in a process of their own, telling each one; gives the sign-ins they made.

    Raises:
        DemoRefused: a step failed; its own words are on stderr.
    """
    command = [sys.executable, "-m", "crm_platform.ops.demo_steps"]
    sign_ins: list[dict[str, str]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        assert child.stdout is not None
        try:
            for line in child.stdout:
                _tell(line, sign_ins)
        except BaseException:
            child.terminate()
            raise
    if child.returncode != 0:
        raise DemoRefused("The demo could not be prepared; the reason is above.")
    return sign_ins


def _tell(line: str, sign_ins: list[dict[str, str]]) -> None:
    """Show one event of the steps (a line that is none is shown as it is)."""
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:
        say(line.rstrip())
        return
    if "step" in event:
        sys.stdout.write(f"  {event['step']} … ")
        sys.stdout.flush()
    elif "took" in event:
        say(f"{event['took']:.1f} s")
    elif "sign_in" in event:
        sign_ins.append(event["sign_in"])


def _remember(data_dir: Path, told: list[dict[str, str]]) -> list[dict[str, str]]:
    """Keep the first passwords for the next start, when nobody tells them any more."""
    path = data_dir / "sign-ins.json"
    kept: list[dict[str, str]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    known = {(entry["url"].rsplit(":", 1)[0], entry["email"]): entry for entry in kept}
    for entry in told:
        before = known.get((entry["url"].rsplit(":", 1)[0], entry["email"]), {})
        for secret in ("password", "second_factor"):
            entry[secret] = entry.get(secret) or before.get(secret, "")
    path.touch(mode=0o600)
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    return told


def programs(data_dir: Path, port: int) -> list[Program]:
    """Web, workers and clock; the clock's notes lie with the sockets, as they are worth nothing."""
    schedule = places.runtime_dir(data_dir) / f"beat-{port}"
    settings = {
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "crm_platform.settings")
    }
    serving = {"RAPPORT_BIND": f"{LOOPBACK}:{port}", "RAPPORT_GRACEFUL_SECONDS": "4", **settings}
    worker = [*processes.worker_command(), "--concurrency", "1"]
    long_worker = [*processes.long_worker_command(), "--concurrency", "1"]
    return [
        Program("web", processes.web_command(), serving),
        Program("worker", worker, {**settings, "PYTHONWARNINGS": ROOT_IS_MEANT}),
        Program("long", long_worker, {**settings, "PYTHONWARNINGS": ROOT_IS_MEANT}),
        Program("beat", [*processes.beat_command(), "--schedule", str(schedule)], settings),
    ]


def announcement(
    environment: Environment, sign_ins: Sequence[dict[str, str]], seconds: float
) -> str:
    """What a person needs once the pages are served: addresses, names, first passwords."""
    lines = ["", f"  Rapport is ready ({seconds:.1f} s). Sign up a company of your own at"]
    lines += [f"    {environment.address_of(environment.base_domain)}", ""]
    for entry in sign_ins:
        lines.append(f"  {entry['company'] or 'Operators'}: {entry['url']}")
        password = entry["password"] or "(the one you chose)"
        lines.append(f"    sign in as {entry['email']}   first password {password}")
        if entry.get("second_factor"):
            lines.append(f"    second step: add the key {entry['second_factor']} to an")
            lines.append(
                "    authenticator app, or ask for the code of the moment: crm demo --code"
            )
    lines += ["", "  Ctrl-C stops everything; the data stays.", "", ""]
    return "\n".join(lines)
