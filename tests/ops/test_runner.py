"""Programs under one roof: readable lines, and no process left behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ops import surroundings

ROOF = """
import sys
from honcho import manager
manager.KILL_WAIT = 1
from crm_platform.ops.runner import Announcer, Program, run_together
programs = [Program(f"p{n}", [sys.executable, "-c", code]) for n, code in enumerate(sys.argv[1:])]
printer = Announcer(sys.stdout, when="ready", announce=lambda: "ADDRESSES\\n")
sys.exit(run_together(programs, printer=printer))
"""
POLITE = "import os, signal; print('pid', os.getpid()); signal.pause()"
STUBBORN = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    signal.pause()
print('pid', os.getpid())
signal.pause()
"""


def under_one_roof(*programs):
    command = [sys.executable, "-c", ROOF, *programs]
    return subprocess.Popen(
        command,
        env=surroundings.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def pids_said(roof, count):
    """Read the runner's output until `count` programs have told their process id."""
    found = []
    for line in roof.stdout:
        if "| pid " in line:
            found.append(int(line.rsplit(" ", 1)[1]))
        if len(found) == count:
            return found
    raise AssertionError(f"the runner ended after {found}")


def is_group_alive(group):
    """Whether a process of the group still runs (a zombie that nobody reaps yet does not)."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = status.read_text().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state != "Z":
            return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_program(number):
    with under_one_roof(POLITE, POLITE) as roof:
        pids = pids_said(roof, 2)

        roof.send_signal(number)
        roof.communicate()

    assert roof.returncode == 128 + number
    assert not any(is_group_alive(pid) for pid in pids)


def test_one_program_s_end_ends_the_others_and_gives_the_status():
    with under_one_roof(POLITE, "import sys; sys.exit(3)") as roof:
        roof.communicate()

    assert roof.returncode == 3


def test_lines_carry_their_program_s_name_and_the_announcement_comes_once():
    with under_one_roof("print('ready'); print('ready')") as roof:
        lines = roof.communicate()[0].splitlines()

    assert any(line.endswith("| ready") and " p0 " in line for line in lines)
    assert lines.count("ADDRESSES") == 1


@pytest.mark.slow
def test_a_program_that_does_not_listen_is_killed_with_its_children():
    with under_one_roof(STUBBORN, POLITE) as roof:
        pids = pids_said(roof, 2)

        roof.terminate()
        roof.communicate()

    assert not any(is_group_alive(pid) for pid in pids)
