"""`crm demo` from nothing to pages and back to nothing, on a project of a few lines."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crm_platform.ops import embedded
from crm_platform.ops.demo_check import Visitor
from tests.ops import surroundings
from tests.ops.surroundings import ROOT

pytestmark = pytest.mark.slow


def demo(data_dir, *arguments, **more):
    variables = surroundings.variables(
        RAPPORT_DATA=str(data_dir),
        DJANGO_SETTINGS_MODULE="tests.ops.stub_project.settings",
        **more,
    )
    return subprocess.Popen(
        [sys.executable, "-m", "crm_platform", "demo", *arguments],
        env=variables,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_naming(data_dir):
    """Command lines of processes that were given the data folder, or its sockets."""
    marks = (str(data_dir).encode(), str(embedded.places.runtime_dir(data_dir)).encode())
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if int(folder.name) != os.getpid() and any(mark in said for mark in marks):
            found.append(said[:200])
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def read_until(run, mark):
    lines = []
    for line in run.stdout:
        lines.append(line)
        if mark in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


def test_demo_serves_tells_its_sign_ins_and_ends_without_a_trace(data_dir):
    port = free_port()
    with demo(data_dir, "--port", str(port)) as run:
        told = read_until(run, "Ctrl-C stops everything")
        page = Visitor("acme.localhost", port).get("/healthz")
        run.send_signal(signal.SIGINT)
        rest = run.communicate()[0]

    assert (run.returncode, page.status) == (0, 200)
    assert "Starting PostgreSQL and Redis" in told
    assert "Making the demo companies" in told
    assert f"Acme: http://acme.localhost:{port}" in told
    assert "sign in as owner@acme.test   first password first-password" in told
    assert rest.rstrip().endswith("Everything has stopped.")
    assert processes_naming(data_dir) == []


def test_demo_check_ends_with_its_line_and_without_a_trace(data_dir):
    with demo(data_dir, "--check") as run:
        told = run.communicate()[0]

    assert run.returncode == 0, told
    assert re.fullmatch(r"demo ok: 40 pages, \d+\.\d s", told.splitlines()[-1])
    assert processes_naming(data_dir) == []


def test_demo_check_names_the_page_that_is_wrong(data_dir):
    with demo(data_dir, "--check", STUB_BROKEN_PAGE="/deals/") as run:
        told = run.communicate()[0]

    assert run.returncode == 1
    assert re.search(
        r"http://acme\.localhost:\d+/deals/: expected status 200, came status 500", told
    )
    assert "demo ok" not in told
    assert processes_naming(data_dir) == []
