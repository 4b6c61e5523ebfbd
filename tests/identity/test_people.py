"""Roles and people: the last owner stays, and nobody raises anybody above themselves."""

import pytest

from crm_platform.identity.events import ConfigChanged, PersonDeactivated
from crm_platform.identity.models import ApiToken
from crm_platform.identity.services import invitations, people, tokens
from crm_platform.kernel import events, snapshot
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed
from tests import factories

NOON = factories.NOON


@pytest.fixture
def admin(in_acme):
    return factories.user(role="admin")


@pytest.fixture
def heard():
    got = []
    handlers = events._handlers[ConfigChanged, events.Moment.NOW]
    handlers.append(got.append)
    left = events._handlers[PersonDeactivated, events.Moment.NOW]
    left.append(got.append)
    yield got
    handlers.remove(got.append)
    left.remove(got.append)


def change(person, role, actor):
    return people.change_role(person=person, role=factories.role(role), actor=actor, at=NOON)


def test_admin_gives_a_member_the_managers_role_and_it_counts_as_new_configuration(
    member, admin, heard
):
    before = snapshot.version()

    change(member, "manager", admin)

    assert member.__class__.objects.get(pk=member.pk).role.key == "manager"
    assert snapshot.version() > before
    assert [e.verb for e in heard if isinstance(e, ConfigChanged)] == ["person.role_changed"]


@pytest.mark.parametrize("role", ["manager", "member", "viewer"])
def test_people_without_the_ability_change_no_role(role, member, in_acme):
    actor = factories.user(role=role)

    with pytest.raises(NotAllowed):
        change(member, "viewer", actor)


def test_nobody_changes_their_own_role(admin, owner):
    for person in (admin, owner):
        with pytest.raises(NotAllowed):
            change(person, "viewer", person)


def test_only_an_owner_makes_an_owner(admin, owner, member):
    with pytest.raises(NotAllowed):
        change(member, "owner", admin)

    assert change(member, "owner", owner).role.key == "owner"


def test_admin_cannot_touch_an_owner(admin, owner):
    factories.user(role="owner")
    with pytest.raises(NotAllowed):
        change(owner, "viewer", admin)
    with pytest.raises(NotAllowed):
        people.deactivate(person=owner, successor=None, actor=admin, at=NOON)


def test_last_owner_is_neither_demoted_nor_deactivated(owner):
    second = factories.user(role="owner")
    people.deactivate(person=second, successor=None, actor=owner, at=NOON)
    people.reactivate(person=second, actor=owner, at=NOON)
    change(second, "admin", owner)

    # `second` stands for an owner who acts while `owner` is the last one.
    second.role = factories.role("owner")
    with pytest.raises(Conflict):
        change(owner, "admin", second)
    with pytest.raises(Conflict):
        people.deactivate(person=owner, successor=None, actor=second, at=NOON)


def test_nobody_gives_a_role_that_may_do_more_than_their_own(in_acme, member, viewer):
    some = dict.fromkeys(("view", "create", "edit", "delete"), "all")
    clerk = factories.custom_role({"*": {**some, "export": "none"}}, abilities=("users.manage",))
    actor = factories.user(role=clerk)

    with pytest.raises(NotAllowed):
        change(viewer, "admin", actor)
    with pytest.raises(NotAllowed):  # a member may import and tag, which this actor may not
        change(member, "viewer", actor)
    with pytest.raises(NotAllowed):
        invitations.invite(
            email="x@example.com", role=factories.role("admin"), team=None, actor=actor, at=NOON
        )
    assert people.change_role(person=viewer, role=clerk, actor=actor, at=NOON).role == clerk


def test_role_that_hides_a_field_gives_no_role_that_shows_it(in_acme, member):
    every = dict.fromkeys(("view", "create", "edit", "delete", "export"), "all")
    clerk = factories.custom_role({"*": every}, abilities=("users.manage",))
    clerk.field_limits = {"deal": {"amount": "hidden"}}
    clerk.save()
    actor = factories.user(role=clerk)

    with pytest.raises(NotAllowed):
        change(member, "viewer", actor)


