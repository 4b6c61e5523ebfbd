"""Who may do what, written down row by row, denials too. It asks `identity.rules` nothing.

A role is one level a verb. A level says which records it reaches, by what they are to the person:
`own` (owner), `assigned` (to do it, activities only), `team` (of one's team), `below` (of a team
below it), `other` (of another team), `nobody` (without owner and team).
"""

from dataclasses import dataclass

YES, NO = True, False
VERBS = ("view", "create", "edit", "delete", "export")
RELATIONS = ("own", "assigned", "team", "below", "other", "nobody")
REACH = {
    #         own  assigned team below other nobody
    "all":   (YES, YES,     YES, YES,  YES,  YES),
    "below": (YES, YES,     YES, YES,  NO,   NO),
    "team":  (YES, YES,     YES, NO,   NO,   NO),
    "own":   (YES, YES,     NO,  NO,   NO,   NO),
    "none":  (NO,  NO,      NO,  NO,   NO,   NO),
}  # fmt: skip
"""What a level reaches."""
STANDING = (YES, YES, NO, NO, NO, NO)
"""Owner and assignee always see and change their record, unless the role changes nothing at all."""

SYSTEM = {
    #           view   create  edit    delete   export
    "owner":   ("all", "all",  "all",  "all",   "all"),
    "admin":   ("all", "all",  "all",  "all",   "all"),
    "manager": ("all", "all",  "all",  "below", "all"),
    "member":  ("all", "all",  "all",  "own",   "none"),
    "viewer":  ("all", "none", "none", "none",  "none"),
}  # fmt: skip
NEEDS = {
    # An act needs every one of these verbs on the record: nobody acts on what they cannot see.
    "view": ("view",),
    "list": ("view",),
    "edit": ("view", "edit"),
    "move": ("view", "edit"),
    "bulk edit": ("view", "edit"),
    "delete": ("view", "delete"),
    "bulk delete": ("view", "delete"),
    "restore": ("view", "delete"),
    "trash": ("view", "delete"),
    "export": ("view", "export"),
}
NEEDS_BULK = ("bulk edit",)
WITHOUT_BULK = ("viewer",)
"""System roles without `records.bulk`; every custom role of the matrix has it."""


@dataclass(frozen=True)
class Cast:
    """A role of the matrix: its name, and its level a verb."""

    name: str
    levels: dict[str, str]
    is_system: bool = False

    def may(self, verb: str, relation: str) -> bool:
        """Whether the role's person may `verb` a record that is `relation` to them."""
        place = RELATIONS.index(relation)
        if REACH[self.levels[verb]][place]:
            return YES
        if verb in ("view", "edit") and not self.changes_nothing:
            return STANDING[place]
        return NO

    @property
    def tries(self) -> tuple[str, ...]:
        """The acts worth trying: of a role that narrows one verb, those that need that verb."""
        verb, _equals, level = self.name.partition("=")
        if not level or verb in ("everything", "view"):
            return (*NEEDS, "create")
        needs = {**NEEDS, "create": ("create",)}
        return tuple(act for act, verbs in needs.items() if verb in verbs)

    @property
    def changes_nothing(self) -> bool:
        return all(self.levels[verb] == "none" for verb in ("create", "edit", "delete"))

    def may_act(self, act: str, relation: str) -> bool:
        """Whether the whole act goes through."""
        if act in NEEDS_BULK and self.name in WITHOUT_BULK:
            return NO
        return all(self.may(verb, relation) for verb in NEEDS[act])

    @property
    def may_create(self) -> bool:
        return self.levels["create"] != "none"


def casts() -> list[Cast]:
    """The system's roles, each verb at each level with the others free, and all verbs alike."""
    found = [
        Cast(name, dict(zip(VERBS, levels, strict=True)), is_system=True)
        for name, levels in SYSTEM.items()
    ]
    free = dict.fromkeys(VERBS, "all")
    for level in REACH:
        if level != "all":
            found += [Cast(f"{verb}={level}", {**free, verb: level}) for verb in VERBS]
        if level in ("own", "none"):
            found.append(Cast(f"everything={level}", dict.fromkeys(VERBS, level)))
    return found


OWNERS_ONLY = "being an owner"
"""What no ability gives."""
ABILITY_OF = {
    "settings/people/": "users.manage",
    "settings/invitations/": "users.manage",
    "settings/teams/": "users.manage",
    "settings/roles/": "roles.manage",
    "settings/pipelines/": "pipelines.manage",
    "settings/stages/": "pipelines.manage",
    "settings/reasons/": "pipelines.manage",
    "settings/fields/": "fields.manage",
    "settings/tags/": "tags.manage",
    "settings/history/": "audit.view",
    "settings/company/": "company.settings",
    "settings/address/": "company.settings",
    "settings/updates/": "company.settings",
    "settings/billing/": "billing.manage",
    "api/v1/billing/": "billing.manage",
    "api/v1/invoices/": "billing.manage",
    "settings/support/": "company.settings",
    "settings/package/": OWNERS_ONLY,
    "settings/rehearsal/": "company.settings",
    "welcome/": "company.settings",
    "samples/": "company.settings",
    "import/": "records.import",
    "me/tokens/": "api.tokens",
}
"""Which ability the addresses below a prefix ask for; other settings pages fail the test."""
EVERYBODYS = {
    "settings/": "sends one to a page one may open",
    "me/tokens/<int:token_id>/revoke/": "ending one's own key is never refused",
}
HOLDERS = {
    OWNERS_ONLY: ("owner",),
    "billing.manage": ("owner",),
    "users.manage": ("owner", "admin"),
    "roles.manage": ("owner", "admin"),
    "company.settings": ("owner", "admin"),
    "fields.manage": ("owner", "admin"),
    "pipelines.manage": ("owner", "admin", "manager"),
    "audit.view": ("owner", "admin", "manager"),
    "views.share": ("owner", "admin", "manager"),
    "tags.manage": ("owner", "admin", "manager", "member"),
    "records.import": ("owner", "admin", "manager", "member"),
    "records.bulk": ("owner", "admin", "manager", "member"),
    "api.tokens": ("owner", "admin", "manager", "member"),
}
