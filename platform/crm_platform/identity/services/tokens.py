"""Keys a person makes for programs that act as them."""

import datetime as dt
import re
import secrets
from typing import Any

from django.db import transaction
from django.db.models import Subquery
from django.utils.translation import gettext as _

from crm_platform.identity import history, onetime
from crm_platform.identity.history import THE_ROW
from crm_platform.identity.models import ApiToken, ConfigVersion, User
from crm_platform.identity.rules import demand_ability
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid, NotFound

LONGEST_DAYS = 365
MOST_TOKENS = 20
SEEN_EVERY = dt.timedelta(minutes=5)
SHAPE = re.compile(r"rap_[a-z0-9]{8}_[A-Za-z0-9_-]{43}")


@transaction.atomic
def make_token(
    *, user: User, name: str, scope: str, days: int, at: dt.datetime
) -> tuple[ApiToken, str]:
    """Make a key good for `days`; returns its row and the key itself, which is never shown again.

    Raises:
        NotAllowed: the role lacks `api.tokens`.
        Invalid: no name, an unknown scope, too long a time, or too many keys.
    """
    demand_ability(user, "api.tokens")
    name = " ".join(name.split())
    if not 0 < len(name) <= 80:
        raise Invalid(_("Say what the key is for."), field="name")
    if scope not in ApiToken.Scope.values:
        raise Invalid(_("Choose what the key may do."), field="scope")
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid(_("A key is good for 1 to 365 days."), field="days")
    if len(tokens_of(user, at=at)) >= MOST_TOKENS:
        raise Invalid(_("You have twenty keys. Revoke one first."))
    prefix = secrets.token_hex(4)
    key = f"rap_{prefix}_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user, name=name, prefix=prefix, key_hash=onetime.hash_of(key), scope=scope,
        created_at=at, expires_at=at + dt.timedelta(days=days),
    )  # fmt: skip
    changes: dict[str, list[Any]] = {"scope": [None, scope], "days": [None, days]}
    history.note("token.made", token, actor=user, at=at, changes=changes)
    return token, key


@transaction.atomic
def revoke_token(*, token_id: int, user: User, at: dt.datetime) -> ApiToken:
    """End one of one's own keys: the next request with it is refused.

    Raises:
        NotFound: it is somebody else's or revoked already.
    """
    token = ApiToken.objects.filter(pk=token_id, user=user, revoked_at=None).first()
    if token is None:
        raise NotFound(_("This key is revoked already."))
    token.revoked_at = at
    token.save(update_fields=["revoked_at"])
    history.note("token.revoked", token, actor=user, at=at)
    return token


def token_of_key(key: str, *, at: dt.datetime) -> ApiToken | None:
    """The token of a key, with `user`, role, team and `config_version`; None for no good key.

    One query; notes the use at most every five minutes. For the API's authentication, which
    then calls `snapshot.know_version(token.config_version or 1)`.
    """
    if not SHAPE.fullmatch(key):
        return None
    version = ConfigVersion.objects.filter(pk=THE_ROW).values("version")
    token = (
        ApiToken.objects.select_related("user__role", "user__team")
        .annotate(config_version=Subquery(version))
        .filter(key_hash=onetime.hash_of(key), revoked_at=None, expires_at__gt=at)
        .filter(user__is_active=True)
        .first()
    )
    if token is not None and (token.last_used_at is None or at - token.last_used_at >= SEEN_EVERY):
        pk = token.pk
        tenancy.keep_note(lambda: ApiToken.objects.filter(pk=pk).update(last_used_at=at))
    return token


def tokens_of(user: User, *, at: dt.datetime) -> list[ApiToken]:
    """A person's keys that are still good, newest first."""
    return list(ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=at))
