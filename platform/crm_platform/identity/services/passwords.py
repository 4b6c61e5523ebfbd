"""Choosing, changing and forgetting passwords."""

import datetime as dt

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.identity import attempts, history, onetime
from crm_platform.identity.client import Client
from crm_platform.identity.models import MailToken, Session, User
from crm_platform.identity.services import letters, sessions
from crm_platform.kernel.errors import Invalid, TooMany

RESET_VALID = dt.timedelta(hours=1)


def check_strength(password: str, *, name: str = "", email: str = "", field: str) -> None:
    """Refuse a password that is short, common, or made of the person's own name.

    Raises:
        Invalid: says what is wrong, on `field`.
    """
    try:
        validate_password(password, User(name=name, email=email))
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field=field) from error


def hash_new(password: str, *, name: str, email: str, field: str = "password") -> str:
    """The hash to keep of a password just chosen.

    Raises:
        Invalid: too weak.
    """
    check_strength(password, name=name, email=email, field=field)
    return make_password(password)


@transaction.atomic
def request_reset(*, email: str, client: Client, at: dt.datetime) -> None:
    """Mail a reset link, if the address is somebody's; says nothing about whether it is.

    Raises:
        TooMany: asked too often from this place.
    """
    email = email.strip().lower()
    attempts.count_one(attempts.RESET_PLACE, client.network, at=at)
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None or not _has_room(email, at):
        return
    MailToken.objects.filter(user=user, purpose=MailToken.Purpose.RESET, used_at=None).update(
        used_at=at
    )
    token, token_hash = onetime.new_secret()
    MailToken.objects.create(
        purpose=MailToken.Purpose.RESET, user=user, token_hash=token_hash, created_at=at,
        expires_at=at + RESET_VALID,
    )  # fmt: skip
    letters.send_reset(user=user, token=token, at=at)


def _has_room(email: str, at: dt.datetime) -> bool:
    """Whether this address may get one more mail; silent, or it would tell who is here."""
    try:
        attempts.count_one(attempts.RESET, email, at=at)
    except TooMany:
        return False
    return True


def reset_token(token: str, *, at: dt.datetime) -> MailToken:
    """The reset a link stands for.

    Raises:
        Invalid: unknown, used or too old.
    """
    row = (
        MailToken.objects.select_related("user__role")
        .select_for_update(of=("self",))
        .filter(
            purpose=MailToken.Purpose.RESET, token_hash=onetime.hash_of(token), used_at=None,
            expires_at__gt=at, user__is_active=True,
        ).first()
    )  # fmt: skip
    if row is None:
        raise Invalid(_("This link was used already or is too old. Ask for a new one."))
    return row


@transaction.atomic
def reset_password(*, token: str, password: str, at: dt.datetime) -> User:
    """Set a new password by a mailed link, and sign every browser out.

    Raises:
        Invalid: the link is unknown, used or too old, or the password too weak.
    """
    row = reset_token(token, at=at)
    _set(row.user, password, field="password")
    MailToken.objects.filter(user=row.user, used_at=None).update(used_at=at)
    sessions.end_others(user=row.user, keep=None)
    letters.send_password_changed(user=row.user, at=at)
    history.note("person.password_reset", row.user, actor=row.user, at=at)
    return row.user


def change_password(
    *, user: User, old: str, new: str, keep: Session | None, at: dt.datetime
) -> None:
    """Change one's own password; other browsers are signed out. Wrong tries are counted.

    Raises:
        Invalid: `old` is wrong or `new` too weak.
        TooMany: `old` was wrong too often.
    """
    confirm_own(user=user, password=old, field="old", at=at)
    with transaction.atomic():
        _set(user, new, field="new")
        MailToken.objects.filter(user=user, used_at=None).update(used_at=at)
        sessions.end_others(user=user, keep=keep)
        letters.send_password_changed(user=user, at=at)
        history.note("person.password_changed", user, actor=user, at=at)


def confirm_own(*, user: User, password: str, field: str, at: dt.datetime) -> None:
    """Make sure that it is really the person who asks; wrong tries are counted.

    Raises:
        Invalid: the password is wrong.
        TooMany: it was wrong too often.
    """
    key = str(user.pk)
    attempts.queue_up(attempts.PASSWORD, key)
    attempts.demand_room(attempts.PASSWORD, key, at=at)
    if not user.check_password(password):
        attempts.note(attempts.PASSWORD, key, at=at)
        raise Invalid(_("This is not your current password."), field=field)


def _set(user: User, password: str, *, field: str) -> None:
    user.password = hash_new(password, name=user.name, email=user.email, field=field)
    user.save(update_fields=["password"])
