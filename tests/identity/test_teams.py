"""The tree of teams never has a loop, and its paths are always true."""

import pytest

from crm_platform.identity import queries
from crm_platform.identity.models import Team
from crm_platform.identity.services import teams
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed
from tests import factories

NOON = factories.NOON


@pytest.fixture
def tree(owner):
    def make(name, parent=None):
        return teams.create_team(name=name, parent=parent, actor=owner, at=NOON)

    sales = make("Sales")
    north = make("North", sales)
    return {"sales": sales, "north": north, "taipei": make("Taipei", north), "make": make}


def path(team):
    return Team.objects.get(pk=team.pk).path


def test_path_lists_the_ancestors_and_itself(tree):
    s, n, t = (tree[key].pk for key in ("sales", "north", "taipei"))

    assert path(tree["taipei"]) == f"/{s}/{n}/{t}/"


def test_moving_a_team_takes_everything_below_along(tree, owner):
    service = tree["make"]("Service")

    teams.alter_team(team=tree["north"], name="North", parent=service, actor=owner, at=NOON)

    assert path(tree["taipei"]) == f"/{service.pk}/{tree['north'].pk}/{tree['taipei'].pk}/"


@pytest.mark.parametrize("below", ["sales", "north", "taipei"])
def test_team_cannot_be_moved_below_itself(tree, owner, below):
    with pytest.raises(Invalid):
        teams.alter_team(team=tree["sales"], name="Sales", parent=tree[below], actor=owner, at=NOON)


def test_two_teams_of_one_name_side_by_side_are_refused(tree):
    with pytest.raises(Invalid):
        tree["make"]("north", tree["sales"])


def test_nesting_ends_before_the_path_is_cut(tree):
    def dig():
        parent = tree["taipei"]
        for number in range(200):
            parent = tree["make"](f"Deeper {number}", parent)

    with pytest.raises(Invalid):
        dig()


def test_team_with_teams_or_people_is_not_removed(tree, owner):
    factories.user(team=tree["taipei"])
    for key in ("sales", "taipei"):
        with pytest.raises(Conflict):
            teams.remove_team(team=tree[key], actor=owner, at=NOON)


def test_empty_team_is_removed(tree, owner):
    teams.remove_team(team=tree["taipei"], actor=owner, at=NOON)

    assert not Team.objects.filter(pk=tree["taipei"].pk).exists()


def test_member_may_not_make_teams(member):
    with pytest.raises(NotAllowed):
        teams.create_team(name="Mine", parent=None, actor=member, at=NOON)


def test_tree_is_read_downwards_with_counts(tree):
    factories.user(team=tree["north"])

    rows = [(row.name, row.depth, row.people_count) for row in queries.team_tree()]

    assert rows == [("Sales", 0, 0), ("North", 1, 1), ("Taipei", 2, 0)]
