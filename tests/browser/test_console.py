"""The operators' console in a browser: coming in, looking around, and a visit with consent."""

import time

import pyotp
import pytest

from tests.browser.conftest import findings, prefer_here, sign_in
from tests.browser.test_screens import look, told

SCREENS = ("/", "/releases/", "/releases/next-1/", "/sign-ups/", "/support/", "/queues/",
           "/outbox/", "/mail/", "/approvals/",
           "/operators/", "/operators/invite/", "/audit/", "/second-factor/", "/me/",
           "/me/security/")  # fmt: skip
REASON = "The import of Friday looks wrong"


def test_operator_enrols_by_app_and_sees_the_codes_once(page, stack, console, say):
    desk = console(1440)
    desk.goto(stack.console("/operators/"))
    desk.click("a[href='/operators/invite/']")
    desk.fill("#dialog-body [name=email]", "new.operator@example.com")
    desk.click("#dialog-body button.primary")
    desk.wait_for_selector("text=new.operator@example.com")
    desk.goto(stack.console("/mail/"))
    # The worker sends the mail within moments; the outbox keeps it.
    for _try in range(20):
        if desk.locator("text=new.operator@example.com").count():
            break
        desk.wait_for_timeout(500)
        desk.reload()
    desk.click("a:has-text('new.operator@example.com')")
    page.goto(desk.get_attribute("[data-mail] a[href*='/invite/']", "href"))
    page.fill("[name=name]", "Nina New")
    page.fill("[name=password]", "a long sentence does well")
    page.click("main button.primary")
    page.wait_for_selector(".qr")
    assert page.evaluate("document.querySelector('.qr').naturalWidth") > 100
    assert findings(page) == []
    secret = page.inner_text("[data-secret]").replace(" ", "")
    page.fill("[name=code]", pyotp.TOTP(secret).now())
    page.click("main button.primary")
    page.wait_for_selector("[data-codes]")
    assert page.locator("[data-codes] li").count() == 10
    page.click("main a.btn.primary")
    page.wait_for_selector("h1:has-text('Companies')")
    say("console: invited by mail, joined, enrolled by app in a browser")


def test_visit_with_consent_from_asking_to_ending(page, stack, console, browser, say):
    desk = console(1440)
    desk.goto(stack.console())
    desk.click("tbody th a:has-text('Harbour Trading')")
    desk.click("a:has-text('Ask for access')")
    desk.fill("#dialog-body [name=reason]", REASON)
    desk.click("#dialog-body button.primary")
    desk.wait_for_selector(f"text={REASON}")
    assert desk.locator("button:has-text('Go in')").count() == 0

    sign_in(page, stack)
    page.goto(stack.company("/inbox/"))
    page.click(f"a:has-text('{REASON}')")
    page.wait_for_selector("h1:has-text('Support access')")
    assert findings(page) == []
    page.click("button:has-text('Agree')")
    page.wait_for_selector(".banner:has-text('has access until')")
    assert findings(page) == []

    desk.reload()
    desk.click("button:has-text('Go in')")
    desk.click("[data-enter]")
    desk.wait_for_selector(".banner:has-text('has access until')")
    began = time.monotonic()
    page.goto(stack.company("/deals/"))
    page.click(".banner button")
    page.wait_for_selector("h1:has-text('Support access')")
    assert page.locator(".banner:has-text('has access until')").count() == 0
    desk.goto(stack.company("/deals/"))
    assert "/sign-in/" in desk.url
    say(f"console: a visit ended by the owner is over after {time.monotonic() - began:.1f} s")


@pytest.mark.parametrize(
    ("theme", "language", "width"), [("light", "en", 1440), ("dark", "zh-hant", 390)]
)
def test_screens_have_no_axe_finding_and_no_sideways_scroll(stack, console, theme, language, width):
    page = console(width)
    page.goto(stack.console())
    company = page.get_attribute("tbody th a", "href")
    look(page.context, stack, theme, language)
    prefer_here(page, theme, language)
    found = {}
    for path in (*SCREENS, company):
        page.goto(stack.console(path))
        found[path] = findings(page)
    page.goto(stack.console())
    prefer_here(page, "auto", "en")

    assert told(found) == ""


def test_release_is_tried_on_a_copy_from_its_board(stack, console):
    """By a real worker; the board reads itself again until it is over."""
    desk = console(1440)
    desk.goto(stack.console("/releases/next-1/"))
    desk.wait_for_selector("text=No dry run has shown yet")
    desk.fill("[name=biggest]", "1")
    desk.click("button:has-text('Try it on copies')")
    desk.wait_for_selector("#dry-runs .badge:has-text('Went well')", timeout=30_000)
    assert desk.locator("#dry-runs tbody tr").count() == 1
    desk.reload()
    assert "No dry run has shown yet" not in desk.content()


def test_three_ways_out_of_a_release_that_stopped(stack, console):
    """Hold, mend and go on, roll back: each on the board, done by a real worker."""
    desk = console(1440)
    desk.goto(stack.console("/releases/"))
    desk.click("a:has-text('next-1')")
    desk.wait_for_selector("text=has no district")

    desk.click("button:has-text('Hold')")
    desk.wait_for_selector("#waves .badge:has-text('Held')")
    desk.click("button:has-text('Try again')")
    desk.wait_for_selector("#waves:not(:has-text('has no district'))")
    desk.click("button:has-text('Go on')")
    until(desk, "h2:has-text('Upgraded last')")

    desk.fill("[aria-labelledby=r-back] [name=reason]", "Slow")
    desk.click("button:has-text('Stop, and ask for a second person')")
    desk.wait_for_selector("text=The rest")
    desk.goto(stack.console("/releases/next-1/"))
    desk.wait_for_selector("text=that waits for a second person")
    desk.goto(stack.console("/approvals/"))
    desk.click("button:has-text('Take back')")
    desk.goto(stack.console("/releases/next-1/"))
    desk.click("button:has-text('Roll back')")
    desk.click("[data-yes]")
    until(desk, "#waves .badge:has-text('Rolled back')")
    desk.goto(stack.console("/audit/"))
    desk.wait_for_selector("text=Rolled the upgrade back")


def until(page, selector):
    """Look again until the worker has done it."""
    for _try in range(40):
        if page.locator(selector).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{selector} never came.")
