"""Sending the mails that wait, after the change that caused them was kept."""

import datetime as dt
import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMessage
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from crm_platform.identity.models import OutgoingMail
from crm_platform.kernel import tenancy

logger = logging.getLogger("rapport.mail")
LEASE = dt.timedelta(minutes=5)
MOST_ATTEMPTS = 8
A_BATCH = 20


def is_waiting(*, at: dt.datetime) -> bool:
    """Whether a mail is due. One query."""
    return _due(at).exists()


def _due(at: dt.datetime) -> QuerySet[OutgoingMail]:
    return OutgoingMail.objects.filter(sent_at=None, due_at__lte=at, attempts__lt=MOST_ATTEMPTS)


def send_waiting(*, at: dt.datetime) -> int:
    """Send every mail that is due for the chosen scope; returns how many went out.

    Call it outside a transaction. Idempotent: a mail claimed by another worker is skipped; one
    whose worker died is sent again after the lease, with the same Message-ID.
    """
    scope, sent = tenancy.current(), 0
    while batch := _claim(scope, at):
        sent += sum(_send(scope, mail, at) for mail in batch)
    return sent


def _claim(scope: tenancy.Scope, at: dt.datetime) -> list[OutgoingMail]:
    with tenancy.unit_of_work(scope):
        batch = list(_due(at).select_for_update(skip_locked=True).order_by("pk")[:A_BATCH])
        for mail in batch:
            mail.due_at = at + LEASE * 2**mail.attempts
            mail.attempts += 1
        OutgoingMail.objects.bulk_update(batch, ["due_at", "attempts"])
        return batch


def _send(scope: tenancy.Scope, mail: OutgoingMail, at: dt.datetime) -> bool:
    if scope.is_rehearsal:
        return _keep(scope, mail, at)
    message = EmailMessage(
        subject=mail.subject, body=mail.body, to=[mail.to],
        headers={"Message-ID": f"<{mail.delivery_id}@{settings.BASE_DOMAIN}>"},
    )  # fmt: skip
    for name, content, kind in _files(scope, mail):
        message.attach(name, content, kind)
    try:
        message.send()
    except (SMTPException, OSError, BadHeaderError) as error:
        logger.warning("Mail %s could not be sent: %s", mail.delivery_id, error)
        with tenancy.unit_of_work(scope):
            OutgoingMail.objects.filter(pk=mail.pk).update(error=str(error)[:250])
        return False
    with tenancy.unit_of_work(scope):
        OutgoingMail.objects.filter(pk=mail.pk).update(sent_at=at, body="", error="")
    return True


def _files(scope: tenancy.Scope, mail: OutgoingMail) -> list[tuple[str, bytes, str]]:
    """What goes with one of the platform's mails: made now, so that no mail holds it twice."""
    dotted = getattr(settings, "MAIL_FILES", "")
    if not scope.is_platform or not dotted:
        return []
    found: list[tuple[str, bytes, str]] = import_string(dotted)(mail.delivery_id)
    return found


def try_again(mails: QuerySet[OutgoingMail], *, at: dt.datetime) -> int:
    """Make unsent mails that still have their text due now, with all attempts; says how many."""
    return mails.filter(sent_at=None).exclude(body="").update(attempts=0, due_at=at, error="")


def retry_failed(*, at: dt.datetime) -> int:
    """Make every mail due again that was given up, in the running unit of work."""
    return try_again(OutgoingMail.objects.filter(attempts__gte=MOST_ATTEMPTS), at=at)


def _keep(scope: tenancy.Scope, mail: OutgoingMail, at: dt.datetime) -> bool:
    """A rehearsal's mail never leaves: it is read in the rehearsal's own outbox."""
    with tenancy.unit_of_work(scope):
        OutgoingMail.objects.filter(pk=mail.pk).update(sent_at=at, error="")
    return True


def outbox() -> QuerySet[OutgoingMail]:
    """What a rehearsal would have sent, newest first."""
    return OutgoingMail.objects.order_by("-created_at", "-pk")


def give_up_waiting(*, at: dt.datetime) -> None:
    """Forget mails that nobody will read any more: sent long ago, or never after many tries."""
    OutgoingMail.objects.filter(created_at__lt=at - dt.timedelta(days=30)).delete()
    hopeless = OutgoingMail.objects.filter(sent_at=None, attempts__gte=MOST_ATTEMPTS)
    hopeless.exclude(body="").update(body="")
