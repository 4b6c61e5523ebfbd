"""Mails that could not be sent: trying again."""

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.console import rules
from crm_platform.console.services import audit
from crm_platform.identity import tasks as identity_tasks
from crm_platform.identity.models import OutgoingMail, User
from crm_platform.identity.services import mail
from crm_platform.kernel import tasks
from crm_platform.kernel.errors import Conflict, NotFound
from tenants.queries import working_scope


@transaction.atomic
def retry_platform_mail(*, mail_id: int, actor: User, at: dt.datetime) -> None:
    """Try one of the platform's own mails again, now.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound: it was sent, or its text is gone.
    """
    rules.demand(actor, "outbox.retry")
    found = OutgoingMail.objects.filter(pk=mail_id, sent_at=None).exclude(body="")
    if not mail.try_again(found, at=at):
        raise NotFound(_("This mail was sent meanwhile, or its text is no longer kept."))
    tasks.later(identity_tasks.send_platform_mail)
    audit.record(actor=actor, verb="mail.retried", at=at, object_type="mail", object_id=mail_id)


@transaction.atomic
def retry_company_mails(*, company_id: UUID, actor: User, at: dt.datetime) -> None:
    """Have a company's failed mails tried again, by a task in that company.

    Raises:
        NotAllowed: the actor's role does not allow it.
        Conflict: the company does not work now.
    """
    rules.demand(actor, "outbox.retry")
    scope = working_scope(company_id)
    if scope is None:
        raise Conflict(_("The company does not work now. Open it first, then try again."))
    send = identity_tasks.retry_failed_mail
    transaction.on_commit(lambda: tasks.send(send, scope), robust=True)
    audit.record(
        actor=actor, verb="mail.retried", at=at, object_type="company", object_id=company_id,
        title=scope.name, company_id=company_id,
    )  # fmt: skip
