"""An owner rents, adds a seat for just what was shown, plans fewer, and stops."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import findings, prefer

PAGE = "/settings/billing/"


def test_owner_rents_adds_seats_and_stops(owner, stack):
    owner.goto(stack.company(PAGE))
    expect(owner.get_by_role("heading", name="Rent Rapport")).to_be_visible()
    owner.fill("[name=seats]", "1")
    owner.select_option("[name=way]", "manual")
    owner.get_by_role("button", name="Show the price").click()
    expect(owner.locator("main")).to_contain_text("seats are in use")

    owner.fill("[name=seats]", "30")
    owner.fill("[name=country]", "TW")
    owner.select_option("[name=tax_id_kind]", "tw_vat")
    owner.fill("[name=tax_id]", "04595257")
    owner.get_by_role("button", name="Show the price").click()
    total = owner.locator("[data-total]").inner_text()
    assert findings(owner) == []
    owner.get_by_role("button", name="Agree and rent").click()
    expect(owner.locator("section[aria-labelledby=bi-bills]")).to_contain_text(total)

    owner.fill("#bi-count", "32")
    owner.get_by_role("button", name="Change seats").click()
    shown = owner.locator("[data-total]").inner_text()
    owner.get_by_role("button", name="Agree and rent").click()
    bills = owner.locator("section[aria-labelledby=bi-bills] li")
    expect(bills.first).to_contain_text(shown)

    owner.fill("#bi-count", "31")
    owner.get_by_role("button", name="Change seats").click()
    expect(owner.locator("section[aria-labelledby=bi-now]")).to_contain_text("31 seats")
    owner.get_by_role("button", name="Leave it as it is").click()
    expect(owner.locator("section[aria-labelledby=bi-now] .callout")).to_have_count(0)

    owner.get_by_role("button", name="Stop at the end of the period").click()
    owner.locator("dialog").get_by_role("button", name="Stop renting").click()
    expect(owner.get_by_role("button", name="Go on renting")).to_be_visible()
    owner.get_by_role("button", name="Go on renting").click()
    expect(owner.get_by_role("button", name="Stop at the end of the period")).to_be_visible()

    with owner.expect_response(re.compile(r"\.pdf$")) as answer:
        owner.evaluate("fetch(document.querySelector('a[href$=\".pdf\"]').href)")
    assert answer.value.headers["content-type"] == "application/pdf"


def test_page_is_clean_at_desk_and_phone_in_both_themes(owner, stack):
    for width, theme, language in ((1280, "light", "en"), (390, "dark", "zh-hant")):
        owner.set_viewport_size({"width": width, "height": 900})
        prefer(owner, stack, theme, language)
        owner.goto(stack.company(PAGE))
        expect(owner.locator("main h2").first).to_be_visible()
        assert findings(owner) == []
        assert not owner.evaluate("document.documentElement.scrollWidth > innerWidth")
