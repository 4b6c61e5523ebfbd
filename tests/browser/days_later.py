"""Does what billing's and the companies' clocks do on later days: `… days_later 31 34`."""

import datetime as dt
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")

import django

django.setup()

from django.utils import timezone  # noqa: E402

from billing import clock  # noqa: E402
from tenants.lifecycle import clock as lifecycle  # noqa: E402

now = timezone.now()
for days in sys.argv[1:]:
    moment = now + dt.timedelta(days=float(days))
    clock.run(at=moment)
    lifecycle.run(at=moment)
