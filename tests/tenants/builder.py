"""A process that builds companies in children, one a line of input, for a test to kill."""

import os
import sys
from uuid import UUID

import django

django.setup()

from django.utils import timezone  # noqa: E402

from tenants import provisioning, services  # noqa: E402

provisioning.company_migrations()
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            services.build(company_id=UUID(line.strip()), at=timezone.now())
        finally:
            os._exit(0)
    print(child, flush=True)  # noqa: T201  talks to the test
    os.waitpid(child, 0)
    print("ended", flush=True)  # noqa: T201
