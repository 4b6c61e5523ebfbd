"""Asking somebody by mail to join, and joining."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm_platform.identity import attempts, history, onetime, seats
from crm_platform.identity.granting import demand_may_grant
from crm_platform.identity.models import Invitation, Role, Team, User
from crm_platform.identity.rules import demand_ability
from crm_platform.identity.services import letters, passwords
from crm_platform.identity.services.addresses import clean_email
from crm_platform.identity.services.people import check_language
from crm_platform.kernel.errors import Invalid, NotFound

VALID = dt.timedelta(days=7)


@transaction.atomic
def invite(
    *, email: str, role: Role, team: Team | None, actor: User, at: dt.datetime
) -> Invitation:
    """Mail a one-time link bound to this address, role and team; an open older one ends.

    Raises:
        Invalid: somebody here has the address already.
        Conflict: every seat is taken.
        NotAllowed: the role allows more than the actor's.
        TooMany: the actor invited very many people just now.
    """
    demand_ability(actor, "users.manage")
    demand_may_grant(actor, role)
    email = clean_email(email)
    known = User.objects.filter(email__iexact=email).first()
    if known is not None and known.is_active:
        raise Invalid(_("%(name)s works here already.") % {"name": known.name}, field="email")
    if known is not None:
        raise Invalid(
            _("%(name)s was deactivated. Reactivate them in the list instead.")
            % {"name": known.name},
            field="email",
        )
    attempts.count_one(attempts.INVITE, str(actor.pk), at=at)
    open_ones = Invitation.objects.filter(email__iexact=email, accepted_at=None, revoked_at=None)
    open_ones.update(revoked_at=at)
    seats.demand_seat(role=role, at=at)
    token, token_hash = onetime.new_secret()
    invitation = Invitation.objects.create(
        email=email, role=role, team=team, token_hash=token_hash, invited_by=actor,
        created_at=at, expires_at=at + VALID,
    )  # fmt: skip
    letters.send_invitation(
        invitation=invitation, token=token, inviter=actor, language=actor.language, at=at
    )
    history.note("invitation.sent", invitation, actor=actor, at=at)
    return invitation


def _locked_open(invitation_id: int) -> Invitation:
    row = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("role")
        .filter(pk=invitation_id, accepted_at=None, revoked_at=None)
        .first()
    )
    if row is None:
        raise NotFound(_("This invitation is no longer open."))
    return row


@transaction.atomic
def resend(*, invitation_id: int, actor: User, at: dt.datetime) -> Invitation:
    """Mail a fresh link for seven more days; the old link ends.

    Raises:
        NotFound: accepted or revoked meanwhile.
        NotAllowed: the role allows more than the actor's.
        TooMany: very many invitations just now.
    """
    demand_ability(actor, "users.manage")
    row = _locked_open(invitation_id)
    demand_may_grant(actor, row.role)
    attempts.count_one(attempts.INVITE, str(actor.pk), at=at)
    if row.expires_at <= at:  # its seat was free again
        seats.demand_seat(role=row.role, at=at)
    token, row.token_hash = onetime.new_secret()
    row.invited_by, row.expires_at = actor, at + VALID
    row.save(update_fields=["token_hash", "invited_by", "expires_at"])
    letters.send_invitation(
        invitation=row, token=token, inviter=actor, language=actor.language, at=at
    )
    history.note("invitation.resent", row, actor=actor, at=at)
    return row


@transaction.atomic
def revoke(*, invitation_id: int, actor: User, at: dt.datetime) -> Invitation:
    """End an open invitation: its link opens nothing any more.

    Raises:
        NotFound: accepted or revoked meanwhile.
    """
    demand_ability(actor, "users.manage")
    row = _locked_open(invitation_id)
    row.revoked_at = at
    row.save(update_fields=["revoked_at"])
    history.note("invitation.revoked", row, actor=actor, at=at)
    return row


def open_invitation(token: str, *, at: dt.datetime) -> Invitation:
    """The invitation a link stands for, locked.

    Raises:
        Invalid: unknown, accepted, revoked or too old.
    """
    row = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("role", "invited_by")
        .filter(
            token_hash=onetime.hash_of(token), accepted_at=None, revoked_at=None,
            expires_at__gt=at,
        ).first()
    )  # fmt: skip
    if row is None:
        raise Invalid(_("This invitation was used, withdrawn or is too old. Ask for a new one."))
    return row


@transaction.atomic
def accept_invitation(
    *, token: str, name: str, password: str, language: str, at: dt.datetime
) -> User:
    """Join with the mail address, role and team of the invitation; the caller signs in.

    Raises:
        Invalid: the link is no longer good, no name, or the password is too weak.
    """
    row = open_invitation(token, at=at)
    name = " ".join(name.split())
    if not name:
        raise Invalid(_("Say your name."), field="name")
    check_language(language)
    user = User(
        name=name, email=row.email, role=row.role, team_id=row.team_id, language=language,
        password=passwords.hash_new(password, name=name, email=row.email), created_at=at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise Invalid(_("Somebody here has this address already. Sign in instead.")) from error
    row.accepted_at = at
    row.save(update_fields=["accepted_at"])
    history.note("person.joined", user, actor=user, at=at, is_config=True)
    return user
