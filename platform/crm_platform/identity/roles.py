"""The roles every company starts with; admins may change all but the owner's."""

from collections.abc import Iterable
from dataclasses import dataclass

VERBS = ("view", "create", "edit", "delete", "export")
LEVELS = ("none", "own", "team", "below", "all")
ABILITIES = (
    "company.settings",
    "billing.manage",
    "users.manage",
    "roles.manage",
    "pipelines.manage",
    "fields.manage",
    "tags.manage",
    "views.share",
    "records.import",
    "records.bulk",
    "audit.view",
    "api.tokens",
)


def levels(view: str, create: str, edit: str, delete: str, export: str) -> dict[str, str]:
    return dict(zip(VERBS, (view, create, edit, delete, export), strict=True))


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role as it is first made; `name` is English and translated when shown."""

    key: str
    name: str
    rights: dict[str, dict[str, str]]
    abilities: tuple[str, ...]


SYSTEM_ROLES = (
    RoleSpec("owner", "Owner", {"*": levels("all", "all", "all", "all", "all")}, ABILITIES),
    RoleSpec(
        "admin",
        "Admin",
        {"*": levels("all", "all", "all", "all", "all")},
        tuple(ability for ability in ABILITIES if ability != "billing.manage"),
    ),
    RoleSpec(
        "manager",
        "Manager",
        {"*": levels("all", "all", "all", "below", "all")},
        (
            "pipelines.manage",
            "tags.manage",
            "views.share",
            "records.import",
            "records.bulk",
            "audit.view",
            "api.tokens",
        ),
    ),
    RoleSpec(
        "member",
        "Member",
        {"*": levels("all", "all", "all", "own", "none")},
        ("tags.manage", "records.import", "records.bulk", "api.tokens"),
    ),
    RoleSpec("viewer", "Viewer", {"*": levels("all", "none", "none", "none", "none")}, ()),
)
EVERYBODY = "all"
AUDIENCES = (EVERYBODY, *(spec.key for spec in SYSTEM_ROLES))
"""Whom a piece of news can be for."""


def audiences_of(key: str, abilities: Iterable[str]) -> tuple[str, ...]:
    """What somebody of that role reads: the news for all, and those for the role.

    Owners also read what is for admins. A company's own role reads what is for the system's role
    whose abilities it has, the highest such.
    """
    if key == "owner":
        return EVERYBODY, "owner", "admin"
    if key in AUDIENCES:
        return EVERYBODY, key
    held = set(abilities)
    nearest = next(spec.key for spec in SYSTEM_ROLES[1:] if held >= set(spec.abilities))
    return EVERYBODY, nearest


SUPPORT_ROLES = (
    RoleSpec(
        "support-read", "Support", {"*": levels("all", "none", "none", "none", "none")},
        ("audit.view",),
    ),
    RoleSpec(
        "support-write", "Support", {"*": levels("all", "all", "all", "none", "none")},
        ("audit.view", "pipelines.manage", "fields.manage", "tags.manage", "views.share"),
    ),
)  # fmt: skip
"""What a support visitor may do; never people, roles, keys, exports or deleting."""
