"""The staff's pages through the front door: what they show, what they refuse, what they cost."""

import secrets

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_core.audit.models import Entry
from crm_core.records.models import Account, Contact
from crm_core.registry import record_types
from crm_core.sales.models import LostReason
from crm_platform.identity.models import ConfigVersion
from crm_platform.kernel import tenancy
from tests import factories

BUDGETS = {  # SQL statements of the view with its middleware; BEGIN and COMMIT not counted
    "/": 8, "/contacts/": 4, "/accounts/": 4, "/deals/": 4, "/activities/": 4, "/deals/board/": 4,
    "/tasks/": 5, "/inbox/": 3, "/palette/?q=a": 2, "/search/?q=a": 3, "/contacts/trash/": 3,
    "/reports/deals-by-stage/": 3, "/settings/pipelines/": 5, "/settings/fields/": 3,
    "/settings/tags/": 3, "/settings/history/": 3, "/settings/company/": 2, "/help/": 2,
    "/contacts/new/": 3, "/contacts/pick/?q=a": 2, "/contacts/columns/": 2, "/welcome/": 2,
}  # fmt: skip


@pytest.fixture
def filled(owner):
    """A company with a few records of every kind."""
    account = factories.account(owner, name="台北科技股份有限公司", phone="+886 2 2234 5678")
    contact = factories.contact(
        owner, name="Ann <b>Lee</b>", account=account.pk, email="a@b.example"
    )
    deal = factories.deal(owner, name="Kiosks", account=account.pk, contact=contact.pk)
    factories.activity(owner, about=("deal", deal.pk), due_at="2026-11-01")
    factories.activity(owner, about=("contact", contact.pk), kind="note", name="", body="**Hi**")
    return {"account": account, "contact": contact, "deal": deal}


@pytest.fixture
def browser(in_acme, client_for, owner):
    return client_for(in_acme, owner)


@pytest.fixture
def settled(filled):
    """Configuration as after its transaction: kept under a version no other test ever had."""
    number = secrets.randbelow(2**30)
    ConfigVersion.objects.update_or_create(pk=1, defaults={"version": number})
    tenancy.unit_facts().update(config_changed=False, config_version=number)


@pytest.mark.parametrize("path", BUDGETS)
def test_page_stays_within_its_statements(browser, settled, path):
    assert browser.get(path).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        browser.get(path)
    sent = [q["sql"] for q in captured if "SAVEPOINT" not in q["sql"]]

    assert len(sent) <= BUDGETS[path], "\n".join(sent)


@pytest.mark.parametrize(("kind", "most"), [("account", 9), ("contact", 8), ("deal", 8)])
def test_record_page_stays_within_its_statements(browser, filled, settled, kind, most):
    path = f"/{filled[kind]._meta.model_name}s/{filled[kind].pk}/"
    assert browser.get(path).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        browser.get(path)
    sent = [q["sql"] for q in captured if "SAVEPOINT" not in q["sql"]]

    assert len(sent) <= most, "\n".join(sent)


def test_lists_cost_the_same_with_many_rows(browser, owner, settled):
    browser.get("/contacts/")
    with CaptureQueriesContext(connection) as few:
        browser.get("/contacts/")
    for _turn in range(20):
        factories.contact(owner, tags=[])
    with CaptureQueriesContext(connection) as many:
        browser.get("/contacts/")

    assert len(many) <= len(few)


def test_names_are_escaped_everywhere(browser, filled):
    for path in ("/contacts/", f"/contacts/{filled['contact'].pk}/", "/search/?q=ann",
                 f"/deals/{filled['deal'].pk}/", "/palette/?q=ann"):  # fmt: skip
        body = browser.get(path).content.decode()
        assert "<b>Lee</b>" not in body
        assert "Ann" in body


def test_note_shows_markdown_and_drops_scripts(browser, filled):
    where = f"/contacts/{filled['contact'].pk}/"
    browser.post(f"{where}compose/", {
        "kind": "note", "body": "**bold** <script>alert(1)</script> [x](javascript:alert(1))",
    })  # fmt: skip
    body = browser.get(where).content.decode()

    assert "<strong>bold</strong>" in body
    assert "<script>alert" not in body
    assert 'href="javascript' not in body


def test_creating_a_contact_with_a_new_company_makes_both(browser, owner):
    answer = browser.post("/contacts/new/", {
        "short": "1", "name": "Bo", "account": "new:Brand New Ltd", "email": "bo@new.example",
    })  # fmt: skip

    made = Contact.objects.get(name="Bo")
    assert (answer.status_code, answer["Location"]) == (302, f"/contacts/{made.pk}/")
    assert made.account.name == "Brand New Ltd"


def test_a_refused_form_keeps_what_was_typed_and_writes_nothing(browser):
    answer = browser.post("/contacts/new/", {"short": "1", "name": "Bo", "email": "nonsense"})

    assert answer.status_code == 422
    assert "nonsense" in answer.content.decode()
    assert not Contact.objects.filter(name="Bo").exists()


def test_a_company_made_on_the_way_is_not_kept_when_the_contact_is_refused(browser):
    browser.post("/contacts/new/", {"name": "Bo", "account": "new:Ghost", "birthday": "soon"})

    assert not Account.objects.filter(name="Ghost").exists()


