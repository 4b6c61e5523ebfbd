"""A process that makes or removes a rehearsal and is killed at a step: `… cut_off LIVE_ID STEP`."""

import os
import signal
import sys
from uuid import UUID

import django

django.setup()

from django.utils import timezone  # noqa: E402

from crm_core.web.rehearsing import fill, tables  # noqa: E402
from crm_platform.kernel import tenancy  # noqa: E402
from tenants import provisioning, rehearsal  # noqa: E402


def die(*_given: object, **_named: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(live_id: UUID, step: str) -> None:
    at = timezone.now()
    if step == "removing":
        with tenancy.unit_of_work(tenancy.PLATFORM):
            made = rehearsal.rehearsals_of(live_id).get()
        provisioning.remove_schema = die
        rehearsal.remove(company_id=made.pk, at=at)
    setattr(rehearsal, {"building": "_build", "opening": "_open"}.get(step, ""), die)
    rehearsal.make(
        live_id=live_id, owner_email="ann@real.example", tables=tables(),
        fill=die if step == "filling" else fill, at=at,
    )  # fmt: skip


main(UUID(sys.argv[1]), sys.argv[2])
