"""People at work in many companies over HTTP: `… clients PORT PACE`, targets on the first line.

A target is [host, cookies, csrf]. One person a company asks for a page every PACE seconds, turn
about the list, the board and a new contact, until the input ends; then every request is printed
as [company, when (epoch seconds), milliseconds, status], a JSON list in all.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.fleets import ROOT
from tests.benchmarks.server import Browser

Target = tuple[str, str, str]


@dataclass(slots=True)
class Seen:
    """What the clients saw, once the block has ended."""

    rows: list[tuple[int, float, float, int]] = field(default_factory=list)

    @property
    def errors(self) -> int:
        return sum(1 for row in self.rows if row[3] not in (200, 302))

    def times_ms(self, *, of: set[int]) -> list[float]:
        """Milliseconds of each request of these companies, sorted."""
        return sorted(row[2] for row in self.rows if row[0] in of)


def quantile(sorted_times: Sequence[float], share: float) -> float:
    return sorted_times[min(int(len(sorted_times) * share), len(sorted_times) - 1)]


@contextmanager
def at_work(port: int, targets: Sequence[Target], *, pace: float) -> Iterator[Seen]:
    """Clients in a process of their own for as long as the block lasts."""
    seen = Seen()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.clients", str(port), str(pace)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(list(targets)) + "\n")
    process.stdin.flush()
    process.stdout.readline()
    yield seen
    seen.rows += json.loads(process.communicate()[0])


def main() -> None:
    port, pace = int(sys.argv[1]), float(sys.argv[2])
    targets: list[Target] = json.loads(sys.stdin.readline())
    is_over = threading.Event()
    rows: list[Any] = []

    def person(number: int) -> None:
        host, cookies, csrf = targets[number]
        browser = Browser(port, host, cookies)
        turn = number  # not everybody asks for the same page at the same moment
        due = time.perf_counter() + pace * number / len(targets)
        while not is_over.wait(max(due - time.perf_counter(), 0)):
            began = time.perf_counter()
            status = _ask(browser, turn, csrf)
            rows.append((number, time.time(), (time.perf_counter() - began) * 1000, status))
            turn, due = turn + 1, max(due + pace, time.perf_counter())

    people = [
        threading.Thread(target=person, args=(n,))  # noqa: TID251  only speaks HTTP
        for n in range(len(targets))
    ]
    for each in people:
        each.start()
    print("at work", flush=True)  # noqa: T201  talks to the benchmark
    sys.stdin.read()
    is_over.set()
    for each in people:
        each.join()
    sys.stdout.write(json.dumps(rows))


def _ask(browser: Browser, turn: int, csrf: str) -> int:
    if turn % 3 == 2:
        body = f"csrfmiddlewaretoken={csrf}&short=1&name=Person+{turn}&email=p{turn}@example.com"
        return browser.post("/contacts/new/", body)[0]
    return browser.get("/deals/board/" if turn % 3 else "/contacts/")[0]


if __name__ == "__main__":
    main()