def test_edit_in_place_saves_and_refuses_an_old_version(browser, filled):
    where = f"/contacts/{filled['contact'].pk}/field/title/"
    saved = browser.post(where, {"title": "CFO", "version": 1}, headers={"HX-Request": "true"})
    stale = browser.post(where, {"title": "CEO", "version": 1}, headers={"HX-Request": "true"})

    assert (saved.status_code, stale.status_code) == (200, 422)
    assert "Somebody else changed this" in stale.content.decode()
    assert Contact.objects.get(pk=filled["contact"].pk).title == "CFO"


def test_bulk_assign_tag_delete_and_undo(browser, owner, filled):
    other, tag = factories.user(), factories.tag("VIP")
    ids = [filled["contact"].pk]
    browser.post("/contacts/bulk/assign/", {"id": ids, "owner": other.pk})
    browser.post("/contacts/bulk/tag/", {"id": ids, "tag": tag.pk})
    row = Contact.objects.get(pk=ids[0])
    assert (row.owner_id, row.tag_ids) == (other.pk, [tag.pk])

    browser.post("/contacts/bulk/delete/", {"all": "1", "filter": "q=ann"})
    assert Contact.objects.get(pk=ids[0]).deleted_at is not None
    batch = Entry.objects.filter(verb="contact.deleted").latest("id").batch
    browser.post("/undo/", {"batch": str(batch)})
    assert Contact.objects.get(pk=ids[0]).deleted_at is None


def test_bulk_act_on_nothing_is_refused(browser, filled):
    answer = browser.post("/contacts/bulk/delete/", {}, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    assert Contact.objects.filter(pk=filled["contact"].pk, deleted_at=None).exists()


def test_trash_shows_and_restores(browser, filled):
    browser.post(f"/contacts/{filled['contact'].pk}/delete/")
    assert "Ann" in browser.get("/contacts/trash/").content.decode()
    browser.post("/contacts/restore/", {"id": filled["contact"].pk})

    assert Contact.objects.filter(pk=filled["contact"].pk, deleted_at=None).exists()


def test_losing_a_deal_needs_a_reason_on_the_page_too(browser, filled):
    where = f"/deals/{filled['deal'].pk}/lost/"
    refused = browser.post(where, {"stage": "lost"})
    taken = browser.post(where, {"stage": "lost", "lost_reason": LostReason.objects.first().pk})

    assert (refused.status_code, taken.status_code) == (422, 302)


def test_a_move_answers_with_the_heads_of_both_columns(browser, filled):
    to = factories.stage("Proposal")
    answer = browser.post(
        f"/deals/{filled['deal'].pk}/move/", {"stage": to.pk, "version": 1},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    body = answer.content.decode()

    assert answer.status_code == 200
    assert body.count("hx-swap-oob") == 2
    assert "toast" in answer["HX-Trigger"]


def test_more_cards_continue_where_the_column_ended(browser, owner, filled):
    for number in range(45):
        factories.deal(owner, name=f"More {number:02}")
    body = browser.get("/deals/board/").content.decode()
    start = body.index('hx-get="/deals/board/') + len('hx-get="')
    more = browser.get(body[start : body.index('"', start)].replace("&amp;", "&")).content.decode()

    assert body.count('<li class="card') == 40
    assert more.count('<li class="card') == 6


def test_saved_view_remembers_filter_and_marks_a_change(browser, owner, filled):
    browser.post("/contacts/views/new/", {"name": "Mine", "query": "f=owner.is.me&sort=-name"})
    body = browser.get("/contacts/").content.decode()
    assert "Mine" in body
    start = body.index('href="/contacts/?view=') + len('href="')
    href = body[start : body.index('"', start)].replace("&amp;", "&")

    assert "Save changes" not in browser.get(href).content.decode()
    assert "Save changes" in browser.get(href + "&f=title.filled.").content.decode()


def test_views_of_others_are_not_open(browser, in_acme, client_for, member):
    client_for(in_acme, member).post("/contacts/views/new/", {"name": "Private", "query": ""})
    from crm_core.fields.models import SavedView

    view = SavedView.objects.get(name="Private")
    assert browser.get(f"/contacts/?view={view.pk}").status_code == 404


@pytest.mark.parametrize("path", ["/contacts/?f=bad", "/contacts/?sort=nope", "/contacts/?after=x",
                                  "/deals/board/?pipeline=99", "/contacts/99999999/"])  # fmt: skip
def test_a_wrong_address_is_explained(browser, path):
    answer = browser.get(path)

    assert answer.status_code in (404, 422)
    assert "<h1" in answer.content.decode()


def test_stranger_is_sent_to_sign_in_and_back(in_acme, client_for):
    answer = client_for(in_acme).get("/deals/board/?f=owner.is.me")

    assert answer["Location"] == "/sign-in/?next=%2Fdeals%2Fboard%2F%3Ff%3Downer.is.me"


def test_every_kind_has_its_pages(browser, owner):
    for kind in record_types():
        record = factories.record(kind.name, owner)
        for path in (f"/{kind.slug}/", f"/{kind.slug}/new/", f"/{kind.slug}/{record.pk}/"):
            assert browser.get(path).status_code == 200, path
