"""A role from which facts are hidden: neither sums, nor cards, nor a search give them away."""

import pytest

from crm_core.search import queries as search
from crm_platform.kernel import snapshot
from tests import factories

SUM = "7,654,321"
SHORT = "7.7M"


@pytest.fixture
def clerk(in_acme, manager):
    """Somebody who sees every record, but neither amounts nor how people are reached."""
    role = factories.custom_role({"*": {"view": "all", "create": "all", "edit": "all"}})
    role.field_limits = {
        "deal": {"amount": "hidden", "account": "hidden"},
        "contact": {"phone": "hidden", "email": "hidden"},
    }
    role.save()
    snapshot.bump()
    account = factories.account(manager, name="Discreet Partners")
    factories.deal(manager, name="Big one", amount="7654321", account=account.pk)
    factories.contact(
        manager, name="Wilhelmina Ash", phone="+886 2 2987 6543", email="w@secretive.example"
    )
    return factories.user(role=role)


@pytest.fixture
def page_of(in_acme, client_for):
    return lambda user, path: client_for(in_acme, user).get(path).content.decode()


@pytest.mark.parametrize("path", ["/", "/deals/board/", "/deals/", "/reports/deals-by-stage/"])
def test_no_page_shows_an_amount_or_a_sum_of_them(page_of, clerk, manager, path):
    assert any(text in page_of(manager, path) for text in (SUM, SHORT))

    shown = page_of(clerk, path)

    assert SUM not in shown
    assert SHORT not in shown
    assert "US$" not in shown


def test_home_tells_how_many_deals_there_are_instead(page_of, clerk):
    shown = page_of(clerk, "/")

    assert "Open deals" in shown
    assert "Weighted forecast" not in shown


def test_card_leaves_out_what_is_hidden(page_of, clerk, manager):
    assert "Discreet Partners" in page_of(manager, "/deals/board/")

    assert "Discreet Partners" not in page_of(clerk, "/deals/board/")


def test_heads_that_change_with_a_move_hold_no_sum(in_acme, client_for, clerk, manager):
    from crm_core.sales.models import Deal

    deal, to = Deal.objects.get(name="Big one"), factories.stage("Proposal")
    answer = client_for(in_acme, clerk).post(
        f"/deals/{deal.pk}/move/", {"stage": to.pk, "version": deal.version},
        headers={"HX-Request": "true"},
    )  # fmt: skip

    assert answer.status_code == 200
    assert "US$" not in answer.content.decode()


@pytest.mark.parametrize("words", ["6543", "secretive", "+886229876543"])
def test_search_finds_nothing_by_a_fact_that_is_hidden(page_of, clerk, manager, words):
    assert [hit.title for hit in search.find(manager, words)] == ["Wilhelmina Ash"]

    assert search.find(clerk, words) == []
    assert "Wilhelmina" not in page_of(clerk, f"/contacts/?q={words}")
    assert "Wilhelmina" not in page_of(clerk, f"/contacts/pick/?q={words}")


def test_search_still_finds_by_name(clerk):
    assert [hit.title for hit in search.find(clerk, "wilhel")] == ["Wilhelmina Ash"]
    assert [hit.title for hit in search.find(clerk, "big")] == ["Big one"]
