"""What operators do about a payment provider: send again, look again, compare."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from billing import ledger, outbox, tasks
from crm_platform.console import rules
from crm_platform.console.services import audit
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotFound
from crm_platform.kernel.tasks import later


@transaction.atomic
def send_again(*, command_id: int, actor: User, at: dt.datetime) -> None:
    """Send a command that was given up or refused once more; it is looked for there first.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound: there is no such command any more.
    """
    rules.demand(actor, "billing.act")
    command = outbox.try_again(command_id=command_id, at=at)
    if command is None:
        raise NotFound(_("This is on its way already, or there is none such."))
    company = command.account.company
    audit.record(
        actor=actor, verb="billing.sent_again", at=at, object_type="company",
        object_id=company.pk, title=company.name, facts={"kind": command.kind},
    )  # fmt: skip
    later(tasks.tell_providers)


@transaction.atomic
def look_again(*, event_id: int, actor: User, at: dt.datetime) -> None:
    """Look up once more what an event was about.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound: there is no such event.
    """
    rules.demand(actor, "billing.act")
    if not ledger.replay(event_id=event_id, at=at):
        raise NotFound(_("There is no such event."))
    audit.record(
        actor=actor, verb="billing.event_replayed", at=at, object_type="event",
        object_id=event_id, title="", facts={},
    )  # fmt: skip
    later(tasks.hear_providers)


@transaction.atomic
def compare(*, actor: User, at: dt.datetime) -> None:
    """Have everything compared now.

    Raises:
        NotAllowed: the actor's role does not allow it.
    """
    rules.demand(actor, "billing.act")
    audit.record(
        actor=actor, verb="billing.compared", at=at, object_type="provider", object_id="stripe",
        title="Stripe", facts={},
    )  # fmt: skip
    later(tasks.compare_providers)
