"""Who may give which role to whom: nobody gives more than they have."""

from django.utils.translation import gettext as _

from crm_platform.identity.models import Role, User
from crm_platform.identity.roles import LEVELS, VERBS
from crm_platform.kernel.errors import NotAllowed

OWNER = "owner"
_LIMITS = ("", "read", "hidden")


def is_owner(user: User) -> bool:
    return user.role.key == OWNER


def exceeds(role: Role, than: Role) -> bool:
    """Whether `role` allows anything that the role `than` does not."""
    if set(role.abilities) - set(than.abilities):
        return True
    for record_type in {*role.rights, *than.rights, "*"}:
        one, other = _levels(role, record_type), _levels(than, record_type)
        if any(LEVELS.index(one[verb]) > LEVELS.index(other[verb]) for verb in VERBS):
            return True
    return _sees_more(role, than)


def _levels(role: Role, record_type: str) -> dict[str, str]:
    granted = role.rights.get(record_type) or role.rights.get("*") or {}
    return {verb: granted.get(verb, "none") for verb in VERBS}


def _sees_more(role: Role, than: Role) -> bool:
    """Whether a field limited for `than` is less limited for `role`."""
    for record_type, fields in than.field_limits.items():
        ours = role.field_limits.get(record_type, {})
        for field, limit in fields.items():
            if _LIMITS.index(ours.get(field, "")) < _LIMITS.index(limit):
                return True
    return False


def demand_may_grant(actor: User, role: Role) -> None:
    """Refuse to hand out a role with more rights than one's own.

    Raises:
        NotAllowed: the role is the owner's and `actor` none, or it allows more.
    """
    if is_owner(actor):
        return
    if role.key == OWNER:
        raise NotAllowed(_("Only an owner can make somebody an owner."), field="role")
    if exceeds(role, actor.role):
        raise NotAllowed(_("You cannot give a role that may do more than your own."), field="role")


def demand_may_touch(actor: User, person: User) -> None:
    """Refuse to change somebody whose role allows more than one's own.

    Raises:
        NotAllowed: it does, or they own the company and `actor` does not.
    """
    if is_owner(actor):
        return
    if person.role.key == OWNER:
        raise NotAllowed(_("Only an owner can change an owner."))
    if exceeds(person.role, actor.role):
        raise NotAllowed(_("This person may do more than you. Ask an owner."))


def demand_may_touch_role(actor: User, role: Role) -> None:
    """Refuse to change the owner's role at all, and one that allows more than one's own.

    Raises:
        NotAllowed: it is such a role.
    """
    if role.key == OWNER:
        raise NotAllowed(_("An owner may do everything: this role cannot be changed."))
    if not is_owner(actor) and exceeds(role, actor.role):
        raise NotAllowed(_("This role may do more than yours. Ask an owner."))
