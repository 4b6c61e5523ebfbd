"""Removing what time has ended: sessions, one-time secrets, counted tries, old mails."""

import datetime as dt

from crm_platform.identity import attempts
from crm_platform.identity.models import Attempt, MailToken, Session
from crm_platform.identity.services import mail
from crm_platform.identity.services.sessions import IDLE


def forget_what_ended(*, at: dt.datetime) -> None:
    """Tidy the current scope. Idempotent."""
    Attempt.objects.filter(at__lt=at - attempts.KEPT).delete()
    Session.objects.filter(expires_at__lt=at).delete()
    Session.objects.filter(last_seen_at__lt=at - IDLE).delete()
    MailToken.objects.filter(expires_at__lt=at - dt.timedelta(days=30)).delete()
    mail.give_up_waiting(at=at)
