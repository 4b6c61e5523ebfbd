"""From trial to card, a sixth seat for just what was shown, a failing card, and full again."""

import subprocess
import sys

from playwright.sync_api import expect

from tests.browser.conftest import ROOT, findings
from tests.browser.test_billing import PAGE

GOOD = "4242424242424242"


def days_later(stack, *days: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.browser.days_later", "pier", *map(str, days)], cwd=ROOT,
        env=stack.environment, check=True, capture_output=True,
    )  # fmt: skip


def give_card(page, button: str) -> None:
    """On the payment service's page."""
    page.fill("[name=number]", GOOD)
    if page.locator("[name=email]").count():
        page.fill("[name=email]", "owner@pier.example")
    page.get_by_role("button", name=button).click()


def on(page, stack, path=PAGE):
    page.goto(stack.at("pier.localhost", path))


def customer_of(stack) -> str:
    (found,) = [c["id"] for c in stack.peer.objects("customer") if c["name"] == "Pier Eleven"]
    return found


def test_trial_card_sixth_seat_failing_card_and_full_again(page, stack):
    on(page, stack, "/sign-in/")
    page.fill("[name=email]", "owner@pier.example")
    page.fill("[name=password]", stack.password)
    page.click("main button.primary")
    page.wait_for_url(lambda url: "/sign-in/" not in url)

    on(page, stack)
    page.fill("[name=seats]", "5")
    page.select_option("[name=way]", "stripe")
    page.get_by_role("button", name="Show the price").click()
    expect(page.locator("[data-total]")).to_have_text("US$250.00")
    assert findings(page) == []
    page.get_by_role("button", name="Agree and rent").click()
    page.wait_for_url(f"{stack.peer.url}/**")
    give_card(page, "Subscribe")
    page.wait_for_url("**/settings/billing/**")
    expect(page.locator("section[aria-labelledby=bi-card]")).to_contain_text("4242")
    expect(page.locator("section[aria-labelledby=bi-bills]")).to_contain_text("US$250.00")
    assert findings(page) == []

    invite_until_full(page, stack)
    on(page, stack)
    page.fill("#bi-count", "6")
    page.get_by_role("button", name="Change seats").click()
    shown = page.locator("[data-total]").inner_text()
    page.get_by_role("button", name="Agree and rent").click()
    bills = page.locator("section[aria-labelledby=bi-bills] li")
    expect(bills.first).to_contain_text(shown)
    invite(page, stack, 6)
    expect(page.locator("main")).to_contain_text("new6@pier.example")

    stack.peer.decline(customer_of(stack))
    stack.peer.settings(after_retries="past_due")
    stack.peer.advance(days=32)
    stack.peer.wait()
    days_later(stack, 33)
    on(page, stack, "/")
    expect(page.locator(".banner").first).to_be_visible()
    days_later(stack, *range(34, 52, 3))
    on(page, stack, "/")
    expect(page.locator(".banner").first).to_contain_text("read")

    stack.peer.decline(customer_of(stack), None)
    on(page, stack)
    late = page.locator("section[aria-labelledby=bi-bills] li").filter(has_text="Pay")
    late.first.get_by_role("button", name="Pay").click()
    page.wait_for_url(f"{stack.peer.url}/**")
    give_card(page, "Pay")
    expect(page.locator("body")).to_contain_text("paid")
    on(page, stack, f"{PAGE}?paid=1")
    expect(page.locator("section[aria-labelledby=bi-now]")).to_be_visible()
    invite_link = page.goto(stack.at("pier.localhost", "/contacts/new/"))
    assert invite_link.status == 200
    expect(page.locator(".banner")).to_have_count(0)


def invite(page, stack, number: int) -> None:
    on(page, stack, "/settings/people/invite/")
    page.fill("[name=email]", f"new{number}@pier.example")
    page.locator("main form button[type=submit]").last.click()


def invite_until_full(page, stack) -> None:
    """Four more than the owner; the sixth is refused in words."""
    for number in range(2, 6):
        invite(page, stack, number)
        expect(page.locator("main")).to_contain_text(f"new{number}@pier.example")
    invite(page, stack, 6)
    expect(page.locator("main")).to_contain_text("All 5 seats are taken")
