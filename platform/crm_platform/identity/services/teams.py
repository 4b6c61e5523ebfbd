"""The tree of departments; `path` of each is kept true here."""

import datetime as dt

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from crm_platform.identity import history
from crm_platform.identity.models import Team, User
from crm_platform.identity.rules import demand_ability
from crm_platform.kernel.errors import Conflict, Invalid, NotFound

LONGEST_PATH = 250


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= 80:
        raise Invalid(_("Give the team a name of up to 80 characters."), field="name")
    return name


def _path_under(parent: Team | None, pk: int) -> str:
    path = f"{parent.path if parent else '/'}{pk}/"
    if len(path) > LONGEST_PATH:
        raise Invalid(_("Teams cannot be nested that deep."), field="parent")
    return path


def _demand_free_name(name: str, parent: Team | None, but: int | None = None) -> None:
    parent_id = parent.pk if parent else None
    if Team.objects.filter(name__iexact=name, parent_id=parent_id).exclude(pk=but or 0).exists():
        raise Invalid(_("There is a team of this name here already."), field="name")


def _locked(team_id: int) -> tuple[Team, dict[int, Team]]:
    """The team, and all teams by id; one at a time may change the tree."""
    every = {team.pk: team for team in Team.objects.select_for_update().order_by("pk")}
    if team_id not in every:
        raise NotFound(_("This team is gone."))
    return every[team_id], every


@transaction.atomic
def create_team(*, name: str, parent: Team | None, actor: User, at: dt.datetime) -> Team:
    """Add a team, under another one or at the top.

    Raises:
        Invalid: no name, a name used there already, or too deep.
    """
    demand_ability(actor, "users.manage")
    name = _clean_name(name)
    if parent is not None:
        parent, _every = _locked(parent.pk)
    _demand_free_name(name, parent)
    team = Team.objects.create(name=name, parent=parent)
    team.path = _path_under(parent, team.pk)
    team.save(update_fields=["path"])
    history.note("team.created", team, actor=actor, at=at, is_config=True)
    return team


@transaction.atomic
def alter_team(*, team: Team, name: str, parent: Team | None, actor: User, at: dt.datetime) -> Team:
    """Rename a team and move it, with all below it, under `parent`.

    Raises:
        Invalid: a bad name, or `parent` is the team itself or below it.
        NotFound: it was removed meanwhile.
    """
    demand_ability(actor, "users.manage")
    name = _clean_name(name)
    team, every = _locked(team.pk)
    parent = every.get(parent.pk) if parent else None
    if parent is not None and f"/{team.pk}/" in parent.path:
        raise Invalid(_("A team cannot be moved below itself."), field="parent")
    _demand_free_name(name, parent, but=team.pk)
    changes = {
        field: [old, new]
        for field, old, new in (
            ("name", team.name, name),
            ("parent", team.parent_id, parent.pk if parent else None),
        )
        if old != new
    }
    if not changes:
        return team
    old_path, new_path = team.path, _path_under(parent, team.pk)
    team.name, team.parent = name, parent
    for one in every.values():
        if one.path.startswith(old_path):
            one.path = new_path + one.path.removeprefix(old_path)
            if len(one.path) > LONGEST_PATH:
                raise Invalid(_("Teams cannot be nested that deep."), field="parent")
    Team.objects.bulk_update(every.values(), ["name", "parent", "path"])
    history.note("team.changed", team, actor=actor, at=at, changes=changes, is_config=True)
    return team


@transaction.atomic
def remove_team(*, team: Team, actor: User, at: dt.datetime) -> None:
    """Remove a team that has nobody and no team in it.

    Raises:
        Conflict: somebody or something is still in it.
    """
    demand_ability(actor, "users.manage")
    team, _every = _locked(team.pk)
    if team.children.exists():
        raise Conflict(_("There are teams below this one. Move or remove them first."))
    if team.users.exists():
        raise Conflict(_("There are people in this team. Move them first."))
    history.note("team.removed", team, actor=actor, at=at, is_config=True)
    try:
        team.delete()
    except ProtectedError as error:
        raise Conflict(_("Records still belong to this team.")) from error
