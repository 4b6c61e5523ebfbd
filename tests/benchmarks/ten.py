"""Ten companies on servers of their own: what the board costs among few, at the same moment."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.benchmarks import fleets

COUNT = 10


@dataclass(frozen=True, slots=True)
class Board:
    """Where a board stands: its host, its owner's cookies, what the web server's environment is."""

    host: str
    cookies: str
    environment: dict[str, str]


@contextmanager
def board_among_ten() -> Iterator[Board]:
    """They stand as long as the block runs."""
    with fleets.beside("tests.benchmarks.ten", "ten") as peer:
        host, cookies = peer.hear()
        yield Board(host, cookies, peer.places)


def main() -> None:
    """Make them, say host and cookies, and end with the standard input."""
    superuser = fleets.begin()
    from django.utils import timezone

    from tenants.upgrades import building
    from tests.benchmarks.bench_tenants import first_company
    from tests.benchmarks.bench_upgrade import companies

    release = building.build_release(version="b1", at=timezone.now())
    _made, scope, cookies = first_company(release)
    companies(range(1, COUNT), release)
    fleets.settle(superuser)
    sys.stdout.write(json.dumps([scope.host, cookies]) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    fleets.end(superuser)


if __name__ == "__main__":
    main()
