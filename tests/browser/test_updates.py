"""The company's side of a release: the proof, the choice of hours, a new feature, the news."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from crm_core.sales.features import LATE_ON_BOARD
from tests.browser.conftest import findings, prefer, sign_in

PAGE = "/settings/updates/"
NEWS = "/whats-new/"


def card_late(page, stack):
    page.goto(stack.company("/deals/board/"))
    expect(page.locator(".card").first).to_be_visible()
    return page.locator(".card-late")


def test_admin_sees_the_proof_and_chooses_hours(owner, stack):
    owner.goto(stack.company(PAGE))
    done = owner.locator("section[aria-labelledby=up-done]")
    expect(done).to_contain_text("took 38 ms")
    expect(done).to_contain_text("Every table is exactly as the release describes it")
    with owner.expect_download() as file:
        done.get_by_role("link", name="Download as CSV").click()
    assert file.value.suggested_filename == "harbour-updates.csv"

    owner.select_option("[name=window_from]", "23")
    far = timezone.localdate() + dt.timedelta(days=40)
    owner.fill("[name=wait_until]", far.isoformat())
    owner.locator("section[aria-labelledby=up-when] button.primary").click()
    expect(owner.locator("#id_wait_until_error")).to_contain_text("14 days at most")
    assert findings(owner) == []

    owner.fill("[name=wait_until]", "")
    owner.locator("section[aria-labelledby=up-when] button.primary").click()
    expect(owner.locator(".toasts")).to_contain_text("Saved")
    expect(owner.locator("[name=window_from]")).to_have_value("23")
    owner.goto(stack.company("/settings/history/"))
    expect(owner.locator("tbody tr").first).to_contain_text("23:00")


@pytest.mark.skipif(
    not LATE_ON_BOARD.is_optional(timezone.localdate() + dt.timedelta(days=1)),
    reason="everybody has this feature by now: nobody turns it on",
)
def test_admin_turns_a_feature_on_and_sees_it_on_the_board(owner, stack):
    assert card_late(owner, stack).count() == 0
    owner.goto(stack.company("/deals/1/"))
    owner.locator(".field button.pen[hx-get*='close_date']").click()
    day = timezone.localdate() - dt.timedelta(days=3)
    owner.fill(".field [name=close_date]", day.isoformat())
    owner.press(".field [name=close_date]", "Enter")
    expect(owner.locator(".toasts")).to_be_visible()

    owner.goto(stack.company(PAGE))
    section = owner.locator("section[aria-labelledby=up-new]")
    section.get_by_role("button", name="Turn on").click()
    expect(section.get_by_role("button", name="Turn off")).to_be_visible()

    late = card_late(owner, stack)
    expect(late.first).to_contain_text("Should have closed")
    assert findings(owner) == []
    owner.goto(stack.company(PAGE))
    section.get_by_role("button", name="Turn off").click()
    expect(section.get_by_role("button", name="Turn on")).to_be_visible()
    assert card_late(owner, stack).count() == 0


def test_staff_read_what_is_new_and_the_dot_goes(page, stack):
    sign_in(page, stack, "member")
    page.goto(stack.company("/help/"))
    dot = page.locator(".me .newdot")
    expect(dot).to_be_visible()

    page.click(".me")
    page.locator("#me-menu").get_by_role("link", name="What's new").click()
    page.wait_for_url(f"**{NEWS}")

    expect(page.locator("main article").first).to_contain_text("This page tells what is new")
    expect(dot).to_have_count(0)
    assert findings(page) == []
    page.goto(stack.company("/help/"))
    expect(dot).to_have_count(0)
    page.goto(stack.company(PAGE))
    expect(page.locator("h1")).not_to_have_text("Updates")


@pytest.mark.parametrize(("theme", "language"), [("light", "zh-hant"), ("dark", "zh-hans")])
def test_pages_hold_on_a_phone_in_chinese(phone, stack, theme, language):
    prefer(phone, stack, theme, language)
    found = {}
    for path in (PAGE, NEWS):
        phone.goto(stack.company(path))
        wide = phone.evaluate("document.documentElement.scrollWidth > 390")
        if faults := [*findings(phone), *(["sideways scroll"] if wide else [])]:
            found[path] = faults
    prefer(phone, stack, "auto", "en")

    assert found == {}
