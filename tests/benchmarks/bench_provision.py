"""A company from the pool, from the script, from django-tenants' migrations and from its clone."""

import argparse
import json
import statistics
import sys
import time

from tests.benchmarks import fleets
from tests.benchmarks.fleets import say


def database_ms(act) -> float:
    """Milliseconds that PostgreSQL is asked and answers: statements, BEGIN and COMMIT of `act`."""
    from django.db import connection

    spent = 0.0

    def timed(execute, *args):
        nonlocal spent
        began = time.perf_counter()
        try:
            return execute(*args)
        finally:
            spent += time.perf_counter() - began

    begin, commit = connection._send, connection._commit
    connection._send = lambda message: timed(begin, message)
    connection._commit = lambda: timed(commit)
    try:
        with connection.execute_wrapper(timed):
            act()
    finally:
        del connection._send, connection._commit
    return spent * 1000


def median_ms(act, count: int) -> float:
    times = []
    for _turn in range(count):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def fill_to(count: int, script: str) -> None:
    """Schemas until there are `count`."""
    from crm_platform.kernel.db.owner.base import owner_connection
    from tenants import provisioning

    connection = owner_connection()
    connection.ensure_connection()
    there = connection.connection.execute(
        r"SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\_%'"
    ).fetchone()[0]
    for number in range(count - there):
        provisioning.build_schema(provisioning.new_schema_name(), script=script)
        if number % 50 == 49:
            connection.close()
            connection.ensure_connection()


def fill_pool(count: int) -> None:
    """Spares until there are `count`."""
    from django.utils import timezone

    from crm_platform.kernel import tenancy
    from tenants.upgrades import spares
    from tenants.upgrades.models import Setting

    with tenancy.unit_of_work(tenancy.PLATFORM):
        Setting.objects.update_or_create(pk=1, defaults={"spares": count})
    spares.refill(at=timezone.now(), most=count)


def assignment_ms(count: int) -> float:
    """Database time of a sign-up's assignment: the spare, the company's row, its address."""
    from django.utils import timezone

    from tenants import services

    slug = f"bench-{timezone.now():%H%M%S}"
    owner = services.NewOwner(name="Ann", email="ann@example.com", password_hash="!")

    def assign(number: int) -> None:
        services.request_company(
            name="Firma", slug=f"{slug}-{number}", owner=owner, language="en", time_zone="UTC",
            currency="USD", at=timezone.now(),
        )  # fmt: skip

    assign(10_000)
    return statistics.median(database_ms(lambda n=n: assign(n)) for n in range(count))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=1000, help="schemas at the second measuring")
    parser.add_argument("--rivals", type=int, default=5)
    options = parser.parse_args()
    superuser = fleets.begin()
    from django.utils import timezone

    from tenants import provisioning
    from tenants.upgrades import building

    release = building.build_release(version="bench", at=timezone.now())

    def make() -> None:
        provisioning.build_schema(provisioning.new_schema_name(), script=release.script)

    def measured(schemas: int) -> tuple[float, float]:
        """The assignment and the script, among so many schemas and nothing left to tidy up."""
        say(f"filling to {schemas} …")
        fill_to(schemas, release.script)
        fill_pool(21)
        fleets.settle(superuser)
        return assignment_ms(20), median_ms(make, 20)

    assignment, script = measured(100)
    say("django-tenants: migrations, clone …")
    fleets.rival(superuser, "prepare", 0)
    migrations = statistics.median(fleets.rival(superuser, "make", options.rivals)) * 1000
    fleets.rival(superuser, "base", 1)
    clone = statistics.median(
        fleets.rival(superuser, "clone", options.rivals, RIVAL_CLONES="1")
    ) * 1000  # fmt: skip
    late_assignment, late = measured(options.many)
    say(f"django-tenants: migrations among {options.many} …")
    fleets.crowd(superuser, options.many, release.script)
    fleets.settle(superuser, "rival")
    late_migrations = statistics.median(fleets.rival(superuser, "make", options.rivals)) * 1000
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