def test_deactivating_revokes_keys_and_says_who_takes_over(member, owner, heard):
    token, _key = tokens.make_token(user=member, name="erp", scope="read", days=7, at=NOON)

    people.deactivate(person=member, successor=owner, actor=owner, at=NOON)

    assert ApiToken.objects.get(pk=token.pk).revoked_at == NOON
    left = [event for event in heard if isinstance(event, PersonDeactivated)]
    assert [(e.user_id, e.successor_id) for e in left] == [(member.pk, owner.pk)]


def test_successor_must_be_somebody_else_who_works_here(member, owner):
    gone = factories.user(is_active=False)

    for successor in (member, gone):
        with pytest.raises(Invalid):
            people.deactivate(person=member, successor=successor, actor=owner, at=NOON)


def test_nobody_deactivates_themselves(owner):
    with pytest.raises(NotAllowed):
        people.deactivate(person=owner, successor=None, actor=owner, at=NOON)


def test_invitation_to_somebody_who_works_here_is_refused_with_their_name(owner, member):
    with pytest.raises(Invalid, match=member.name):
        invitations.invite(
            email=member.email.upper(), role=factories.role(), team=None, actor=owner, at=NOON
        )


def test_profile_refuses_what_does_not_exist(member):
    values = {"name": "A", "title": "", "phone": "", "language": "en", "time_zone": ""}
    for wrong in ({"language": "xx"}, {"time_zone": "Mars/Base"}, {"name": "  "}):
        with pytest.raises(Invalid):
            people.update_profile(user=member, **{**values, **wrong}, at=NOON)


def test_people_page_lists_everybody_and_a_member_may_not_open_it(owner, member, acme, client_for):
    answer = client_for(acme, owner).get("/settings/people/")

    assert answer.status_code == 200
    assert member.email in answer.content.decode()
    assert client_for(acme, member).get("/settings/people/").status_code == 403


def test_people_page_costs_the_same_for_many_people(
    owner, acme, client_for, django_assert_max_num_queries
):
    for _ in range(20):
        factories.user(role="member")
    client = client_for(acme, owner)
    client.get("/settings/people/")

    with django_assert_max_num_queries(12):
        client.get("/settings/people/")


def test_place_dialog_changes_role_and_team_at_once(owner, member, acme, client_for):
    team = factories.team("North")

    answer = client_for(acme, owner).post(
        f"/settings/people/{member.pk}/",
        {"role": factories.role("manager").pk, "team": team.pk},
        headers={"hx-request": "true", "hx-target": "dialog-body"},
    )

    member.refresh_from_db()
    assert answer.headers["HX-Redirect"] == "/settings/people/"
    assert (member.role.key, member.team) == ("manager", team)


def test_refused_place_is_said_in_the_form(owner, acme, client_for):
    answer = client_for(acme, owner).post(
        f"/settings/people/{owner.pk}/", {"role": factories.role("viewer").pk, "team": ""}
    )

    assert answer.status_code == 422
    assert "your own role" in answer.content.decode()


def test_refusal_nobody_took_is_a_toast_for_htmx_and_a_page_otherwise(owner, acme, client_for):
    client = client_for(acme, owner)

    page = client.post("/settings/invitations/999/resend/")
    fragment = client.post("/settings/invitations/999/resend/", headers={"hx-request": "true"})

    assert (page.status_code, fragment.status_code) == (404, 404)
    assert "no longer open" in page.content.decode()
    assert "no longer open" in fragment.headers["HX-Trigger"]


def test_preferences_are_kept_in_the_row_and_as_cookies(member, acme, client_for):
    answer = client_for(acme, member).post(
        "/me/prefs/", {"theme": "dark", "language": "zh-hant", "next": "//evil.example"}
    )

    member.refresh_from_db()
    assert (member.theme, member.language) == ("dark", "zh-hant")
    assert answer.headers["Location"] == "/"
    assert answer.cookies["theme"].value == "dark"
