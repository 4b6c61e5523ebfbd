"""A coupon from the operator to the owner's bill; a full plan in words; a move asked for."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import findings, prefer, prefer_here, sign_in, watch
from tests.browser.test_screens import look, told

PAGE = "/settings/billing/"
DISCOUNT = "SPRING-26"


@pytest.fixture(scope="module")
def offered(browser, operator_state, stack):
    """A coupon, and a second version of the plan: dearer, with few contacts."""
    context = browser.new_context(storage_state=operator_state, reduced_motion="reduce")
    page = watch(context.new_page())
    page.goto(stack.console("/billing/coupons/new/"))
    page.fill("[name=code]", DISCOUNT.lower())
    page.fill("[name=percent]", "20")
    page.fill("[name=periods]", "3")
    page.fill("[name=partner]", "Harbour Partners")
    page.click("main button.primary")
    page.wait_for_selector(f"th:has-text('{DISCOUNT}')")
    page.goto(stack.console("/billing/plans/"))
    page.click("tbody th a")
    if page.locator("button:has-text('Draft the next version')").count():
        page.click("button:has-text('Draft the next version')")
    page.fill("[name=USD_month]", "60")
    page.fill("[name=TWD_month]", "1900")
    page.fill("[name=contacts]", "3")
    page.fill("[name=storage_mb]", "100000")
    page.click("button:has-text('Save the draft')")
    page.wait_for_selector("td:has-text('US$60.00')")
    yield
    # Other files' tests know the prices the service began with.
    page.goto(stack.console("/billing/plans/"))
    page.click("tbody th a")
    page.click("button:has-text('Draft the next version')")
    for name, value in {"USD_month": "50", "TWD_month": "1600", "contacts": ""}.items():
        page.fill(f"[name={name}]", value)
    page.click("button:has-text('Save the draft')")
    page.click("button:has-text('Publish')")
    page.locator("dialog").get_by_role("button", name="Publish").click()
    page.wait_for_selector("a:has-text('Move them')")
    context.close()


def test_owner_uses_a_coupon_and_sees_what_comes_off(owner, stack, offered):
    owner.goto(stack.company(PAGE))
    if owner.get_by_role("heading", name="Rent Rapport").count():
        owner.fill("[name=seats]", "30")
        owner.select_option("[name=way]", "manual")
        owner.fill("[name=coupon]", "NONE-SUCH")
        owner.get_by_role("button", name="Show the price").click()
        expect(owner.locator("main")).to_contain_text("There is no such coupon")
        owner.fill("[name=coupon]", DISCOUNT)
        owner.get_by_role("button", name="Show the price").click()
        expect(owner.locator("main dl")).to_contain_text(f"Coupon {DISCOUNT}")
        assert findings(owner) == []
        owner.get_by_role("button", name="Agree and rent").click()
    else:
        owner.fill("#bi-code", DISCOUNT)
        owner.get_by_role("button", name="Use the coupon").click()
    expect(owner.locator("section[aria-labelledby=bi-now]")).to_contain_text(DISCOUNT)
    expect(owner.locator("section[aria-labelledby=bi-now]")).to_contain_text("taken off")
    expect(owner.locator("section[aria-labelledby=bi-use]")).to_contain_text("not limited")


def test_move_is_looked_at_and_asked_for(stack, console, offered):
    page = console()
    page.goto(stack.console("/billing/plans/"))
    page.click("tbody th a")
    page.click("button:has-text('Publish')")
    page.locator("dialog").get_by_role("button", name="Publish").click()
    page.wait_for_selector("a:has-text('Move them')")
    page.click("a:has-text('Move them')")
    expect(page.locator("[aria-labelledby=mv-rows]")).to_contain_text("US$60.00")
    wanted = page.locator("section[aria-labelledby=mv-ask] p.help").inner_text()
    page.fill("[name=reason]", "Costs rose")
    page.fill("[name=typed]", wanted.split("“")[1].split("”")[0])
    page.locator("section[aria-labelledby=mv-ask] button").click()
    expect(page.locator("main")).to_contain_text("Move to another version of the plan")


@pytest.mark.parametrize(
    ("theme", "language", "width"), [("light", "en", 1280), ("dark", "zh-hant", 390)]
)
def test_pages_are_clean_at_desk_and_phone(
    stack,
    console,
    page,
    offered,
    theme,
    language,
    width,
):
    there = console(width)
    there.goto(stack.console("/billing/plans/"))
    plan = there.get_attribute("tbody th a", "href")
    there.goto(stack.console(plan))
    move = there.locator("a[href$='/move/']").first.get_attribute("href")
    there.goto(stack.console("/billing/"))
    account = there.get_attribute("tbody th a", "href")
    look(there.context, stack, theme, language)
    prefer_here(there, theme, language)
    found = {}
    for path in ("/billing/coupons/", "/billing/coupons/new/", plan, move, account,
                 f"{account}credit/", account.replace("billing/", "")):  # fmt: skip
        there.goto(stack.console(path))
        found[path] = findings(there)
        if there.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[path].append("scrolls sideways")
    prefer_here(there, "auto", "en")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, stack)
    prefer(page, stack, theme, language)
    page.goto(stack.company(PAGE))
    found[PAGE] = findings(page)
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found[PAGE].append("scrolls sideways")
    assert told(found) == ""
