"""An operator has a company backed up and restored beside itself, in a browser, by real workers."""

from tests.browser.conftest import findings


def test_operator_backs_a_company_up_and_restores_it_beside_it(stack, console):
    desk = console(1280)
    desk.goto(stack.console("/?q=harbour"))
    desk.click("a:has-text('Harbour Trading')")
    desk.click("a:has-text('All backups')")
    desk.wait_for_selector("text=No backup yet")
    desk.click("button:has-text('Back up now')")
    desk.wait_for_selector("#backups .badge:has-text('Made')", timeout=30_000)

    desk.click("a:has-text('Restore beside it')")
    desk.fill("#dialog-body [name=slug]", "harbour")
    desk.fill("#dialog-body [name=reason]", "Rows were lost on Friday")
    desk.click("#dialog-body button.primary")
    desk.wait_for_selector("#dialog-body:has-text('Another company has this address name')")
    assert desk.input_value("#dialog-body [name=reason]") == "Rows were lost on Friday"
    assert findings(desk) == []
    desk.fill("#dialog-body [name=slug]", "harbour-again")
    desk.click("#dialog-body button.primary")
    desk.wait_for_selector("#backups:has-text('equal to the backup')", timeout=30_000)
    assert findings(desk) == []

    desk.click("a:has-text('Put it in its place')")
    desk.wait_for_selector("#dialog-body:has-text('this can be undone')")
    desk.keyboard.press("Escape")
    phone = console(390)
    phone.goto(desk.url)
    assert findings(phone) == []
    assert not phone.evaluate("document.documentElement.scrollWidth > innerWidth")
    desk.click("a:has-text('harbour-again')")
    desk.wait_for_selector("h1:has-text('Harbour Trading')")
