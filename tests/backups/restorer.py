"""A process that restores in children, one a line of input, for a test to kill."""

import os
import sys
from uuid import UUID

import django
from django.conf import settings

django.setup()

from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from tenants import provisioning  # noqa: E402
from tenants.backups import restoring, services  # noqa: E402

settings.MEDIA_ROOT, settings.BACKUP_DIR = sys.argv[1:3]
provisioning.company_migrations()
provisioning.company_script()
# A child must not speak through its parent's connection: its locks would outlive it.
connections.close_all()
for line in sys.stdin:
    what, one, slug = line.split()
    child = os.fork()
    if child == 0:
        try:
            if what == "restore":
                restoring.restore(backup_id=UUID(one), slug=slug, clock=timezone.now)
            else:
                services.run(backup_id=UUID(one), clock=timezone.now)
        finally:
            os._exit(0)
    print(child, flush=True)  # noqa: T201  talks to the test
    os.waitpid(child, 0)
    print("ended", flush=True)  # noqa: T201
