"""`… rival.run make|clone|upgrade|requests N`: the seconds of each, as one JSON list."""

import json
import os
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.rival.settings"
import django

django.setup()
from django.core.management import call_command  # noqa: E402

from tests.benchmarks.rival.models import Client, Domain  # noqa: E402
from tests.benchmarks.small import request_seconds  # noqa: E402


def timed(act) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def hosts_with_domains() -> list[str]:
    """A host for each tenant."""
    found = []
    for client in Client.objects.exclude(schema_name="public"):
        host = f"{client.schema_name}.testserver"
        Domain.objects.get_or_create(tenant=client, domain=host, is_primary=True)
        found.append(host)
    return found


def main() -> None:
    act, count = sys.argv[1], int(sys.argv[2])
    if act == "prepare":
        call_command("migrate_schemas", schema_name="public", verbosity=0)
        found = []
    elif act in ("make", "clone"):
        start = Client.objects.count()
        found = [
            timed(lambda n=n: Client(schema_name=f"{act}{n}", name=f"{act}{n}").save(verbosity=0))
            for n in range(start, start + count)
        ]
    elif act == "base":
        found = [timed(lambda: Client(schema_name="base", name="base").save(verbosity=0))]
    elif act == "requests":
        found = [request_seconds(hosts_with_domains(), count)]
    else:
        names = list(Client.objects.order_by("pk").values_list("schema_name", flat=True)[:count])
        found = [
            timed(lambda n=name: call_command(
                "migrate_schemas", schema_name=n, executor="standard", verbosity=0))
            for name in names
        ]  # fmt: skip
    sys.stdout.write(json.dumps(found) + "\n")


main()
