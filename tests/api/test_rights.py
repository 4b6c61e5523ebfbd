"""Rights through the API: levels, hidden records and fields, nothing smuggled in."""

import pytest

from crm_core.records.models import Contact
from crm_core.registry import record_type, record_types
from crm_core.sales.models import Deal
from crm_platform.kernel import snapshot
from tests import factories
from tests.api.conftest import demand_problem

ALL = dict.fromkeys(("view", "create", "edit", "delete", "export"), "all")
KINDS = ("account", "contact", "deal", "activity")
GUESSED = (
    "id",
    "pk",
    "version",
    "created_at",
    "created_by",
    "created_by_id",
    "updated_at",
    "updated_by",
    "deleted_at",
    "deleted_by",
    "batch",
    "owner_id",
    "owner_name",
    "team_id",
    "tenant",
    "company",
    "company_id",
    "schema",
    "custom",
    "tag_ids",
    "rank",
    "stage_id",
    "pipeline_id",
    "closed_at",
    "stage_since",
    "last_touch_at",
    "next_step_at",
    "next_step_kind",
    "about",
    "about_type",
    "about_id",
    "moment",
    "role",
    "role_id",
    "is_staff",
    "is_superuser",
    "is_admin",
    "permissions",
    "seats",
    "plan",
    "subscription",
    "stripe_customer",
    "balance",
    "user",
    "password",
    "__class__",
    "_state",
    "objects",
    "deleted",
    "account_id",
    "account__name",
    "x_unknown",
    "lost_note",
)


def role_of(level, kind="deal", **more):
    verbs = dict.fromkeys(("view", "create", "edit", "delete", "export"), level)
    return factories.custom_role({"*": ALL, kind: {**verbs, **more}})


@pytest.mark.parametrize("kind", KINDS)
def test_viewer_reads_and_changes_nothing(program_of, viewer, manager, kind):
    record, program = factories.record(kind, manager), program_of(viewer)
    address = f"{record_type(kind).slug}/{record.pk}/"

    assert program.get(address).status_code == 200
    for answer in (
        program.post(f"{record_type(kind).slug}/", {"name": "x"}),
        program.patch(address, {"name": "x"}),
        program.delete(address),
    ):
        demand_problem(answer, 403, "not_allowed")
    record.refresh_from_db()
    assert (record.version, record.deleted_at) == (1, None)


def test_member_deletes_only_their_own(program_of, member, manager):
    mine, theirs, program = factories.deal(member), factories.deal(manager), program_of(member)

    demand_problem(program.delete(f"deals/{theirs.pk}/"), 403)
    assert program.delete(f"deals/{mine.pk}/").status_code == 204
    assert program.post(f"deals/{mine.pk}/restore/").status_code == 200


@pytest.mark.parametrize("level", ["own", "team", "below", "all"])
def test_each_level_shows_its_records_and_hides_the_rest_from_every_act(program_of, manager, level):
    north = factories.team("North")
    below, south = factories.team("Below", parent=north), factories.team("South")
    me = factories.user(role=role_of(level), team=north)
    deals = {
        "own": factories.deal(me, team=south.pk),
        "team": factories.deal(factories.user(team=north)),
        "below": factories.deal(factories.user(team=below)),
        "all": factories.deal(factories.user(team=south)),
    }
    reach = ["own", "team", "below", "all"]
    seen = {deals[name].pk for name in reach[: reach.index(level) + 1]}
    program = program_of(me)

    rows = program.get("deals/?limit=200&count=1").json()
    assert {int(row["id"]) for row in rows["results"]} == seen
    assert rows["total"] == len(seen)
    for deal in deals.values():
        address = f"deals/{deal.pk}/"
        open_ = deal.pk in seen
        assert program.get(address).status_code == (200 if open_ else 404)
        assert program.patch(address, {"name": "x"}).status_code == (200 if open_ else 404)
        stage = str(factories.stage("Discovery").pk)
        assert program.post(f"{address}move/", {"stage": stage}).status_code == (
            200 if open_ else 404
        )
        assert program.delete(address).status_code == (204 if open_ else 404)
        assert program.post(f"{address}restore/").status_code == (200 if open_ else 404)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_closed_is_written_by_naming_it(program, manager, kind):
    record = factories.record(kind, manager)
    model, address = record_type(kind).model, f"{record_type(kind).slug}/{record.pk}/"
    before = model.objects.filter(pk=record.pk).values().get()
    writable = set(
        program.get("schema/").json()["components"]["schemas"][f"{kind.title()}Edit"]["properties"]
    )
    documented = set(program.get(address).json()) - writable
    tried = sorted(documented | (set(GUESSED) - writable))

    for name in tried:
        for value in ("1", True):
            answer = program.patch(address, {name: value})
            demand_problem(answer, 422, "invalid", name)
    demand_problem(program.patch(address, dict.fromkeys(tried, "1")), 422)
    demand_problem(
        program.post(f"{record_type(kind).slug}/", {"name": "n", "id": "77", "deleted_at": None}),
        422,
    )

    assert len(tried) > 30
    assert model.objects.filter(pk=record.pk).values().get() == before


