"""The one policy: which records a person may see and change, and what else they may do.

Pages, API, search, reports, exports and bulk acts all ask here.
"""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from crm_platform.identity.models import Team, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NotAllowed


def level(user: User, record_type: str, verb: str) -> str:
    """How far `user` may `verb` records of that type: none, own, team, below or all."""
    rights = user.role.rights
    granted = rights.get(record_type) or rights.get("*") or {}
    return str(granted.get(verb, "none"))


def has_ability(user: Any, ability: str) -> bool:
    return isinstance(user, User) and ability in user.role.abilities


def demand_ability(user: User, ability: str) -> None:
    """Refuse somebody whose role lacks `ability`.

    Raises:
        NotAllowed: it does.
    """
    if not has_ability(user, ability):
        raise NotAllowed(_("Your role does not allow this. Ask an admin of your company."))


def team_ids_below(user: User) -> list[int]:
    """The user's team and every team below it. One query a unit of work."""
    if user.team_id is None:
        return []
    kept: dict[int, list[int]] = tenancy.unit_facts().setdefault("teams_below", {})
    if user.team_id not in kept:
        path = f"/{user.team_id}/"
        kept[user.team_id] = list(
            Team.objects.filter(path__contains=path).values_list("pk", flat=True)
        )
    return kept[user.team_id]


def reach(user: User, record_type: str, verb: str) -> Q | None:
    """The records `user` may `verb`, as a condition; None means every one.

    Owner (and, where there is one, assignee) always counts as own. Nobody acts on a record they
    may not see.
    """
    found = _reach(user, record_type, verb)
    if verb in ("view", "create"):
        return found
    seen = _reach(user, record_type, "view")
    if found is None or seen is None:
        return found if seen is None else seen
    return found & seen


def _reach(user: User, record_type: str, verb: str) -> Q | None:
    granted = level(user, record_type, verb)
    if granted == "all":
        return None
    own = Q(owner_id=user.pk)
    if record_type == "activity":
        own |= Q(assignee_id=user.pk)
    if granted == "own" or (granted in ("team", "below") and user.team_id is None):
        return own
    if granted == "team":
        return own | Q(team_id=user.team_id)
    if granted == "below":
        return own | Q(team_id__in=team_ids_below(user))
    # Being owner or assignee lets you act on that record, whatever the role; not create or export.
    return own if verb in ("view", "edit") and not _is_looking_only(user) else Q(pk__in=[])


def _is_looking_only(user: User) -> bool:
    """A role that may change nothing at all does not gain by being made an owner."""
    verbs = ("create", "edit", "delete")
    return all(
        rights.get(v, "none") == "none" for rights in user.role.rights.values() for v in verbs
    )


def may(user: User, verb: str, record_type: str, record: Any) -> bool:
    """Whether `user` may `verb` this record (already loaded; no query but for teams below)."""
    if verb not in ("view", "create") and not may(user, "view", record_type, record):
        return False
    granted = level(user, record_type, verb)
    if granted == "all":
        return True
    is_own = record.owner_id == user.pk or getattr(record, "assignee_id", None) == user.pk
    if granted == "none":
        return is_own and verb in ("view", "edit") and not _is_looking_only(user)
    if is_own:
        return True
    if granted == "team":
        return user.team_id is not None and record.team_id == user.team_id
    if granted == "below":
        return record.team_id is not None and record.team_id in team_ids_below(user)
    return False


def may_create(user: User, record_type: str) -> bool:
    return level(user, record_type, "create") != "none"


def demand(user: User, verb: str, record_type: str, record: Any = None) -> None:
    """Refuse an act the role does not grant; `create` needs no record.

    Raises:
        NotAllowed: it does not.
    """
    allowed = (
        may_create(user, record_type) if verb == "create" else may(user, verb, record_type, record)
    )
    if not allowed:
        raise NotAllowed(
            _("Your role does not let you change this record. Ask its owner or an admin.")
        )
