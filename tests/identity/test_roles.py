"""Roles: copied, edited within one's own rights, removed when nobody has them."""

import pytest

from crm_platform.identity import queries, rules
from crm_platform.identity.granting import exceeds
from crm_platform.identity.models import Role
from crm_platform.identity.services import roles
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed
from tests import factories

NOON = factories.NOON
ALL = dict.fromkeys(("view", "create", "edit", "delete", "export"), "all")


def edit(role, actor, **values):
    given = {
        "name": role.name,
        "rights": role.rights,
        "abilities": role.abilities,
        "field_limits": role.field_limits,
        **values,
    }
    return roles.edit_role(role=role, **given, actor=actor, at=NOON)


def test_seed_roles_twice_makes_them_once(in_acme):
    roles.seed_roles()

    assert Role.objects.filter(is_system=True).count() == 5


def test_copy_begins_with_the_same_rights_and_is_ones_own(owner):
    copy = roles.copy_role(role=factories.role("member"), name="Sales", actor=owner, at=NOON)

    assert (copy.rights, copy.is_system) == (factories.role("member").rights, False)


def test_edited_rights_count_from_the_next_look(owner, member):
    edit(factories.role("member"), owner, rights={"*": {**ALL, "view": "own"}})

    assert rules.level(queries.get_person(member.pk), "deal", "view") == "own"


def test_owners_role_cannot_be_changed_by_anybody(owner):
    with pytest.raises(NotAllowed):
        edit(factories.role("owner"), owner, abilities=[])


def test_nobody_edits_their_way_above_their_own_role(in_acme):
    own = factories.custom_role({"*": {**ALL, "export": "none"}}, abilities=("roles.manage",))
    actor = factories.user(role=own)

    with pytest.raises(NotAllowed):
        edit(own, actor, rights={"*": ALL})
    with pytest.raises(NotAllowed):
        edit(own, actor, abilities=["roles.manage", "users.manage"])
    with pytest.raises(NotAllowed):
        edit(factories.role("admin"), actor, abilities=[])
    with pytest.raises(NotAllowed):
        roles.copy_role(role=factories.role("admin"), name="Boss", actor=actor, at=NOON)
    with pytest.raises(NotAllowed):
        roles.copy_role(role=factories.role("owner"), name="Boss", actor=actor, at=NOON)


@pytest.mark.parametrize(
    "rights",
    [
        {},
        {"*": {}},
        {"*": {**ALL, "view": "everything"}},
        {"*": ALL, "planet": ALL},
        {"*": {**ALL, "fly": "all"}},
    ],
)
def test_rights_that_make_no_sense_are_refused(owner, rights):
    with pytest.raises(Invalid):
        edit(factories.role("viewer"), owner, rights=rights)


def test_abilities_that_do_not_exist_are_refused(owner):
    with pytest.raises(Invalid):
        edit(factories.role("viewer"), owner, abilities=["console"])


def test_role_somebody_has_is_not_removed(owner):
    mine = factories.custom_role({"*": ALL})
    factories.user(role=mine)

    with pytest.raises(Conflict):
        roles.delete_role(role=mine, actor=owner, at=NOON)


def test_system_role_is_not_removed(owner):
    with pytest.raises(NotAllowed):
        roles.delete_role(role=factories.role("viewer"), actor=owner, at=NOON)


def test_unused_role_is_removed(owner):
    mine = factories.custom_role({"*": ALL})

    roles.delete_role(role=mine, actor=owner, at=NOON)

    assert not Role.objects.filter(pk=mine.pk).exists()


def test_exceeds_compares_special_rows_with_general_ones():
    general = Role(rights={"*": {**ALL, "view": "own"}})
    special = Role(rights={"*": {**ALL, "view": "own"}, "deal": ALL})

    assert exceeds(special, general)
    assert not exceeds(general, special)


def test_matrix_page_saves_what_was_chosen(owner, acme, client_for):
    role = factories.role("viewer")
    sent = {f"level.*.{verb}": "own" for verb in ALL}

    answer = client_for(acme, owner).post(
        f"/settings/roles/{role.pk}/", {**sent, "abilities": ["tags.manage"]}
    )

    role.refresh_from_db()
    assert answer.status_code == 302
    assert (role.rights["*"]["export"], role.abilities) == ("own", ["tags.manage"])


def test_refused_matrix_is_shown_again_as_it_was_sent(owner, acme, client_for):
    role = factories.role("viewer")

    answer = client_for(acme, owner).post(f"/settings/roles/{role.pk}/", {"level.*.view": "own"})

    assert answer.status_code == 422
