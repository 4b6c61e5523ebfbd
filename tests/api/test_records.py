"""Each act on each kind of record: what it does, and what it refuses."""

import pytest

from crm_core.audit.models import Entry
from crm_core.registry import record_type, record_types
from crm_core.sales.models import LostReason
from tests import factories
from tests.api.conftest import demand_problem

KINDS = ("account", "contact", "deal", "activity")


def slug(kind):
    return record_type(kind).slug


def test_every_registered_kind_has_an_address(program):
    for kind in record_types():
        assert program.get(f"{kind.slug}/").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_record_is_made_read_changed_deleted_and_brought_back(program, manager, kind):
    made = program.post(f"{slug(kind)}/", {"name": "First"})
    assert made.status_code == 201, made.content
    body = made.json()
    address = made["Location"].partition("testserver")[2]
    assert address == f"/api/v1/{slug(kind)}/{body['id']}/"
    assert (body["name"], body["owner"], body["owner_name"]) == (
        "First",
        str(manager.pk),
        manager.name,
    )

    read = program.get(address)
    assert read.json() == body
    assert read["ETag"] == made["ETag"] == f'W/"{body["version"]}"'

    edited = program.patch(address, {"name": "Second"}, if_match=read["ETag"])
    assert edited.status_code == 200, edited.content
    assert edited.json()["name"] == "Second"
    assert edited["ETag"] == f'W/"{body["version"] + 1}"'

    assert program.delete(address).status_code == 204
    demand_problem(program.get(address), 404, "not_found")
    back = program.post(f"{address}restore/")
    assert (back.status_code, back.json()["name"]) == (200, "Second")
    assert program.post(f"{address}restore/").status_code == 200

    entries = Entry.objects.filter(record_type=kind, record_id=body["id"]).order_by("id")
    assert [entry.verb.partition(".")[2] for entry in entries] == [
        "created",
        "edited",
        "deleted",
        "restored",
    ]
    assert {entry.channel for entry in entries} == {"api"}


@pytest.mark.parametrize("kind", ["account", "contact", "deal"])
def test_new_record_without_a_name_is_refused_by_name(program, kind):
    demand_problem(program.post(f"{slug(kind)}/", {}), 422, "invalid", "name")


def test_every_slip_of_a_body_is_named_at_once(program):
    answer = program.post(
        "deals/",
        {
            "name": "x",
            "stage": "zz",
            "foo": 1,
            "amount": True,
            "close_date": "soon",
            "tags": "red",
            "owner": "999999",
            "created_at": "2026-01-01T00:00:00Z",
        },
    )

    found = demand_problem(answer, 422, "invalid")
    assert {each["field"] for each in found["errors"]} == {
        "stage",
        "foo",
        "amount",
        "close_date",
        "tags",
        "owner",
        "created_at",
    }


def test_facts_of_every_type_come_back_as_they_were_sent(program, manager):
    tag, account = factories.tag("hot"), factories.account(manager)
    sent = {
        "name": "Big",
        "account": str(account.pk),
        "amount": "12345678901234.55",
        "currency": "EUR",
        "close_date": "2026-12-31",
        "tags": [str(tag.pk)],
        "product": "産品 ✓",
    }

    got = program.post("deals/", sent).json()

    assert {name: got[name] for name in sent} == sent
    assert (got["account_name"], got["tag_names"]) == (account.name, ["hot"])
    number = program.post("accounts/", {"name": "n", "annual_revenue": 0.1, "employees": 7}).json()
    assert (number["annual_revenue"], number["annual_revenue_currency"], number["employees"]) == (
        "0.10",
        "USD",
        7,
    )


def test_change_must_name_its_version(program, manager):
    account = factories.account(manager, name="Before")
    address = f"accounts/{account.pk}/"

    demand_problem(
        program.patch(address, {"name": "x"}, if_match=None), 428, "precondition_required"
    )
    demand_problem(program.patch(address, {"name": "x"}, if_match="soon"), 400, "malformed")
    demand_problem(program.patch(address, {"name": "x"}, if_match='W/"7"'), 412, "stale")
    account.refresh_from_db()
    assert account.name == "Before"
    assert program.patch(address, {"name": "x"}, if_match='"1"').status_code == 200
    assert program.patch(address, {"name": "y"}, if_match="*").status_code == 200


def test_stale_delete_and_stale_move_are_refused(program, manager):
    deal, to = factories.deal(manager), factories.stage("Proposal")
    old = {"if-match": 'W/"9"'}

    demand_problem(program.delete(f"deals/{deal.pk}/", **old), 412)
    demand_problem(program.post(f"deals/{deal.pk}/move/", {"stage": str(to.pk)}, **old), 412)
    deal.refresh_from_db()
    assert (deal.deleted_at, deal.stage.name) == (None, "Qualify")


