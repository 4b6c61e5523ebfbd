"""An operator finds the company that is late, records its transfer, and it works again."""

import pytest

from tests.browser.conftest import findings, prefer_here
from tests.browser.test_screens import look, told

SCREENS = ("/billing/", "/billing/?q=nobody", "/billing/plans/", "/billing/plans/new/",
           "/billing/figures/")  # fmt: skip
BOARD_ROW = "tbody tr:has-text('Late Lanterns')"


@pytest.mark.parametrize(
    ("theme", "language", "width"), [("light", "en", 1280), ("dark", "zh-hant", 390)]
)
def test_billing_has_no_axe_finding_and_no_sideways_scroll(stack, console, theme, language, width):
    page = console(width)
    page.goto(stack.console("/billing/"))
    account = page.get_attribute("tbody th a", "href")
    page.goto(stack.console("/billing/plans/"))
    plan = page.get_attribute("tbody th a", "href")
    page.goto(stack.console(plan))
    if page.locator("button:has-text('Draft the next version')").count():
        page.click("button:has-text('Draft the next version')")
        page.fill("[name=USD_month]", "55")
        page.click("button:has-text('Save the draft')")
        page.wait_for_selector("td:has-text('US$55.00')")
    look(page.context, stack, theme, language)
    prefer_here(page, theme, language)
    found = {}
    for path in (*SCREENS, account, f"{account}transfer/", account.replace("billing/", ""), plan):
        page.goto(stack.console(path))
        found[path] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[path].append("scrolls sideways")
    page.goto(stack.console("/billing/"))
    prefer_here(page, "auto", "en")
    assert told(found) == ""


def test_late_bill_is_written_of_with_the_bill_itself(stack, console):
    page = console()
    page.goto(stack.console("/mail/"))
    # The worker writes and sends it, rung for when the company began to rent.
    assert page.evaluate(
        """async () => {
            for (let tries = 0; tries < 100; tries++) {
                const text = await (await fetch('/mail/')).text();
                if (text.includes('is overdue')) return true;
                await new Promise(resolve => setTimeout(resolve, 300));
            }
            return false;
        }"""
    ), "No letter came within half a minute"
    page.goto(stack.console("/mail/"))
    page.click("a:has-text('is overdue')")
    page.wait_for_selector("text=[R-I")
    text = page.inner_text("main")
    assert "US$250.00 of it is open" in text
    assert "it becomes read-only" in text
    page.goto(stack.console("/billing/"))
    page.goto(stack.console(page.get_attribute(f"{BOARD_ROW} th a", "href")))
    page.wait_for_selector("[aria-labelledby=ac-letters] li:has-text('Overdue invoice')")
    assert findings(page) == []


def test_late_company_is_found_its_transfer_recorded_and_it_is_active_again(stack, console):
    page = console()
    page.goto(stack.console())
    page.click("nav a:has-text('Billing')")
    page.fill("[name=q]", "lanterns")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=lanterns**")
    row = page.inner_text(BOARD_ROW)
    assert "US$250.00" in row
    assert "1 to 14 days late" in row
    assert "Past due" in row
    assert "Read only on" in row

    page.focus(f"{BOARD_ROW} td ul a")
    page.keyboard.press("Enter")
    page.wait_for_selector("#dialog-body [name=amount]")
    assert page.input_value("#dialog-body [name=invoice]") != ""
    page.fill("#dialog-body [name=amount]", "250,00")
    page.fill("#dialog-body [name=reference]", "HSBC 20261122-7")
    page.click("#dialog-body button.primary")
    page.wait_for_selector("#dialog-body .err:has-text('Write the amount in USD like')")
    assert findings(page) == []
    page.fill("#dialog-body [name=amount]", "US$250.00")
    page.click("#dialog-body button.primary")

    page.wait_for_url("**/companies/*/billing/")
    page.wait_for_selector(".head .con-state:has-text('Active')")
    page.wait_for_selector("tr:has-text('HSBC 20261122-7') td:has-text('US$250.00')")
    assert findings(page) == []
    page.goto(stack.console("/billing/?q=lanterns"))
    page.wait_for_selector("text=No open invoice fits")
    page.goto(stack.console("/audit/"))
    page.wait_for_selector("text=Recorded a transfer")
