"""Changing the mail address one signs in with."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm_platform.identity import attempts, history, onetime
from crm_platform.identity.models import MailToken, User
from crm_platform.identity.services import letters, passwords
from crm_platform.kernel.errors import Invalid

VALID = dt.timedelta(days=1)


def clean_email(email: str) -> str:
    """A mail address as we keep it."""
    return email.strip().lower()


def is_taken(email: str) -> bool:
    return User.objects.filter(email__iexact=email).exists()


def request_mail_change(*, user: User, new_email: str, password: str, at: dt.datetime) -> None:
    """Mail a confirmation to the new address; nothing changes until its link is opened.

    An address somebody else has gets no mail, and the answer is the same: it tells nobody.

    Raises:
        Invalid: the password is wrong, or it is the same address.
        TooMany: tried too often.
    """
    passwords.confirm_own(user=user, password=password, field="password", at=at)
    new_email = clean_email(new_email)
    if new_email == user.email:
        raise Invalid(_("This is your address already."), field="email")
    attempts.count_one(attempts.RESET, f"change:{user.pk}", at=at)
    if is_taken(new_email):
        return
    with transaction.atomic():
        purpose = MailToken.Purpose.CHANGE_MAIL
        MailToken.objects.filter(user=user, purpose=purpose, used_at=None).update(used_at=at)
        token, token_hash = onetime.new_secret()
        MailToken.objects.create(
            purpose=purpose, user=user, token_hash=token_hash, new_email=new_email,
            created_at=at, expires_at=at + VALID,
        )  # fmt: skip
        letters.send_mail_change(user=user, new_email=new_email, token=token, at=at)


@transaction.atomic
def confirm_mail_change(*, token: str, user: User, at: dt.datetime) -> User:
    """Sign in with the new address from now on; the old one is told.

    Only the person who asked may confirm, signed in: whoever else reads the mail gains nothing.

    Raises:
        Invalid: the link is unknown, used, too old or another person's, or the address taken.
    """
    row = (
        MailToken.objects.select_for_update(of=("self",))
        .select_related("user__role")
        .filter(
            purpose=MailToken.Purpose.CHANGE_MAIL, token_hash=onetime.hash_of(token),
            used_at=None, expires_at__gt=at, user_id=user.pk,
        ).first()
    )  # fmt: skip
    if row is None:
        raise Invalid(_("This link was used already or is too old. Ask for a new one."))
    old_email, row.user.email, row.used_at = row.user.email, row.new_email, at
    try:
        with transaction.atomic():
            row.user.save(update_fields=["email"])
    except IntegrityError as error:
        raise Invalid(_("Somebody else here has this address.")) from error
    row.save(update_fields=["used_at"])
    changes = {"email": [old_email, row.user.email]}
    history.note("person.mail_changed", row.user, actor=row.user, at=at, changes=changes)
    letters.send_mail_changed(user=row.user, old_email=old_email, at=at)
    return row.user