def test_hidden_record_is_linked_by_nobody_who_cannot_see_it(program_of, manager):
    me = factories.user(role=role_of("own", "account"))
    hidden, program = factories.account(manager, name="Secret"), program_of(me)
    deal = factories.deal(me)

    for path, field in (("deals/", "account"), ("contacts/", "account"), ("accounts/", "parent")):
        for wrong in (str(hidden.pk), hidden.pk, "999999"):
            found = demand_problem(
                program.post(path, {"name": "x", field: wrong}), 422, "invalid", field
            )
            assert "Secret" not in str(found)
    demand_problem(
        program.patch(f"deals/{deal.pk}/", {"account": str(hidden.pk)}), 422, "invalid", "account"
    )
    about = {"type": "account", "id": str(hidden.pk)}
    demand_problem(
        program.post("activities/", {"name": "x", "about": about}), 422, "invalid", "about"
    )
    assert program.get(f"deals/?account={hidden.pk}").json()["results"] == []
    deal.refresh_from_db()
    assert deal.account_id is None


@pytest.mark.parametrize("rights", [{**ALL, "view": "own"}, {**ALL, "view": "none"}])
def test_record_one_may_not_see_is_answered_like_one_that_is_not_there(
    program_of, client_for, in_acme, manager, rights
):
    """Whatever else the role may do with records of that kind; also in the trash."""
    me = factories.user(role=factories.custom_role({"*": rights}))
    program, page = program_of(me), client_for(in_acme, me)
    live, deleted = factories.contact(manager, name="Live"), factories.contact(manager, name="Gone")
    assert program_of(manager).delete(f"contacts/{deleted.pk}/").status_code == 204

    def answers(pk):
        return [
            demand_problem(program.get(f"contacts/{pk}/"), 404),
            demand_problem(program.patch(f"contacts/{pk}/", {"name": "x"}), 404),
            demand_problem(program.delete(f"contacts/{pk}/"), 404),
            demand_problem(program.post(f"contacts/{pk}/restore/"), 404),
            page.post(f"/contacts/{pk}/delete/").status_code,
            page.post("/contacts/restore/", {"id": pk}).status_code,
        ]

    absent = answers(987_654_321)
    assert answers(live.pk) == absent
    assert answers(deleted.pk) == absent
    assert Contact.objects.get(pk=live.pk).deleted_at is None
    assert Contact.objects.get(pk=deleted.pk).deleted_at is not None


def test_hidden_field_is_in_no_answer_filter_order_or_schema(program_of, manager):
    role = factories.custom_role({"*": ALL})
    role.field_limits = {"deal": {"amount": "hidden", "close_date": "read"}}
    role.save()
    snapshot.bump()
    deal, program = factories.deal(manager, amount="777"), program_of(factories.user(role=role))
    address = f"deals/{deal.pk}/"

    assert "amount" not in program.get(address).json()
    assert "777" not in program.get("deals/").content.decode()
    for query in ("f=amount.gte.1", "amount=777", "sort=amount"):
        demand_problem(program.get(f"deals/?{query}"), 422)
    demand_problem(program.patch(address, {"amount": "1"}), 422, "invalid", "amount")
    demand_problem(
        program.patch(address, {"close_date": "2026-01-01"}), 422, "invalid", "close_date"
    )
    assert program.get(address).json()["close_date"] is None
    schemas = program.get("schema/").json()["components"]["schemas"]
    assert "amount" not in schemas["Deal"]["properties"]
    assert "close_date" not in schemas["DealEdit"]["properties"]
    deal.refresh_from_db()
    assert str(deal.amount) == "777.00"


def test_records_of_the_other_company_do_not_exist(program, globex):
    from crm_platform.kernel import tenancy

    with tenancy.unit_of_work(globex):
        other = factories.user(role="owner")
        ids = [factories.record(kind.name, other).pk for kind in record_types()]
    for kind, pk in zip(record_types(), ids, strict=True):
        # Ids may be the same in both: what counts is that only ours can be reached.
        if not kind.model.objects.filter(pk=pk).exists():
            demand_problem(program.get(f"{kind.slug}/{pk}/"), 404)
            demand_problem(program.delete(f"{kind.slug}/{pk}/"), 404)
    assert (Deal.objects.count(), Contact.objects.count()) == (0, 0)
    assert program.get("users/").json()["results"][0]["email"] != other.email
