"""Deals: making, moving, closing; what each leaves behind."""

import pytest

from crm_core.audit.models import Entry
from crm_core.records.models import Account
from crm_core.sales import queries, services
from crm_core.sales.models import LostReason, StageStay
from crm_core.search import queries as search
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed
from tests import factories
from tests.factories import NOON


def test_create_deal_without_a_stage_begins_in_the_first_open_one(manager):
    deal = factories.deal(manager)

    assert deal.stage.name == "Qualify"
    assert deal.currency == "USD"
    assert deal.owner == manager


def test_move_deal_to_a_won_stage_closes_it_at_the_given_moment(manager):
    deal, won = factories.deal(manager), factories.stage(kind="won")

    moved = services.move_deal(deal=deal, to=won.pk, actor=manager, at=NOON)

    assert (moved.stage_id, moved.closed_at) == (won.pk, NOON)
    assert Entry.objects.filter(verb="deal.moved", record_id=deal.pk).count() == 1
    assert list(
        StageStay.objects.filter(deal=deal).order_by("pk").values_list("left_at", flat=True)
    ) == [
        NOON,
        None,
    ]


def test_move_deal_to_a_lost_stage_without_a_reason_is_refused_and_changes_nothing(manager):
    deal, lost = factories.deal(manager), factories.stage(kind="lost")

    with pytest.raises(Invalid) as refused:
        services.move_deal(deal=deal, to=lost.pk, actor=manager, at=NOON)

    assert refused.value.field == "lost_reason"
    deal.refresh_from_db()
    assert deal.stage.name == "Qualify"


def test_move_deal_back_to_an_open_stage_reopens_it(manager):
    deal, lost, first = (
        factories.deal(manager),
        factories.stage(kind="lost"),
        factories.stage("Qualify"),
    )
    reason = LostReason.objects.first()
    services.move_deal(deal=deal, to=lost.pk, actor=manager, at=NOON, lost_reason=reason.pk)

    moved = services.move_deal(deal=deal, to=first.pk, actor=manager, at=NOON)

    assert (moved.closed_at, moved.lost_reason_id) == (None, None)


def test_move_deal_with_an_old_version_is_refused(manager):
    deal, to = factories.deal(manager), factories.stage("Proposal")
    services.move_deal(deal=deal, to=to.pk, actor=manager, at=NOON)

    with pytest.raises(Conflict):
        services.move_deal(deal=deal, to=to.pk, actor=manager, at=NOON, version=1)


def test_cards_dropped_between_two_keep_their_order(manager):
    first = factories.stage("Qualify")
    a, b, c = (factories.deal(manager, name=name) for name in "abc")
    services.move_deal(deal=a, to=first.pk, actor=manager, at=NOON, to_end=True)
    services.move_deal(deal=b, to=first.pk, actor=manager, at=NOON, to_end=True)

    services.move_deal(deal=c, to=first.pk, actor=manager, at=NOON, before=b.pk)

    rows = queries.cards(type(a).objects.filter(pk__in=[a.pk, b.pk, c.pk]), [first.pk], size=9)
    assert [row.name for row in rows] == ["a", "c", "b"]


def test_viewer_moves_no_deal(manager, viewer):
    deal, to = factories.deal(manager), factories.stage("Proposal")

    with pytest.raises(NotAllowed):
        services.move_deal(deal=deal, to=to.pk, actor=viewer, at=NOON)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("科技", True),
        ("台北", True),
        ("股份有限", True),
        ("北科", True),
        ("技科", False),
        ("345678", True),
        ("+886 2 2234-5678", True),
        ("taipei-tech", True),
        ("tech", True),
        ("x", False),
    ],
)
def test_search_finds_an_account_by_what_people_remember(manager, words, found):
    account = factories.account(
        manager,
        name="台北科技股份有限公司",
        phone="+886 2 2234-5678",
        email="sales@taipei-tech.example",
    )

    hits = search.find(manager, words)

    assert (account.pk in [hit.id for hit in hits if hit.kind.name == "account"]) is found


def test_search_forgets_a_deleted_record(manager):
    from crm_core.fields import services as fields
    from crm_core.registry import record_type

    account = factories.account(manager, name="Zanzibar Trading")
    fields.delete_records(kind=record_type("account"), ids=[account.pk], actor=manager, at=NOON)

    assert search.find(manager, "zanzibar") == []
    assert Account.objects.filter(pk=account.pk, deleted_at__isnull=False).exists()
