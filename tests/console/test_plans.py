"""Operators keep the plans: drafted, priced, published, never changed afterwards."""

import pytest

from billing import operating
from billing.models import Plan
from crm_platform.console.services import billing as services
from crm_platform.kernel.errors import Conflict, Invalid
from tests.conftest import NOON, unique
from tests.console.test_billing import entries
from tests.stripe_peer.client import KEY


@pytest.fixture
def plan(operator):
    """A plan of its own with an empty draft."""
    key = f"plan-{unique()}"
    body = {"key": key, "name_en": "Team", "name_zh_hant": "團隊", "name_zh_hans": ""}
    assert operator.post("/billing/plans/new/", body).status_code == 302
    return Plan.objects.get(key=key)


def draft_of(plan):
    return operating.draft_of(plan)


def test_plan_is_added_priced_published_and_drafted_anew(operator, plan):
    assert (plan.names, plan.is_public) == ({"en": "Team", "zh-hant": "團隊"}, False)
    page = f"/billing/plans/{plan.pk}/"
    publish = f"/billing/versions/{draft_of(plan).pk}/publish/"
    assert "Not published yet" in operator.get(page).content.decode()
    assert operator.post(publish).status_code == 422

    body = {"USD_month": "1,040.50", "USD_month_least": "3", "USD_month_most": "50",
            "TWD_year": "16,000", "import_rows": "1000"}  # fmt: skip
    change = f"/billing/versions/{draft_of(plan).pk}/"
    assert operator.post(change, body).status_code == 302
    prices = list(draft_of(plan).prices.values_list(
        "currency", "interval", "unit_amount", "least_seats", "most_seats"))  # fmt: skip
    assert prices == [("TWD", "year", 1_600_000, 1, None), ("USD", "month", 104_050, 3, 50)]
    text = operator.get(page).content.decode()
    for shown in ("Price: USD, Month", "US$1,040.50", "NT$16,000", 'value="1040.50"'):
        assert shown in text
    [(_reason, facts)] = entries("plan.changed")[-1:]
    assert facts["price:USD:month"] == [None, "US$1,040.50"]
    assert facts["limit:import_rows"] == [None, 1000]
    operator.post(change, body)
    assert len(entries("plan.changed")) == 1

    assert operator.post(publish).status_code == 302
    assert '<span class="num">US$1,040.50' in operator.get("/billing/plans/").content.decode()
    assert operator.post(change, {**body, "USD_month": "1"}).status_code == 422
    assert operating.published_of(plan).prices.get(currency="USD").unit_amount == 104_050

    assert operator.post(f"{page}draft/").status_code == 302
    assert draft_of(plan).number == 2
    assert draft_of(plan).entitlements == {"import_rows": 1000}
    assert "the same as what is published" in operator.get(page).content.decode()
    operator.post(f"{page}draft/")
    assert [facts["version"] for _r, facts in entries("plan.drafted")] == [2]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [({"USD_month": "50.005"}, "USD, Month: USD has 2 decimals at most"),
     ({"JPY_year": "7500.5"}, "JPY, Year: JPY is charged in whole units"),
     ({"USD_month": "50", "USD_month_least": "0"}, "USD, Month: "),
     ({"USD_month": "50", "USD_month_least": "9", "USD_month_most": "3"},
      "The fewest seats are more than the most"),
     ({"import_rows": "-1"}, "greater than or equal to 0")],
)  # fmt: skip
def test_draft_that_cannot_be_is_refused_and_keeps_what_was_typed(operator, plan, body, sentence):
    answer = operator.post(f"/billing/versions/{draft_of(plan).pk}/", body)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert sentence in text
    assert all(f'value="{value}"' in text for value in body.values())
    assert not draft_of(plan).prices.exists()


def test_plan_needs_a_name_and_a_key_of_its_own(operator, platform_operator):
    taken = {"key": "standard", "name_en": "Another"}
    answer = operator.post("/billing/plans/new/", taken)
    assert answer.status_code == 422
    assert "Another plan has this key" in answer.content.decode()
    assert operator.post("/billing/plans/new/", {"key": "x", "name_en": ""}).status_code == 422
    with pytest.raises(Invalid):
        services.add_plan(key="x", names={}, is_public=True, actor=platform_operator, at=NOON)
    assert operator.get("/billing/plans/new/").status_code == 200


def test_published_version_never_changes(platform_operator, plan):
    version = operating.published_of(Plan.objects.get(key="standard"))
    with pytest.raises(Conflict):
        services.change_draft(
            version_id=version.pk, prices=[], limits={}, actor=platform_operator, at=NOON
        )
    with pytest.raises(Conflict):
        services.publish_plan(version_id=version.pk, actor=platform_operator, at=NOON)


def test_plan_tells_which_prices_the_payment_service_has(operator, plan, settings):
    page = f"/billing/plans/{plan.pk}/"
    change, publish = (f"/billing/versions/{draft_of(plan).pk}/{act}" for act in ("", "publish/"))
    operator.post(change, {"USD_month": "50", "TWD_month": "1600"})
    operator.post(publish)
    settings.STRIPE = {**settings.STRIPE, "key": ""}
    assert "payment service" not in operator.get(page).content.decode()

    settings.STRIPE = {**settings.STRIPE, "key": KEY}
    operating.published_of(plan).prices.filter(currency="USD").update(provider_id="price_1Team")

    text = operator.get(page).content.decode()
    assert text.count('<small class="con-remote dim">') == text.count(">price_1Team<") == 1
    assert "One without a key is made there" in text
