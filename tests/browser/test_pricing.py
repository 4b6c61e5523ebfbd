"""A visitor sees the price, changes the figures, and compares; with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import findings, watch
from tests.browser.test_screens import LOOKS, look, told

SCREENS = ("/pricing/", "/pricing/own-server/", "/pricing/?users=0", "/pricing/own-server/?wage=x")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_pricing_has_no_axe_finding_and_no_sideways_scroll(page, stack, theme, language, width):
    page.set_viewport_size({"width": width, "height": 900})
    look(page.context, stack, theme, language)
    found = {}
    for path in SCREENS:
        page.goto(stack.at("localhost", path))
        found[path] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[path].append("scrolls sideways")
    assert told(found) == ""


def test_sum_follows_the_figures_and_stands_in_the_address(page, stack):
    page.goto(stack.at("localhost", "/"))
    page.get_by_role("link", name="See the prices").click()
    page.select_option("[name=currency]", "USD")
    expect(page.locator("[data-year]")).to_have_text("US$5,000")
    page.fill("[name=users]", "25")
    page.keyboard.press("Tab")
    expect(page.locator("[data-year]")).to_have_text("US$12,500")
    page.select_option("[name=interval]", "month")
    expect(page.locator("[data-month]")).to_have_text("US$1,250")
    assert "users=25" in page.url
    page.reload()
    expect(page.locator("[data-month]")).to_have_text("US$1,250")
    page.fill("[name=users]", "0")
    page.keyboard.press("Enter")
    expect(page.locator(".err")).to_be_visible()
    page.fill("[name=users]", "1")
    page.keyboard.press("Enter")
    expect(page.locator("[data-month]")).to_have_text("US$50")


@pytest.mark.parametrize(
    ("path", "name", "found"),
    [("/pricing/", "users", "[data-year]"), ("/pricing/own-server/", "admin_hours", ".formulas")],
)
def test_an_answer_that_comes_late_leaves_what_is_being_typed(page, stack, path, name, found):
    page.goto(stack.at("localhost", f"{path}?currency=USD"))
    before = page.locator(found).inner_text()
    held = []

    def hold(asked):
        held.append(asked)

    page.route(lambda at: "interval=month" in at, hold)
    with page.expect_request(lambda request: "interval=month" in request.url):
        page.select_option("[name=interval]", "month")
    field = page.locator(f"[name={name}]")
    field.select_text()
    page.keyboard.type("2")

    with page.expect_response(lambda answer: "interval=month" in answer.url):
        held.pop().continue_()
    expect(page.locator(found)).not_to_have_text(before)
    page.keyboard.type("5")

    expect(field).to_have_value("25")
    page.unroute_all()
    page.keyboard.press("Tab")
    page.wait_for_url(f"**{name}=25*")


def test_comparison_follows_the_assumptions(page, stack):
    page.goto(stack.at("localhost", "/pricing/own-server/?currency=USD"))
    expect(page.locator("[data-even]")).to_contain_text("16 users")
    page.fill("[name=admin_hours]", "2")
    page.keyboard.press("Tab")
    expect(page.locator("[data-even]")).not_to_contain_text("16 users")
    page.get_by_role("link", name="TWD").click()
    expect(page.locator("[name=wage]")).to_have_value("800")


def test_calculators_work_without_javascript(browser, stack):
    context = browser.new_context(java_script_enabled=False)
    page = watch(context.new_page())
    page.goto(stack.at("localhost", "/pricing/?currency=USD"))
    page.fill("[name=users]", "7")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator("[data-year]")).to_have_text("US$3,500")
    page.get_by_role("link", name="Compare with your own server").first.click()
    page.fill("[name=setup_days]", "")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".err")).to_be_visible()
    assert page.context.cookies() == []
    context.close()
