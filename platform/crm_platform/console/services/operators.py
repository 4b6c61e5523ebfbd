"""Who operates the service: inviting, placing, leaving; one platform operator always stays."""

import datetime as dt

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.console import rules
from crm_platform.console.services import audit, support
from crm_platform.identity.models import Invitation, Role, User
from crm_platform.identity.services import invitations, people, roles, second_factor, sessions
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed


def seed_roles() -> None:
    """Make the operators' roles that are not there yet. Idempotent."""
    roles.seed_roles(rules.ROLE_SPECS)


@transaction.atomic
def make_operator(
    *, email: str, password: str, reset: bool, at: dt.datetime, role_key: str = rules.PLATFORM
) -> bool:
    """Make an operator, or set a known one's password if `reset`; says whether `password` is set.

    For the shell, where the first operator comes from. Idempotent. Runs in the platform's unit.
    """
    seed_roles()
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        people.make_owner(
            name="Operator", email=email, password_hash=make_password(password), language="en",
            role_key=role_key, at=at,
        )  # fmt: skip
        return True
    if not reset:
        return False
    user.password, user.is_active = make_password(password), True
    user.save(update_fields=["password", "is_active"])
    sessions.end_others(user=user, keep=None)
    return True


@transaction.atomic
def enrol_if_absent(*, email: str, at: dt.datetime) -> str:
    """Give an operator a second factor from the shell; returns its secret, or "" if one was there.

    For a demo on one's own machine, where the secret may be printed.
    """
    user = User.objects.select_related("role").get(email__iexact=email)
    if second_factor.is_enrolled(user):
        return ""
    secret = second_factor.new_secret()
    second_factor.keep_secret(user=user, secret=secret, at=at)
    return secret


@transaction.atomic
def invite(*, email: str, role: Role, actor: User, at: dt.datetime) -> Invitation:
    """Ask somebody by mail to become an operator.

    Raises:
        NotAllowed: the actor is no platform operator.
        Invalid, TooMany: as identity's `invite`.
    """
    rules.demand(actor, "operators.manage")
    _demand_role(role)
    return invitations.invite(email=email, role=role, team=None, actor=actor, at=at)


@transaction.atomic
def resend(*, invitation_id: int, actor: User, at: dt.datetime) -> Invitation:
    """Mail a fresh link. Raises as identity's `resend`."""
    rules.demand(actor, "operators.manage")
    return invitations.resend(invitation_id=invitation_id, actor=actor, at=at)


@transaction.atomic
def revoke(*, invitation_id: int, actor: User, at: dt.datetime) -> Invitation:
    """Withdraw an invitation. Raises as identity's `revoke`."""
    rules.demand(actor, "operators.manage")
    return invitations.revoke(invitation_id=invitation_id, actor=actor, at=at)


def _demand_role(role: Role) -> None:
    if role.key not in rules.ROLES:
        raise Invalid(_("Choose one of the operators' roles."), field="role")


def _demand_another_platform_operator(person: User, actor: User) -> None:
    """Keep one platform operator; locks them all, so that two cannot remove each other at once.

    Raises:
        NotAllowed: the actor was removed meanwhile.
        Conflict: `person` is the last one.
    """
    left = list(
        User.objects.select_for_update(of=("self",))
        .filter(role__key=rules.PLATFORM, is_active=True).order_by("pk")
        .values_list("pk", flat=True)
    )  # fmt: skip
    if actor.pk not in left:
        raise NotAllowed(_("Your role does not allow this. Ask a platform operator."))
    if not set(left) - {person.pk}:
        raise Conflict(_("This is the last platform operator. Make somebody else one first."))


@transaction.atomic
def change_role(*, person: User, role: Role, actor: User, at: dt.datetime) -> User:
    """Give an operator another role.

    Raises:
        NotAllowed: the actor is no platform operator, or it is oneself.
        Conflict: the last platform operator would be gone.
    """
    rules.demand(actor, "operators.manage")
    _demand_role(role)
    if role.pk == person.role_id:
        return person
    _demand_another_platform_operator(person, actor)
    if role.key not in rules.TABLE["support.ask"]:
        support.end_all_of(operator=person, actor=actor, at=at)
    return people.change_role(person=person, role=role, actor=actor, at=at)


@transaction.atomic
def deactivate(*, person: User, actor: User, at: dt.datetime) -> User:
    """Keep an operator out from now on; browsers and links end.

    Raises:
        NotAllowed, Conflict: as `change_role`.
    """
    rules.demand(actor, "operators.manage")
    _demand_another_platform_operator(person, actor)
    support.end_all_of(operator=person, actor=actor, at=at)
    return people.deactivate(person=person, successor=None, actor=actor, at=at)


@transaction.atomic
def reactivate(*, person: User, actor: User, at: dt.datetime) -> User:
    """Let an operator in again.

    Raises:
        NotAllowed: the actor is no platform operator.
    """
    rules.demand(actor, "operators.manage")
    return people.reactivate(person=person, actor=actor, at=at)


@transaction.atomic
def reset_second_factor(*, person: User, reason: str, actor: User, at: dt.datetime) -> None:
    """Take somebody's second factor away, so that they set up a new one; their browsers end.

    Raises:
        NotAllowed: the actor is no platform operator, or it is oneself.
        Invalid: no reason.
    """
    rules.demand(actor, "operators.manage")
    if person.pk == actor.pk:
        raise NotAllowed(
            _("You cannot reset your own second factor. Ask another platform operator.")
        )
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept in the audit."), field="reason")
    person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    support.end_all_of(operator=person, actor=actor, at=at)
    second_factor.remove(user=person)
    audit.record(
        actor=actor, verb="second_factor.reset", at=at, object_type="person",
        object_id=person.pk, title=person.name, reason=reason.strip(),
    )  # fmt: skip
