"""An operator sees what failed at the payment service, sends it again, and it is done there."""

import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, findings, prefer_here
from tests.browser.test_screens import look, told

SENT, TOLD, COMPARED = (f"/billing/service/{part}" for part in ("", "events/", "compared/"))
FAILED = "tbody tr:has-text('Quay Cards'):has-text('Who pays')"


@pytest.fixture(scope="module")
def customer(stack):
    """The customer there of a company that pays by card, with a few rows on each page."""
    made = stack.peer.stripe().v1.customers.create({"name": "Quay"})
    subprocess.run(
        [sys.executable, "-m", "tests.browser.provider_rows", made.id], cwd=ROOT,
        env=stack.environment, check=True, capture_output=True,
    )  # fmt: skip
    return made.id


@pytest.mark.parametrize(
    ("theme", "language", "width"), [("light", "en", 1280), ("dark", "zh-hant", 390)]
)
def test_pages_of_the_payment_service_are_clean(stack, console, customer, theme, language, width):
    page = console(width)
    page.goto(stack.console(SENT))
    look(page.context, stack, theme, language)
    prefer_here(page, theme, language)
    found = {}
    for path in (SENT, f"{SENT}?state=dead", f"{SENT}?q=nobody", TOLD, COMPARED):
        page.goto(stack.console(path))
        found[path] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[path].append("scrolls sideways")
        current = page.locator(".tabs-nav [aria-current]").bounding_box()
        if current["x"] < 0 or current["x"] + current["width"] > width:
            found[path].append("the current tab is cut off")
    prefer_here(page, "auto", "en")
    assert told(found) == ""


def test_what_was_given_up_is_sent_again_and_done_there(stack, console, customer):
    page = console()
    page.goto(stack.console("/billing/"))
    page.click("a:has-text('Payment service')")
    page.wait_for_url(f"**{SENT}")
    expect(page.locator(FAILED)).to_contain_text("Given up")
    expect(page.locator(FAILED)).to_contain_text("did not answer")
    assert stack.peer.object(customer)["name"] == "Quay"

    page.locator(FAILED).get_by_role("button", name="Send again").click()
    expect(page.locator("body")).to_contain_text("It is being tried again.")
    # The worker sends it.
    assert page.evaluate(
        """async path => {
            for (let tries = 0; tries < 100; tries++) {
                const text = await (await fetch(path)).text();
                if (!text.includes('did not answer')) return true;
                await new Promise(resolve => setTimeout(resolve, 300));
            }
            return false;
        }""",
        SENT,
    ), "It was not sent within half a minute"
    page.goto(stack.console(SENT))
    expect(page.locator(FAILED)).to_contain_text("Done")
    expect(page.locator(FAILED).get_by_role("button")).to_have_count(0)
    assert stack.peer.object(customer)["name"] == "Quay Cards Ltd"

    page.get_by_role("link", name="What we were told").click()
    waiting = page.locator("tbody tr:has-text('evt_shown2')")
    expect(waiting).to_contain_text("Waiting")
    page.get_by_role("link", name="Comparisons").click()
    newest = page.locator("section[aria-labelledby=pc-new]")
    expect(newest).to_contain_text("minutes ago")
    expect(page.locator("tbody tr:has-text('Quay Cards')")).to_contain_text("Not yet")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.goto(stack.console("/audit/"))
    expect(page.locator("main")).to_contain_text("Quay Cards")
