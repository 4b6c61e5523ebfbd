"""What operators do with a company's backups: make one, restore one, put it in place.

Each act asks for the right, is done by `tenants.backups`, and is written to the audit in the same
transaction.
"""

import datetime as dt
import functools
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.console import rules
from crm_platform.console.services import audit
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid, NotFound
from crm_platform.kernel.tasks import send
from tenants.backups import restoring, tasks
from tenants.backups import services as backups
from tenants.backups.models import Backup, RestoreRun
from tenants.models import Company

ABILITY = "backups.act"


def _note(
    actor: User, verb: str, company: Company, at: dt.datetime, reason: str = "", **facts: str
) -> None:
    audit.record(
        actor=actor, verb=verb, at=at, object_type="company", object_id=company.pk,
        title=company.name, company_id=company.pk, reason=reason, facts=facts,
    )  # fmt: skip


def _demand_reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the company."), field="reason")
    return reason.strip()[:250]


@transaction.atomic
def make(*, company_id: UUID, actor: User, at: dt.datetime) -> Backup:
    """Have a backup of a company made now; a worker is rung once this is kept.

    Raises:
        NotAllowed: the actor is no platform operator.
        Conflict, NotFound: as `tenants.backups.services.ask`.
    """
    rules.demand(actor, ABILITY)
    row = backups.ask(company_id=company_id, at=at)
    ring = functools.partial(send, tasks.make_backup, tenancy.PLATFORM, backup_id=str(row.pk))
    transaction.on_commit(ring, robust=True)
    _note(actor, "backup.asked", row.company, at)
    return row


@transaction.atomic
def restore(*, backup_id: UUID, slug: str, reason: str, actor: User, at: dt.datetime) -> RestoreRun:
    """Have a backup restored as a company of its own, at the address name `slug`.

    Raises:
        NotAllowed: the actor is no platform operator.
        Conflict, Invalid, NotFound: as `tenants.backups.restoring.ask`, or no reason is given.
    """
    rules.demand(actor, ABILITY)
    reason = _demand_reason(reason)
    run = restoring.ask(backup_id=backup_id, slug=slug, at=at)
    ring = functools.partial(
        send, tasks.restore_backup, tenancy.PLATFORM, backup_id=str(backup_id), slug=slug
    )
    transaction.on_commit(ring, robust=True)
    _note(actor, "backup.restored", run.company, at, reason, address=slug)
    return run


@transaction.atomic
def exchange(
    *, run_id: UUID, is_back: bool, reason: str, actor: User, at: dt.datetime
) -> RestoreRun:
    """Put a restored company in its old one's place, or (`is_back`) undo that.

    Raises:
        NotAllowed: the actor is no platform operator.
        NotFound: there is no such restore.
        Conflict, Invalid: as `tenants.backups.restoring.swap`, or no reason is given.
    """
    rules.demand(actor, ABILITY)
    reason = _demand_reason(reason)
    if not RestoreRun.objects.filter(pk=run_id).exists():
        raise NotFound(_("There is no such restore."))
    act = restoring.swap_back if is_back else restoring.swap
    run = act(run_id=run_id, at=at)
    verb = "backup.swapped_back" if is_back else "backup.swapped"
    _note(actor, verb, run.company, at, reason, address=run.slug)
    return run
