"""Signing in and out, and the browsers a person is signed in with."""

import datetime as dt
from typing import Any, cast

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet, Subquery
from django.utils.translation import gettext as _

from crm_platform.identity import attempts, onetime
from crm_platform.identity.client import Client
from crm_platform.identity.history import THE_ROW
from crm_platform.identity.models import ConfigVersion, MailToken, Session, User
from crm_platform.identity.queries import roles_by_id
from crm_platform.kernel import snapshot, tenancy
from crm_platform.kernel.errors import Invalid, NotFound
from crm_platform.kernel.prepared import Prepared, columns_of, instance_of

IDLE = dt.timedelta(days=14)
LONGEST = dt.timedelta(days=60)
SEEN_EVERY = dt.timedelta(minutes=5)


def sign_in(*, email: str, password: str, client: Client, at: dt.datetime) -> tuple[Session, str]:
    """Check mail address and password; returns the new session and the secret for its cookie.

    Takes as long for an unknown address as for a known one and refuses both alike. Wrong tries
    are counted, so this is not atomic by itself: the refusal must not undo the count.

    Raises:
        Invalid: wrong address or password, or the person is deactivated.
        TooMany: too many wrong tries here, or from this place.
    """
    email = email.strip().lower()
    key = f"{email}|{client.network}"
    attempts.queue_up(attempts.SIGN_IN, key)
    attempts.demand_room(attempts.SIGN_IN, key, at=at)
    attempts.demand_room(attempts.SIGN_IN_PLACE, client.network, at=at)
    user = User.objects.select_related("role").filter(email__iexact=email).first()
    if not _is_right(user, password):
        attempts.note(attempts.SIGN_IN, key, at=at)
        attempts.note(attempts.SIGN_IN_PLACE, client.network, at=at)
        raise Invalid(_("The mail address or the password is not right."))
    attempts.forget(attempts.SIGN_IN, key)
    return begin_session(user=cast(User, user), client=client, at=at)


def _is_right(user: User | None, password: str) -> bool:
    if user is None:
        make_password(password)  # spends what a check would
        return False
    return user.check_password(password) and user.is_active


@transaction.atomic
def begin_session(*, user: User, client: Client, at: dt.datetime) -> tuple[Session, str]:
    """Remember a browser; returns its session and the secret for its cookie."""
    secret, key_hash = onetime.new_secret()
    session = Session.objects.create(
        key_hash=key_hash, company_id=tenancy.current().id, user=user, created_at=at,
        last_seen_at=at, expires_at=at + LONGEST, ip=client.ip, user_agent=client.user_agent,
    )  # fmt: skip
    User.objects.filter(pk=user.pk).update(last_seen_at=at)
    return session, secret


@transaction.atomic
def enter(*, token: str, client: Client, at: dt.datetime) -> tuple[Session, str]:
    """Sign in the owner of a company just made, by its one-time secret.

    Raises:
        Invalid: unknown, used or too old.
    """
    row = (
        MailToken.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(
            purpose=MailToken.Purpose.ENTER, token_hash=onetime.hash_of(token),
            used_at=None, expires_at__gt=at, user__is_active=True,
        ).first()
    )  # fmt: skip
    if row is None:
        raise Invalid(_("This link was used already or is too old. Sign in with your password."))
    row.used_at = at
    row.save(update_fields=["used_at"])
    return begin_session(user=row.user, client=client, at=at)


_SESSION, _USER = columns_of(Session), columns_of(User, "user")


def _live(*, key_hash: str, now: dt.datetime, idle_since: dt.datetime) -> QuerySet[Session, Any]:
    version = ConfigVersion.objects.filter(pk=THE_ROW).values("version")
    return (
        Session.objects.annotate(config_version=Subquery(version))
        .filter(key_hash=key_hash, expires_at__gt=now, last_seen_at__gt=idle_since)
        .filter(user__is_active=True)
        .values_list(*_SESSION, *_USER, "config_version")
    )


_find_live = Prepared(_live, key_hash=str, now=dt.datetime, idle_since=dt.datetime)


def live_session(secret: str, *, at: dt.datetime) -> Session | None:
    """The session of a cookie with its `user` and role. One query.

    It also tells the configuration's version to whoever keeps snapshots.

    None for an unknown, ended, idle or expired one, of a deactivated person, or another company's.
    The user's role is the process's snapshot of it: read it, never change it.
    """
    rows = _find_live(key_hash=onetime.hash_of(secret), now=at, idle_since=at - IDLE)
    if not rows:
        return None
    *values, version = rows[0]
    session = instance_of(Session, values[: len(_SESSION)])
    if session.company_id != tenancy.current().id:
        return None
    session.user = instance_of(User, values[len(_SESSION) :])
    snapshot.know_version(version or 1)
    session.user.role = roles_by_id()[session.user.role_id]
    return session


def touch(session: Session, *, at: dt.datetime) -> None:
    """Note that the person is here; writes at most every five minutes."""
    if at - session.last_seen_at < SEEN_EVERY:
        return

    def note() -> None:
        Session.objects.filter(pk=session.pk).update(last_seen_at=at)
        User.objects.filter(pk=session.user_id).update(last_seen_at=at)

    tenancy.keep_note(note)


def end(*, session: Session) -> None:
    """Sign this browser out. Doing it twice changes nothing."""
    Session.objects.filter(pk=session.pk).delete()


@transaction.atomic
def end_one(*, session_id: int, user: User) -> None:
    """Sign one of the user's own browsers out.

    Raises:
        NotFound: it is somebody else's, or has ended.
    """
    if not Session.objects.filter(pk=session_id, user=user).delete()[0]:
        raise NotFound(_("This browser is signed out already."))


def end_others(*, user: User, keep: Session | None) -> int:
    """Sign all browsers of a person out but `keep`; returns how many."""
    others = Session.objects.filter(user=user)
    if keep is not None:
        others = others.exclude(pk=keep.pk)
    return others.delete()[0]


def end_all() -> int:
    """Sign everybody of the company out; returns how many browsers. For a change of host."""
    return Session.objects.all().delete()[0]


def sessions_of(user: User, *, at: dt.datetime) -> list[Session]:
    """The browsers a person is signed in with now, last used first."""
    live = Session.objects.filter(user=user, expires_at__gt=at, last_seen_at__gt=at - IDLE)
    return list(live.order_by("-last_seen_at", "-pk"))
