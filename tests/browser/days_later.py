"""Does what the clocks do for one company on later days: `… days_later pier 31 34`.

For one alone: the others' bills would fall due too, and other tests use them.
"""

import datetime as dt
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")

import django

django.setup()

from django.utils import timezone  # noqa: E402

from billing import access  # noqa: E402
from billing.models import Invoice, Subscription  # noqa: E402
from crm_platform.kernel import tenancy  # noqa: E402
from tenants.lifecycle import clock as lifecycle  # noqa: E402

slug, *later = sys.argv[1:]
now = timezone.now()
for days in later:
    moment = now + dt.timedelta(days=float(days))
    with tenancy.unit_of_work(tenancy.PLATFORM):
        live = Subscription.objects.select_related("account").get(
            account__company__slug=slug, ended_at=None
        )
        open_ones = live.account.invoices.filter(state=Invoice.State.OPEN, due_at__lte=moment)
        if open_ones.exists():
            access.follow(live, at=moment)
    lifecycle.tick(company_id=live.account.company_id, at=moment)
