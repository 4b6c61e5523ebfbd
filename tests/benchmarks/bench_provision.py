"""A company from the pool, from the script, from django-tenants' migrations and from its clone."""

import argparse
import json
import statistics
import sys

from tests.benchmarks import fleets
from tests.benchmarks.fleets import Peer, say

FEW = 100
WARM = 5
"""Turns left out: the first to write to an index page after a checkpoint writes the page whole."""


def in_turn(act: str, few: Peer, many: Peer, count: int) -> tuple[float, float]:
    """Medians of `act` among few and among many schemas."""
    times = [(few.ask(act), many.ask(act)) for _turn in range(WARM + count)][WARM:]
    return statistics.median(t for t, _ in times), statistics.median(t for _, t in times)


def measured(options: argparse.Namespace) -> tuple[tuple[float, float], tuple[float, float]]:
    """The assignment and the script, each among few schemas and among many."""
    with (
        fleets.beside("tests.benchmarks.among", "few", str(FEW)) as few,
        fleets.beside("tests.benchmarks.among", "many", str(options.many)) as many,
    ):
        say(f"servers with {FEW} and {options.many} schemas …")
        few.hear()
        many.hear()
        return in_turn("assign", few, many, 20), in_turn("make", few, many, 40)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=1000, help="schemas on the second server")
    parser.add_argument("--rivals", type=int, default=5)
    options = parser.parse_args()
    (assignment, late_assignment), (script, late) = measured(options)
    superuser = fleets.begin()
    fleets.rest()
    from django.utils import timezone

    from tenants.upgrades import building

    release = building.build_release(version="bench", at=timezone.now())

    def rivals_ms(act: str, **extra: str) -> float:
        return statistics.median(fleets.rival(superuser, act, options.rivals, **extra)) * 1000

    say("django-tenants: migrations, clone …")
    fleets.rival(superuser, "prepare", 0)
    migrations = rivals_ms("make")
    fleets.rival(superuser, "base", 1)
    clone = rivals_ms("clone", RIVAL_CLONES="1")
    say(f"django-tenants: migrations among {options.many} …")
    fleets.crowd(superuser, options.many, release.script)
    fleets.settle(superuser, "rival")
    late_migrations = rivals_ms("make")
    fleets.end(superuser)
    result = {
        "assignment_db_ms": round(assignment, 2), "script_ms": round(script, 1),
        "migrations_ms": round(migrations), "clone_ms": round(clone),
        "many": options.many, "assignment_db_ms_at_many": round(late_assignment, 2),
        "script_ms_at_many": round(late, 1), "migrations_ms_at_many": round(late_migrations),
        "migrations_to_assignment": round(migrations / assignment),
        "migrations_to_assignment_at_many": round(late_migrations / late_assignment),
        "migrations_to_script": round(migrations / script, 1),
        "clone_to_script": round(clone / script, 1), "growth": round(late / script, 2),
    }  # fmt: skip
    targets = {
        "assignment ≤ 5 ms": max(assignment, late_assignment) <= 5,
        "≥ 1000 × migrations at many": late_migrations / late_assignment >= 1000,
        "script ≥ 12 ×": migrations / script >= 12, "≥ 4 × the clone": clone / script >= 4,
        "growth ≤ 1.3": late / script <= 1.3,
    }  # fmt: skip
    missed = [name for name, met in targets.items() if not met]
    sys.stdout.write(
        json.dumps({"name": "provision", "ok": not missed, **result, "missed": missed},
                   ensure_ascii=False) + "\n"
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
