"""An owner makes a rehearsal, changes a stage there, and brings that into the company and back."""

from playwright.sync_api import expect

from tests.browser.conftest import findings, prefer


def test_owner_tries_a_change_and_brings_it_over(owner, stack):
    prefer(owner, stack, "auto", "en")
    owner.goto(stack.company("/settings/rehearsal/"))
    owner.get_by_role("button", name="Make a rehearsal").click()
    link = owner.locator("#rehearsal a.a")
    expect(link).to_be_visible(timeout=30_000)
    host = link.inner_text()

    owner.goto(stack.at(host, "/sign-in/"))
    owner.fill("[name=email]", "owner@harbour.example")
    owner.fill("[name=password]", stack.password)
    owner.click("main button.primary")
    expect(owner.locator(".banner")).to_contain_text("This is a rehearsal")
    assert findings(owner) == []
    owner.goto(stack.at(host, "/settings/tags/"))
    expect(owner.locator(".banner")).to_contain_text("no mail leaves it")
    owner.goto(stack.at(host, "/settings/tags/new/"))
    owner.fill("main [name=name]", "Tried out")
    owner.click("main button.primary")
    expect(owner.locator("main")).to_contain_text("Tried out")

    owner.goto(stack.company("/settings/rehearsal/"))
    owner.get_by_role("button", name="Compare with the company").click()
    table = owner.locator("#rehearsal table")
    expect(table).to_be_visible(timeout=30_000)
    assert findings(owner) == []
    table.get_by_label("Tag Tried out").check()
    owner.get_by_role("button", name="Bring the chosen over").click()
    owner.get_by_role("button", name="Take back what was brought over last").click()
    expect(owner.locator(".toasts")).to_contain_text("as it was before")
