"""Making a company among so many schemas, on servers of its own: `… among 100`.

Says when they stand. Then to each line, `assign` or `make`, the milliseconds it took.
"""

import itertools
import json
import sys
import time

from tests.benchmarks import fleets

SPARES = 30


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


def assigning(number: int) -> float:
    """Database time of a sign-up's assignment: the spare, the company's row, its address."""
    from django.utils import timezone

    from tenants import services

    owner = services.NewOwner(name="Ann", email="ann@example.com", password_hash="!")
    return database_ms(
        lambda: services.request_company(
            name="Firma", slug=f"bench-{number}", owner=owner, language="en", time_zone="UTC",
            currency="USD", at=timezone.now(),
        )
    )  # fmt: skip


def making(script: str) -> float:
    """The release's script, as a person at the door would wait for it."""
    from tenants import provisioning

    name = provisioning.new_schema_name()
    began = time.perf_counter()
    provisioning.build_schema(name, script=script)
    return (time.perf_counter() - began) * 1000


def tell(found: float) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def main() -> None:
    superuser = fleets.begin()
    fleets.rest()
    from django.utils import timezone

    from tenants.upgrades import building

    script = building.build_release(version="bench", at=timezone.now()).script
    schemas = int(sys.argv[1])
    fill_to(schemas - SPARES, script)
    fill_pool(SPARES)
    fleets.settle(superuser)
    tell(schemas)
    numbers = itertools.count()
    for line in sys.stdin:
        tell(making(script) if line.strip() == "make" else assigning(next(numbers)))
    fleets.end(superuser)


if __name__ == "__main__":
    main()
