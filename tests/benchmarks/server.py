"""A production web server on loopback for benchmarks, and what it costs by /proc."""

import http.client
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn: its port, its process, its environment, what `before` gave."""

    port: int
    pid: int
    environment: dict[str, str]
    prepared: str = ""

    def workers(self) -> list[int]:
        return children_of(self.pid)


@contextmanager
def web_server(
    environment: dict[str, str],
    *,
    workers: int = 2,
    before: Callable[[dict[str, str]], str] | None = None,
    quiet: bool = False,
) -> Iterator[Server]:
    """Start gunicorn as `crm web` does; stop it at the end. `before` runs in its environment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    variables = {
        **os.environ,
        **environment,
        "RAPPORT_BIND": f"127.0.0.1:{port}",
        "RAPPORT_WEB_WORKERS": str(workers),
        "LOG_LEVEL": "ERROR",
        "PUBLIC_PORT": str(port),
    }
    prepared = before(variables) if before else ""
    process = subprocess.Popen(
        [sys.executable, "-m", "crm_platform", "web"],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if quiet else None,
    )
    try:
        _wait_for(process, port)
        yield Server(port, process.pid, variables, prepared)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Return once the port answers; raise when the server gave up."""
    for _attempt in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
        except OSError:
            if process.poll() is not None:
                raise RuntimeError("The web server did not start.") from None
            select.select([], [], [], 0.1)
        else:
            return
    raise RuntimeError("The web server did not answer within a minute.")


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def tree_of(pid: int) -> list[int]:
    """A process and everything below it."""
    return [pid, *[each for child in children_of(pid) for each in tree_of(child)]]


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of these processes until now."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except FileNotFoundError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def pss_mb(pids: list[int]) -> float:
    """Proportional memory of these processes, in MB."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return round(total / 1024, 1)


class Browser:
    """One kept-alive HTTP connection, signed in."""

    def __init__(
        self, port: int, host: str, cookies: str, headers: dict[str, str] | None = None
    ) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {
            "Host": host,
            "Cookie": cookies,
            "Accept-Encoding": "identity",
            **(headers or {}),
        }

    def get(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def post(
        self, path: str, body: str, content_type: str = "application/x-www-form-urlencoded"
    ) -> tuple[int, bytes]:
        self._connection.request(
            "POST",
            path,
            body=body.encode(),
            headers={**self._headers, "Content-Type": content_type},
        )
        response = self._connection.getresponse()
        return response.status, response.read()
