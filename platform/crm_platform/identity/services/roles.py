"""Roles: the ones every company begins with, and the company's own."""

import datetime as dt
import secrets
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.identity import history, kinds, seats
from crm_platform.identity.granting import demand_may_grant, demand_may_touch_role
from crm_platform.identity.models import Invitation, Role, User
from crm_platform.identity.roles import ABILITIES, LEVELS, SYSTEM_ROLES, VERBS, RoleSpec
from crm_platform.identity.rules import demand_ability
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed
from crm_platform.kernel.models import apply_changes

FIELD_LIMITS = ("read", "hidden")


def are_seeded() -> bool:
    return Role.objects.exists()


@transaction.atomic
def seed_roles(specs: tuple[RoleSpec, ...] = SYSTEM_ROLES) -> list[Role]:
    """Make the system roles that are not there yet. Idempotent."""
    known = set(Role.objects.values_list("key", flat=True))
    missing = [
        Role(
            key=spec.key, name=spec.name, rights=spec.rights, abilities=list(spec.abilities),
            is_system=True, position=position,
        )
        for position, spec in enumerate(specs)
        if spec.key not in known
    ]  # fmt: skip
    return Role.objects.bulk_create(missing)


def _clean_name(name: str, but: int | None = None) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= 80:
        raise Invalid(_("Give the role a name of up to 80 characters."), field="name")
    if Role.objects.filter(name__iexact=name).exclude(pk=but or 0).exists():
        raise Invalid(_("There is a role of this name already."), field="name")
    return name


@transaction.atomic
def copy_role(*, role: Role, name: str, actor: User, at: dt.datetime) -> Role:
    """Make a role of the company's own, with the rights of `role` to begin with.

    Raises:
        Invalid: no name, or one that is used.
        NotAllowed: `role` allows more than the actor's, or is the owner's.
    """
    demand_ability(actor, "roles.manage")
    demand_may_grant(actor, role)
    copy = Role.objects.create(
        key=f"custom-{secrets.token_hex(8)}", name=_clean_name(name), rights=role.rights,
        abilities=role.abilities, field_limits=role.field_limits, position=100,
    )  # fmt: skip
    changes = {"copied_from": [None, role.name]}
    history.note("role.created", copy, actor=actor, at=at, changes=changes, is_config=True)
    return copy


@transaction.atomic
def edit_role(
    *, role: Role, name: str, rights: dict[str, dict[str, str]], abilities: list[str],
    field_limits: dict[str, dict[str, str]], actor: User, at: dt.datetime,
) -> Role:  # fmt: skip
    """Change what the people of a role may do, from their next click on.

    Raises:
        Invalid: an unknown level, ability or field limit, or a bad name.
        NotAllowed: the owner's role, or more rights than the actor has.
        Conflict: its people would take seats that are not free.
    """
    demand_ability(actor, "roles.manage")
    role = Role.objects.select_for_update().get(pk=role.pk)
    demand_may_touch_role(actor, role)
    values: dict[str, Any] = {
        "name": role.name if role.is_system else _clean_name(name, but=role.pk),
        "rights": _clean_rights(rights),
        "abilities": _clean_abilities(abilities, role),
        "field_limits": _clean_limits(field_limits),
    }
    wanted = Role(key=role.key, **values)
    demand_may_grant(actor, wanted)
    was = Role(rights=role.rights, abilities=role.abilities)
    diff = apply_changes(role, values)
    if diff:
        seats.demand_not_more(was=was, role=role, at=at)
        history.note("role.edited", role, actor=actor, at=at, changes=diff, is_config=True)
    return role


def _clean_rights(rights: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    known = {"*"} | {kind.key for kind in kinds.record_kinds()}
    if "*" not in rights or set(rights) - known:
        raise Invalid(_("These rights name a record type that does not exist."))
    for levels in rights.values():
        if set(levels) != set(VERBS) or not set(levels.values()) <= set(LEVELS):
            raise Invalid(_("Choose one of the levels offered."))
    return rights


def _clean_abilities(abilities: list[str], role: Role) -> list[str]:
    known = [*ABILITIES, *(a for a in role.abilities if a not in ABILITIES)]
    if set(abilities) - set(known):
        raise Invalid(_("Choose from the abilities offered."))
    return [ability for ability in known if ability in abilities]


def _clean_limits(limits: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    known = {kind.key: {key for key, _label in kind.fields} for kind in kinds.record_kinds()}
    for record_type, fields in limits.items():
        if set(fields) - known.get(record_type, set()):
            raise Invalid(_("These limits name a field that does not exist."))
        if not set(fields.values()) <= set(FIELD_LIMITS):
            raise Invalid(_("A field is hidden, read only, or free."))
    return {record_type: fields for record_type, fields in limits.items() if fields}


@transaction.atomic
def delete_role(*, role: Role, actor: User, at: dt.datetime) -> None:
    """Remove a role of the company's own that nobody has.

    Raises:
        NotAllowed: a system role, or one that allows more than the actor's.
        Conflict: somebody has it, or is invited with it.
    """
    demand_ability(actor, "roles.manage")
    role = Role.objects.select_for_update().get(pk=role.pk)
    if role.is_system:
        raise NotAllowed(_("This role belongs to Rapport and cannot be removed."))
    demand_may_touch_role(actor, role)
    if role.users.exists():
        raise Conflict(_("Somebody still has this role. Give them another one first."))
    if Invitation.objects.filter(role=role, accepted_at=None, revoked_at=None).exists():
        raise Conflict(_("Somebody is invited with this role. Withdraw the invitation first."))
    Invitation.objects.filter(role=role).delete()
    history.note("role.removed", role, actor=actor, at=at, is_config=True)
    role.delete()
