"""A process that upgrades, tries or makes spares in children, one a line, for a test to kill.

Its first word is the module of migrations to come; with `big` after it every table counts as big.
"""

import os
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from tenants import provisioning  # noqa: E402
from tenants.upgrades import applying, preflights, running, settling, spares  # noqa: E402

settings.MIGRATION_MODULES = {"records": sys.argv[1]}
if "big" in sys.argv:
    settling.BIG_TABLE_ROWS = -1
provisioning.company_migrations()
applying._graph()
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            if line.strip() == "spares":
                spares.refill(at=timezone.now())
            elif line.strip() == "check":
                for preflight_id in preflights.waiting_ids():
                    preflights.run(preflight_id=preflight_id, clock=timezone.now)
            else:
                running.work(version=line.strip(), clock=timezone.now, any_hour=True)
        finally:
            os._exit(0)
    print(child, flush=True)  # noqa: T201  talks to the test
    os.waitpid(child, 0)
    print("ended", flush=True)  # noqa: T201