def test_deal_moves_wins_and_is_lost_only_with_a_reason(program, manager):
    deal, won, lost = (
        factories.deal(manager),
        factories.stage(kind="won"),
        factories.stage(kind="lost"),
    )
    address = f"deals/{deal.pk}/move/"

    moved = program.post(address, {"stage": str(won.pk)}, **{"if-match": 'W/"1"'})
    assert (moved.json()["stage"], moved["ETag"]) == (str(won.pk), 'W/"2"')
    assert moved.json()["closed_at"]
    demand_problem(program.post(address, {"stage": str(lost.pk)}), 422, "invalid", "lost_reason")
    reason = LostReason.objects.first()
    body = {"stage": lost.pk, "lost_reason": str(reason.pk), "lost_note": "too dear"}
    assert program.post(address, body).json()["lost_reason_name"] == reason.name
    deal.refresh_from_db()
    assert deal.lost_note == "too dear"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "stage"),
        ({"stage": "²"}, "stage"),
        ({"stage": "99999"}, "stage"),
        ({"stage": [1]}, "stage"),
        ({"stage": "1", "rank": 3}, "rank"),
        ({"stage": "1", "lost_note": 5}, "lost_note"),
        ({"stage": "1", "before": True}, "before"),
        ([], None),
    ],
)
def test_move_with_a_bad_body_is_refused(program, manager, body, field):
    deal = factories.deal(manager)

    demand_problem(program.post(f"deals/{deal.pk}/move/", body), 422, "invalid", field)


def test_activity_hangs_on_the_record_it_names(program, manager):
    deal = factories.deal(manager, account=factories.account(manager).pk)

    made = program.post(
        "activities/",
        {
            "kind": "note",
            "body": "They like it.\nReally.",
            "about": {"type": "deal", "id": str(deal.pk)},
        },
    )

    assert made.status_code == 201, made.content
    assert made.json()["about"] == {"type": "deal", "id": str(deal.pk)}
    assert (made.json()["name"], made.json()["account"]) == ("They like it.", str(deal.account_id))
    assert program.get("activities/").json()["results"][0]["about"]["id"] == str(deal.pk)
    done = program.post("activities/", {"kind": "call", "name": "Rang", "done_at": "2026-11-20"})
    assert done.json()["done_at"].startswith("2026-11-20T")


@pytest.mark.parametrize(
    "about",
    [
        {"type": "deal", "id": "999"},
        {"type": "user", "id": "1"},
        {"type": "deal"},
        "deal:1",
        5,
        {"type": [], "id": "1"},
        {"type": "deal", "id": True},
    ],
)
def test_activity_about_nothing_we_know_is_refused(program, about):
    demand_problem(
        program.post("activities/", {"name": "x", "about": about}), 422, "invalid", "about"
    )


def test_place_of_an_activity_is_said_once(program, manager):
    activity = factories.activity(manager)

    answer = program.patch(f"activities/{activity.pk}/", {"about": {"type": "deal", "id": "1"}})

    demand_problem(answer, 422, "invalid", "about")


def test_configuration_is_read_whole_and_never_written(program, manager):
    team = factories.team("North")
    factories.tag("hot")
    for path, expected in (
        ("teams/", "North"),
        ("tags/", "hot"),
        ("lost-reasons/", "Price"),
        ("pipelines/", "Sales"),
    ):
        rows = program.get(path).json()["results"]
        assert expected in [row["name"] for row in rows]
        assert program.get(f"{path}{rows[0]['id']}/").json() == rows[0]
        demand_problem(program.post(path, {"name": "x"}), 405, "method_not_allowed")
        demand_problem(program.get(f"{path}999999/"), 404)
    people = program.get("users/").json()["results"]
    assert {
        "id": str(manager.pk),
        "name": manager.name,
        "email": manager.email,
        "active": True,
    } in people
    assert set(people[0]) == {"id", "name", "email", "active"}
    stages = program.get("pipelines/").json()["results"][0]["stages"]
    assert [stage["kind"] for stage in stages] == ["open"] * 4 + ["won", "lost"]
    assert program.get(f"teams/{team.pk}/").json()["name"] == "North"


def test_configuration_pages_walk_every_row_once(program, manager):
    for _number in range(5):
        factories.user()
    seen, address = [], "/api/v1/users/?limit=2&count=1"
    while address:
        answer = program.get(address.partition("testserver")[2] or address).json()
        seen += [row["id"] for row in answer["results"]]
        address = answer["next"]
    assert len(seen) == len(set(seen)) == answer["total"] == 6


def test_custom_fields_are_read_and_written_by_their_name(program, manager):
    from crm_core.fields.models import CustomField
    from crm_platform.kernel import snapshot

    CustomField.objects.create(
        record_type="deal", key="colour", label="Colour", kind="choice", options=["red", "blue"]
    )
    CustomField.objects.create(record_type="deal", key="weight", label="Weight", kind="decimal")
    CustomField.objects.create(record_type="deal", key="seen", label="Seen", kind="date")
    CustomField.objects.create(record_type="deal", key="sure", label="Sure", kind="boolean")
    CustomField.objects.create(
        record_type="deal", key="many", label="Many", kind="multi_choice", options=["a", "b"]
    )
    snapshot.bump()
    sent = {
        "x_colour": "red",
        "x_weight": 1.5,
        "x_seen": "2026-01-31",
        "x_sure": True,
        "x_many": ["a", "b"],
    }

    made = program.post("deals/", {"name": "d", **sent})

    assert made.status_code == 201, made.content
    assert {name: made.json()[name] for name in sent} == sent
    demand_problem(
        program.post("deals/", {"name": "d", "x_colour": "green"}), 422, "invalid", "x_colour"
    )
    assert [
        row["name"] for row in program.get("deals/?x_colour=red&x_weight=1.5").json()["results"]
    ] == ["d"]
    assert program.get("deals/?x_colour=blue").json()["results"] == []
    properties = program.get("schema/").json()["components"]["schemas"]["DealCreate"]["properties"]
    assert properties["x_colour"]["enum"][:2] == ["red", "blue"]
