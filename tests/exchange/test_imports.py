"""What an import writes: records with their links, dates, history; and that every row counts."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_core.activities.models import Activity
from crm_core.audit.models import Entry
from crm_core.exchange import services
from crm_core.fields.models import CustomField
from crm_core.records.models import Account, Contact
from crm_core.sales.models import Deal, LostReason, Stage
from crm_core.search import queries as search
from crm_platform.kernel import snapshot
from crm_platform.kernel.errors import Invalid, NotAllowed
from tests import factories
from tests.exchange.conftest import bring_in, counts, csv_bytes, draft, issues, people
from tests.factories import NOON


def test_import_of_contacts_makes_them_with_company_dates_history_and_search(manager):
    job = bring_in("contact", people(20), manager)

    assert (job.state, *counts(job)) == ("done", 20, 0, 0, 0)
    contact = Contact.objects.select_related("account").get(name="Person 9")
    assert (contact.account.name, contact.email, contact.owner_id) == (
        "Company 2", "p9@example.com", manager.pk,
    )  # fmt: skip
    assert contact.created_at == dt.datetime(2020, 1, 5, 4, tzinfo=dt.UTC)  # noon in Taipei
    assert (contact.batch, contact.updated_at, contact.version) == (job.batch, NOON, 1)
    entry = Entry.objects.get(record_type="contact", record_id=contact.pk)
    assert (entry.verb, entry.channel, entry.batch) == ("contact.imported", "import", job.batch)
    assert Account.objects.count() == 7
    assert contact.pk in [hit.id for hit in search.find(manager, "p9@example.com")]
    assert Account.objects.first().pk in [hit.id for hit in search.find(manager, "Company 0")]


def test_number_of_statements_depends_on_chunks_not_on_rows(manager):
    def statements(count, start):
        job = draft("contact", people(count, start=start), manager)
        services.start(job=job, actor=manager, at=NOON, ring=False)
        with CaptureQueriesContext(connection) as seen:
            services.run(job_id=job.pk, clock=lambda: NOON)
        return len(seen)

    statements(10, 0)

    assert statements(20, 1000) == statements(900, 5000)


def test_counters_add_up_with_good_bad_known_and_repeated_rows(manager):
    factories.contact(manager, name="Old", email="OLD@example.com", title="Buyer")
    content = csv_bytes(
        ("Name", "Mail", "Title", "Birthday"),
        ("New", "new@example.com", "", ""),
        ("Older", "old@example.com", "", ""),
        ("", "noname@example.com", "", ""),
        ("Bad", "no mail", "", "tomorrow"),
        ("New again", "NEW@example.com", "CEO", ""),
        ("Nameless again", "noname@example.com", "", ""),
        ("No mail", "", "", ""),
        ("x" * 201, "", "", ""),
    )
    job = bring_in("contact", content, manager)

    assert counts(job) == (3, 2, 0, 3)
    assert job.seen == job.total == 8
    assert [row for row, outcome, _why in issues(job) if outcome == "failed"] == [4, 5, 9]
    assert issues(job)[1][2] == (
        "“no mail” is not a mail address. “tomorrow” is not a date; write it as 2026-12-31."
    )
    old = Contact.objects.get(email="old@example.com")
    assert (old.name, old.title, old.version) == ("Older", "Buyer", 2)
    new = Contact.objects.get(email__iexact="new@example.com")
    assert (new.name, new.title) == ("New again", "CEO")


def test_an_update_writes_history_with_old_and_new_and_leaves_empty_cells_alone(manager):
    contact = factories.contact(manager, name="Anna", email="a@example.com", city="Rome")
    content = csv_bytes(("Name", "Mail", "City", "Phone"), ("Anna", "a@example.com", "", "123456"))

    job = bring_in("contact", content, manager)

    entry = Entry.objects.get(verb="contact.edited", record_id=contact.pk)
    assert (entry.changes, entry.batch) == ({"phone": ["", "123456"]}, job.batch)
    contact.refresh_from_db()
    assert (contact.city, contact.phone, contact.updated_by) == ("Rome", "123456", manager)


def test_the_same_file_again_changes_nothing(manager):
    bring_in("contact", people(5), manager)

    again = bring_in("contact", people(5), manager)

    assert counts(again) == (0, 0, 5, 0)
    assert Entry.objects.filter(verb="contact.edited").count() == 0


def test_known_records_are_left_alone_where_skip_is_chosen(manager):
    bring_in("contact", people(2), manager)
    content = csv_bytes(("Name", "Mail"), ("Other", "p0@example.com"), ("Z", "z@example.com"))

    job = bring_in("contact", content, manager, known="skip")

    assert counts(job) == (1, 0, 1, 0)
    assert issues(job) == [(2, "skipped", "This record is here already.")]


def test_nothing_to_tell_rows_apart_by_makes_every_row_a_record(manager):
    content = csv_bytes(("Name",), ("Anna",), ("Anna",))

    assert counts(bring_in("contact", content, manager)) == (2, 0, 0, 0)


def test_links_are_found_by_name_whatever_the_case_else_by_source_id(manager):
    acme = factories.account(manager, name="ACME Trading", source_id="C-7")
    content = csv_bytes(("Name", "Company"), ("A", "acme trading"), ("B", "C-7"))

    bring_in("contact", content, manager)

    assert set(Contact.objects.values_list("account_id", flat=True)) == {acme.pk}
    assert Account.objects.count() == 1


@pytest.mark.parametrize(("links", "expected"), [("fail", (1, 0, 0, 1)), ("empty", (2, 0, 0, 0))])
def test_absent_links_are_left_out_or_fail_as_chosen(manager, links, expected):
    content = csv_bytes(("Name", "Company"), ("A", "Nowhere"), ("B", ""))

    job = bring_in("contact", content, manager, links=links)

    assert counts(job) == expected
    assert issues(job)[0][2] == "“Company”: there is no “Nowhere”."
    assert Account.objects.count() == 0


def test_accounts_belong_to_each_other_within_one_file_and_never_in_a_circle(manager):
    content = csv_bytes(
        ("Name", "Parent"), ("Child", "Mother"), ("Mother", "Grandmother"),
        ("Grandmother", "Child"),
        ("Self", "Self"),
    )  # fmt: skip
    job = bring_in("account", content, manager)

    assert counts(job) == (4, 0, 0, 0)
    above = dict(Account.objects.values_list("name", "parent__name"))
    assert above == {"Child": "Mother", "Mother": "Grandmother", "Grandmother": None, "Self": None}
    assert [row for row, _outcome, _why in issues(job)] == [4, 5]


def test_owners_are_found_by_name_or_mail_and_strangers_become_the_importing_person(
    manager, member
):
    content = csv_bytes(
        ("Name", "Owner"), ("A", member.name.upper()), ("B", member.email), ("C", "Nobody"),
    )  # fmt: skip
    job = bring_in("contact", content, manager)

    owners = dict(Contact.objects.values_list("name", "owner_id"))
    assert owners == {"A": member.pk, "B": member.pk, "C": manager.pk}
    assert issues(job) == [(4, "note", "“Owner”: nobody here is called “Nobody”, so it is you.")]


def test_strangers_become_colleagues_without_sign_in_where_chosen(owner):
    content = csv_bytes(("Name", "Owner"), ("A", "Clara Oswald"))

    bring_in("contact", content, owner, owners="create")

    made = Contact.objects.select_related("owner").get().owner
    assert (made.name, made.is_active, made.has_usable_password()) == ("Clara Oswald", False, False)


def test_custom_fields_choices_and_tags_are_read_by_their_labels(manager):
    CustomField.objects.create(
        record_type="contact", key="size", label="Größe", kind="choice", options=["Small", "Large"]
    )
    CustomField.objects.create(record_type="contact", key="score", label="Score", kind="integer")
    vip = factories.tag("VIP")
    snapshot.bump()
    content = csv_bytes(
        ("Name", "Größe", "Score", "Tags", "Prefers"), ("A", "large", "1,200", "vip", "Mail"),
        ("B", "huge", "x", "", ""),
    )  # fmt: skip
    job = bring_in(
        "contact", content, manager, columns=["name", "x_size", "x_score", "tags", "prefers"]
    )

    assert counts(job) == (1, 0, 0, 1)
    contact = Contact.objects.get()
    assert contact.custom == {"size": "Large", "score": 1200}
    assert (contact.tag_ids, contact.prefers) == ([vip.pk], "email")


# -- deals and activities ------------------------------------------------------------------------


def test_deals_come_with_stage_by_name_value_and_their_own_days(manager):
    content = csv_bytes(
        ("Deal", "Stage", "Value", "Close date", "Opened", "Currency", "Lost reason"),
        ("Open", "proposal", "NT$ 1200.50", "2026/12/31", "2026-10-01", "twd", ""),
        ("Won", "WON", "10", "2026-03-01", "2026-01-01", "", ""),
        ("Lost", "Lost", "", "2026-03-02", "", "", "price"),
        ("No reason", "Lost", "", "", "", "", ""),
        ("Nowhere", "Daydream", "", "", "", "", ""),
        ("Odd", "Won", "much", "", "", "XXX1", ""),
    )
    job = bring_in("deal", content, manager)

    deals = {deal.name: deal for deal in Deal.objects.select_related("stage", "lost_reason")}
    assert counts(job) == (4, 0, 0, 2)
    assert (deals["Open"].stage.name, deals["Open"].amount, deals["Open"].currency) == (
        "Proposal", Decimal("1200.50"), "TWD",
    )  # fmt: skip
    assert deals["Open"].closed_at is None
    assert deals["Open"].created_at == dt.datetime(2026, 10, 1, 4, tzinfo=dt.UTC)
    assert deals["Won"].closed_at == deals["Won"].stage_since
    assert deals["Won"].closed_at.date() == dt.date(2026, 3, 1)
    assert deals["Won"].lost_reason is None
    assert deals["Lost"].lost_reason.name == "Price"
    assert deals["No reason"].lost_reason.name == "Not recorded"


def test_unknown_stages_become_open_ones_before_won_where_chosen_and_allowed(manager):
    content = csv_bytes(("Deal", "Stage"), ("A", "Prospecting"), ("B", "Engaging"))

    job = bring_in("deal", content, manager, stages="create")

    assert counts(job) == (2, 0, 0, 0)
    names = [s.name for s in Stage.objects.order_by("position")]
    assert names[-4:] == ["Prospecting", "Engaging", "Won", "Lost"]
    assert set(Stage.objects.filter(name__in=names[-4:-2]).values_list("kind", flat=True)) == {
        "open"
    }


def test_a_known_deal_moves_as_the_board_moves_it(manager):
    deal = factories.deal(manager, source_id="D-1")
    content = csv_bytes(("Id", "Deal", "Stage", "Value"), ("D-1", deal.name, "Lost", "77"))

    job = bring_in("deal", content, manager)

    deal.refresh_from_db()
    assert counts(job) == (0, 1, 0, 0)
    assert (deal.stage.name, deal.amount, deal.lost_reason.name) == ("Lost", 77, "Not recorded")
    assert Entry.objects.get(verb="deal.moved", record_id=deal.pk).batch == job.batch
    assert LostReason.objects.filter(name="Not recorded").count() == 1


def test_activities_hang_on_contact_and_company_and_count_as_touch(manager):
    acme = factories.account(manager, name="Acme")
    anna = factories.contact(manager, name="Anna", account=acme.pk)
    content = csv_bytes(
        ("Subject", "Type", "Contact", "Done", "Due", "Notes"),
        ("Called", "Call", "Anna", "2026-11-01 10:00", "", ""),
        ("Visit", "Meeting", "Anna", "", "2026-12-01", ""),
        ("", "", "Anna", "", "", "Said hello\nand more"),
    )
    job = bring_in(
        "activity", content, manager,
        columns=["name", "kind", "about_contact", "done_at", "due_at", "body"],
    )  # fmt: skip

    assert counts(job) == (3, 0, 0, 0)
    call = Activity.objects.get(name="Called")
    assert (call.about_type, call.about_id, call.account_id) == ("contact", anna.pk, acme.pk)
    assert Activity.objects.get(name="Said hello").kind == "note"
    anna.refresh_from_db()
    acme.refresh_from_db()
    for record in (anna, acme):
        assert record.last_touch_at == NOON
        assert (record.next_step_at.date(), record.next_step_kind) == (
            dt.date(2026, 12, 1),
            "meeting",
        )


# -- steering ------------------------------------------------------------------------------------


def test_choices_that_cannot_work_are_refused_before_the_start(manager):
    from crm_core.exchange.choices import ColumnChoice, Options

    job = draft("contact", people(2), manager)
    name, nothing = ColumnChoice(to="name"), ColumnChoice()

    for columns, options, sentence in (
        ([name, name, nothing, nothing, nothing], Options(), "Two columns go to “Name”"),
        ([nothing] * 5, Options(), "Choose the column that holds “Name”"),
        ([name, *[nothing] * 4], Options(identify="email"), "told apart"),
        ([ColumnChoice(to="updated_at"), *[nothing] * 4], Options(), "cannot be imported"),
    ):
        with pytest.raises(Invalid, match=sentence):
            services.choose(job=job, columns=columns, options=options, actor=manager)


def test_a_viewer_and_a_field_limit_are_respected(manager, viewer):
    with pytest.raises(NotAllowed):
        draft("contact", people(2), viewer)

    role = factories.custom_role(
        {"*": {"view": "all", "create": "all"}}, abilities=("records.import",)
    )
    role.field_limits = {"contact": {"phone": "read"}}
    role.save()
    limited = factories.user(role=role)
    job = bring_in("contact", people(2), limited)

    assert set(Contact.objects.values_list("phone", flat=True)) == {""}
    assert counts(job) == (2, 0, 0, 0)
    assert counts(bring_in("contact", people(2), limited))[3] == 0


def test_records_the_person_may_not_change_fail_with_a_reason(manager):
    factories.contact(manager, name="Anna", email="p0@example.com")
    role = factories.custom_role(
        {"*": {"view": "all", "create": "all", "edit": "own"}}, abilities=("records.import",)
    )
    job = bring_in("contact", people(2), factories.user(role=role))

    assert counts(job) == (1, 0, 0, 1)
    assert Contact.objects.filter(name="Anna").exists()
